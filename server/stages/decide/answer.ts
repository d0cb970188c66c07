/** Decides whether an answer may be released: rules of `phase: response` can only deny, and nothing matched is allow. */

import type { Decision } from "../../model/decision.ts";
import { judgeRules } from "./decide.ts";
import { type AnswerFacts, answerScopeOf } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { answerReason, matchedRules } from "./reason.ts";

/** A rule cannot be settled without the answer's body: read it, and decide again with `facts.response.body`. */
export type AnswerNeeded = { readonly needs: "response.body" };

/**
 * `deny`: the answer is withheld. `observe`: it would be. `allow`: no rule on answers has anything against it.
 * A rule that ends in an error counts as matched. What the call did is done: `observe` covers every operation here.
 */
export const decideAnswer = (policy: Policy, facts: AnswerFacts): Decision | AnswerNeeded => {
  const scope = answerScopeOf(facts, policy.callerViews);
  const sifted = policy.answerSieve.sift(facts, scope);
  const matched = judgeRules(policy.answerRules, policy.answerSieve, { sifted, scope });
  if (matched === null) return { needs: "response.body" };
  const earnest = !policy.observe && matched.some(({ rule }) => !rule.observe);
  const effect = matched.length === 0 ? "allow" : earnest ? "deny" : "observe";
  return {
    effect,
    rules: matchedRules(matched),
    reason: answerReason(effect, facts.operation, matched),
    policy: policy.digest,
  };
};
