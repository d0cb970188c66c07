/** What `main` leaves for `post`; no token is among it. */

import { getState, saveState } from "@actions/core";
import { z } from "zod";

const sessionState = z.object({
  id: z.string(),
  url: z.string(),
  gateway: z.url(),
  audience: z.string(),
  connection: z.string(),
});

const relayState = z.object({
  url: z.url(),
  pid: z.number().int(),
  placeholder: z.string(),
  intercept: z.enum(["hosts", "proxy", "off"]),
});

const schemas = {
  session: sessionState,
  relay: relayState,
  /** The proxy the job had before. */
  proxies: z.record(z.string(), z.string()),
  /** Where the relay logs. */
  log: z.string(),
};
type States = { readonly [name in keyof typeof schemas]: z.infer<(typeof schemas)[name]> };

export const keep = <N extends keyof States>(name: N, value: States[N]): void => saveState(name, JSON.stringify(value));

/** Undefined when `main` did not come so far. */
export const recall = <N extends keyof States>(name: N): States[N] | undefined => {
  const text = getState(name);
  return text === "" ? undefined : (schemas[name].parse(JSON.parse(text)) as States[N]);
};
