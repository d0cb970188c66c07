/** The pages of policies, and the form by which an edited one is tried. */

import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { policyText } from "../contract.ts";
import { apiStatusOf, isApiRefusal, refuseApi } from "../errors.ts";
import type { Viewer } from "../journeys/approval/page.ts";
import { type TryParts, tryPolicyText } from "../journeys/policy/tryText.ts";
import { type PolicyParts, readPolicy } from "../journeys/rules.ts";
import { type Attempt, policyPage } from "../web/policy.ts";
import { backtestJson, goneOf } from "./backtests.ts";
import { type FormParts, whoseForm } from "./forms.ts";
import { type Asked, frameOf, refusalPage, sendPage, show } from "./page.ts";
import { digestParams, policyJson } from "./policies.ts";

export type PolicyPagesParts = FormParts & {
  readonly history: PolicyParts & TryParts;
  readonly publicUrl: string;
  /** The digest of the policy that decides now. */
  policyInForce(): string;
};

export function registerPolicyPages(app: FastifyInstance, parts: PolicyPagesParts): void {
  const { history, publicUrl, signIn } = parts;
  const read = (asked: Asked, digest: string): Promise<FastifyReply> =>
    show(parts, asked, async ({ reader }) => {
      const policy = await readPolicy(history, reader, digest);
      if (isApiRefusal(policy)) return policy;
      return policyPage(policyJson(publicUrl, policy), signIn.cookies.formToken(asked.request));
    });
  app.get("/policy", (request, reply) => read({ request, reply }, parts.policyInForce()));
  app.get("/policies/:digest", (request, reply) => read({ request, reply }, digestParams.parse(request.params).digest));
  // A form writes many characters as three; a longer text is refused before it is read.
  app.post("/policy", { bodyLimit: 1024 * 1024 }, (request, reply) => takeText(parts, { request, reply }));
}

const textForm = z.object({
  form: z.string().max(200).default(""),
  // Browsers send the ends of lines as two characters.
  text: z.string().transform((text) => text.replaceAll("\r\n", "\n")),
  days: z.coerce.number().default(7),
});

async function takeText(parts: PolicyPagesParts, { request, reply }: Asked): Promise<FastifyReply> {
  const { history } = parts;
  const viewer = await whoseForm(parts, { request, reply, back: "/policy" });
  if (viewer === null) return reply;
  const { form, ...sent } = textForm.parse(request.body ?? {});
  const policy = await readPolicy(history, viewer.reader, parts.policyInForce());
  const frame = await frameOf(parts, request, viewer);
  if (isApiRefusal(policy)) return sendPage(reply.code(apiStatusOf[policy.code]), refusalPage(policy), frame);
  const fits = policyText.safeParse(sent);
  if (!fits.success) return sendPage(reply.code(413), refusalPage(tooMuch), frame);
  const { status, attempt } = await attemptOf(parts, viewer, { ...fits.data, signal: goneOf(reply) });
  return sendPage(reply.code(status), policyPage(policyJson(parts.publicUrl, policy), form, attempt), frame);
}

const tooMuch = refuseApi("body_too_large", "a text of at most 262,144 characters is tried, on at most 30 days");

async function attemptOf(
  { history, publicUrl }: PolicyPagesParts,
  { reader }: Viewer,
  request: { readonly text: string; readonly days: number; readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly attempt: Attempt }> {
  const tried = await tryPolicyText(history, reader, request);
  return isApiRefusal(tried)
    ? { status: apiStatusOf[tried.code], attempt: { ...request, outcome: tried.message } }
    : { status: 200, attempt: { ...request, outcome: backtestJson(publicUrl, tried) } };
}
