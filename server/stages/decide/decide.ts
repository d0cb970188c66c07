/** Decides one call: every rule counts, the strongest effect wins, and the answer names every rule that counted and why. */

import type { ErrorCode } from "../../errors.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import { evaluateAll } from "./condition.ts";
import { type Facts, type Scope, scopeOf } from "./facts.ts";
import { nearRules } from "./near.ts";
import type { Outcome } from "./outcome.ts";
import type { Policy, Rule } from "./policy.ts";
import { matchedRules, reasonOf, type Verdict } from "./reason.ts";
import { decideReplay } from "./replay.ts";
import type { Sieve, Sifted } from "./sieve.ts";

/** A rule cannot be settled without the body: read it, and decide again with `facts.body`. */
export type BodyNeeded = { readonly needs: "request.body" };

export const needsBody = (decided: Decision | BodyNeeded): decided is BodyNeeded => "needs" in decided;

/**
 * What the policy says of this call: deny > approve > allow, and deny when nothing matched.
 * A rule that ends in an error counts as matched when it denies or asks, and does not match when it allows.
 * A call that passes only by rules with limits has still to take from one: `allowanceOf` says which.
 */
export const decide = (policy: Policy, facts: Facts): Decision | BodyNeeded =>
  decideReplay(policy.digest, facts) ?? decideByRules(policy, facts);

const decideByRules = (policy: Policy, facts: Facts): Decision | BodyNeeded => {
  const scope = scopeOf(facts, policy.callerViews);
  const sifted = policy.sieve.sift(facts, scope);
  const verdicts = judgeRules(policy.rules, policy.sieve, { sifted, scope });
  if (verdicts === null) return { needs: "request.body" };
  const { spent = nothingSpent } = facts;
  const counted = verdicts.filter(({ rule }) => rule.limit === undefined || !spent.has(rule.name));
  const matched = counted.filter((verdict) => verdict.matched);
  const effect = enforce(policy, facts.operation, matched);
  const near = matched.length > 0 ? [] : nearRules(policy, { sifted, scope, spent });
  return {
    effect,
    rules: matchedRules(matched),
    ...(near.length > 0 && { near }),
    reason: reasonOf(effect, facts.operation, { verdicts: counted, near }),
    policy: policy.digest,
  };
};

const nothingSpent: ReadonlySet<string> = new Set();

/** What those rules say that match or end in an error; null when one of them cannot be settled without the body. */
export const judgeRules = (
  rules: readonly Rule[],
  sieve: Sieve,
  { sifted, scope }: { readonly sifted: Sifted; readonly scope: Scope },
): Verdict[] | null => {
  const verdicts: Verdict[] = [];
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index];
    if (rule === undefined || sifted.fails(index) > 0) continue;
    const own = evaluateAll(sieve.own(index), scope);
    const outcome = own === true ? (sifted.error(index) ?? true) : own;
    if (outcome === false) continue;
    if (isNeed(outcome)) return null;
    verdicts.push(verdictOf(rule, outcome));
  }
  return verdicts;
};

const isNeed = (outcome: Outcome): outcome is Extract<Outcome, { needs: string }> =>
  typeof outcome === "object" && "needs" in outcome;

const verdictOf = (rule: Rule, outcome: Exclude<Outcome, { needs: string }>): Verdict => {
  if (typeof outcome === "boolean") return { rule, matched: outcome };
  return { rule, matched: rule.effect !== "allow", error: outcome.error };
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

/**
 * The effect once `observe` is taken into account. A rule that only observes lets pass what it would refuse, unless another rule
 * refuses it in earnest; when it could not be evaluated it does neither. `policy.observe` lets everything pass but what destroys.
 */
const enforce = (policy: Policy, operation: Operation, matched: readonly Verdict[]): Decision["effect"] => {
  // Rules are sorted by strength, so the first match is what would be done if nothing were only observed.
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
