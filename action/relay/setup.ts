/** What `main` hands the relay over a pipe, and what the relay says once it serves; secrets travel in no other way. */

import { z } from "zod";
import { tokenAnswer } from "../../server/contract.ts";

export const setup = z.object({
  gateway: z.url(),
  opened: tokenAnswer,
  placeholder: z.string().min(32),
  intercept: z.enum(["hosts", "proxy", "off"]),
  /** Milliseconds for which one call may wait for a person. */
  approvalTimeout: z.number().int().positive(),
  /** GitHub's offer to this job: renewals mint their identity tokens with it. */
  identity: z.object({ url: z.url(), bearer: z.string(), audience: z.string() }),
  /** The proxy the job already had. */
  proxies: z.record(z.string(), z.string()),
  /** Whose rights to keep once the port is bound; absent: those the relay was started with. */
  user: z.object({ uid: z.number().int(), gid: z.number().int() }).optional(),
});
export type Setup = z.infer<typeof setup>;

/** The line that follows once `post` knows of the relay. Where it never comes, nobody would end the relay. */
export const kept = "kept";

export const ready = z.union([
  z.object({ url: z.url(), pid: z.number().int(), certificate: z.string() }),
  z.object({ problem: z.string() }),
]);
export type Ready = z.infer<typeof ready>;
