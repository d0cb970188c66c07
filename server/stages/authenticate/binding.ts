/** What a session is bound to: only the same identity of the same job renews it. */

import { runOf } from "../../github/oidc.ts";
import type { Caller } from "../../model/caller.ts";

export type Binding = Readonly<Record<string, string>>;

/** Issuer and subject, and of a GitHub Actions run `repository_id`, `run_id`, `run_attempt` and `check_run_id`. */
export const bindingOf = (caller: Caller): Binding => ({
  issuer: caller.issuer,
  subject: caller.subject,
  ...runOf(caller.claims),
});

/** The first claim in which two bindings differ, one that only one of them has included. */
export const differenceOf = (one: Binding, other: Binding): string | null => {
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) if (one[name] !== other[name]) return name;
  return null;
};
