/** Limits of allow rules: which one a decision draws on. */

import type { RuleLimit } from "../../model/config.ts";
import type { Decision } from "../../model/decision.ts";
import type { Policy } from "./policy.ts";

/** What one call takes from, when it passes only because rules with limits allow it. */
export type Allowance = { readonly rule: string; readonly limit: RuleLimit };

/**
 * The limit that this decision draws on, null when it draws on none: it does not forward, or a rule without a limit allows the
 * call as well. Of several rules with limits it is the first by name; when that one is used up, decide again with
 * `facts.spent`, until a decision draws on something that is left, or on nothing.
 */
export const allowanceOf = (policy: Policy, decision: Decision): Allowance | null => {
  if (decision.effect !== "allow" && decision.effect !== "observe") return null;
  const allowing = decision.rules.filter(({ effect }) => effect === "allow");
  const limits = allowing.map(({ name }) => policy.limits.get(name));
  const [first] = allowing;
  const [limit] = limits;
  return first === undefined || limit === undefined || limits.includes(undefined) ? null : { rule: first.name, limit };
};

export const limitText = ({ count, per }: RuleLimit): string => `${count}/${per}`;
