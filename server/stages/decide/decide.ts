/** Decides one call: every rule is evaluated, the strongest effect wins, and the answer names every rule that counted and why. */

import type { ErrorCode } from "../../errors.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { Outcome } from "./condition.ts";
import { type Facts, variablesOf } from "./facts.ts";
import type { Policy, Rule } from "./policy.ts";
import { reasonOf, type Verdict } from "./reason.ts";

/** A rule cannot be settled without the body: read it, and decide again with `facts.body`. */
export type BodyNeeded = { readonly needs: "request.body" };

export const needsBody = (decided: Decision | BodyNeeded): decided is BodyNeeded => "needs" in decided;

/**
 * What the policy says of this call: deny > approve > allow, and deny when nothing matched.
 * A rule that ends in an error counts as matched when it denies or asks, and does not match when it allows.
 */
export const decide = (policy: Policy, facts: Facts): Decision | BodyNeeded => {
  const variables = variablesOf(facts);
  const verdicts: Verdict[] = [];
  for (const rule of policy.rules) {
    const outcome = rule.when.evaluate(variables);
    if (typeof outcome === "object" && "needs" in outcome) return outcome;
    verdicts.push(verdictOf(rule, outcome));
  }
  return conclude(policy, facts.operation, verdicts);
};

/** The code with which a decision refuses the call; null when the call may pass. */
export const codeOf = (decision: Decision, operation: Operation): RefusalCode | null => {
  switch (decision.effect) {
    case "allow":
    case "observe":
      return null;
    case "approve":
      return "approval_required";
    case "deny":
      return decision.rules.length === 0 && operation.access === "unknown" ? "operation_unknown" : "denied";
    default:
      return decision.effect satisfies never;
  }
};

export type RefusalCode = Extract<ErrorCode, "denied" | "operation_unknown" | "approval_required">;

const verdictOf = (rule: Rule, outcome: Exclude<Outcome, BodyNeeded>): Verdict => {
  if (typeof outcome === "boolean") return { rule, matched: outcome };
  return { rule, matched: rule.effect !== "allow", error: outcome.error };
};

const conclude = (policy: Policy, operation: Operation, verdicts: readonly Verdict[]): Decision => {
  // Rules are sorted by strength, so the first match is what would be done if nothing were only observed.
  const matched = verdicts.filter((verdict) => verdict.matched);
  const effect = enforce(policy, operation, matched);
  return {
    effect,
    rules: matched.map(({ rule, error }) => ({
      name: rule.name,
      effect: rule.effect,
      reason: error === undefined ? rule.when.text : `could not be evaluated, so it counts (${error})`,
    })),
    reason: reasonOf(effect, operation, verdicts),
    policy: policy.digest,
  };
};

/**
 * The effect once `observe` is taken into account. A rule that only observes lets pass what it would refuse, unless another rule
 * refuses it in earnest; when it could not be evaluated it does neither. `policy.observe` lets everything pass but what destroys.
 */
const enforce = (policy: Policy, operation: Operation, matched: readonly Verdict[]): Decision["effect"] => {
  const strongest = matched[0]?.rule.effect ?? "deny";
  if (strongest === "allow") return "allow";
  if (policy.observe && !destroys(operation)) return "observe";
  const observed = matched.filter(({ rule }) => rule.observe && (!destroys(operation) || rule.namesDestructive));
  const inEarnest = matched.find((verdict) => verdict.rule.effect !== "allow" && !observed.includes(verdict));
  if (inEarnest !== undefined) return inEarnest.rule.effect;
  const passes = matched.some(({ rule, error }) => rule.effect === "allow" || (rule.observe && error === undefined));
  return passes ? "observe" : "deny";
};

/** A DELETE that the catalogue does not know destroys something too. */
const destroys = ({ access, method }: Operation): boolean =>
  access === "destructive" || (access === "unknown" && method.toUpperCase() === "DELETE");
