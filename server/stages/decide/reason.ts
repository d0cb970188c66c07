/** Says a decision in words for people, the first sentence short: it quotes names and conditions of the policy, never a value of the request. */

import type { Decision, MatchedRule, NearRule } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { Rule } from "./policy.ts";

/** What one rule said; `error` when its condition ended in one. */
export type Verdict = { readonly rule: Rule; readonly matched: boolean; readonly error?: string };

/** As they stand in a decision. */
export const matchedRules = (matched: readonly Verdict[]): MatchedRule[] =>
  matched.map(({ rule, error }) => ({
    name: rule.name,
    effect: rule.effect,
    reason: error === undefined ? rule.text : `could not be evaluated, so it counts (${error})`,
  }));

/** `DeleteMonitor is denied by rule no-monitor-deletes`; then the rules that could not be evaluated, and the ones that nearly matched. */
export const reasonOf = (
  effect: Decision["effect"],
  operation: Operation,
  { verdicts, near }: { readonly verdicts: readonly Verdict[]; readonly near: readonly NearRule[] },
): string => {
  const matched = verdicts.filter((verdict) => verdict.matched);
  const failed = verdicts.filter(({ error }) => error !== undefined);
  return [
    sentence(nameOf(operation), effect, matched),
    ...failed.slice(0, mostFailures).map(failure),
    ...(failed.length > mostFailures ? [`and ${failed.length - mostFailures} more could not be evaluated`] : []),
    ...near
      .slice(0, 1)
      .filter(({ name }) => !failed.some(({ rule }) => rule.name === name))
      .map(nearMiss),
  ].join("; ");
};

/** `The answer to ListUsers is withheld by rule no-emails` */
export const answerReason = (effect: Decision["effect"], operation: Operation, matched: readonly Verdict[]): string => {
  const answer = `the answer to ${nameOf(operation)}`;
  const by = rulesWith("deny", matched);
  const failures = matched
    .filter(({ error }) => error !== undefined)
    .slice(0, mostFailures)
    .map(failure);
  switch (effect) {
    case "allow":
      return `${answer} may be released: no rule is against it`;
    case "deny":
    case "approve":
      return [`${answer} is withheld by ${by}`, ...failures].join("; ");
    case "observe":
      return [`${answer} would be withheld by ${by}, and is released because that is only observed`, ...failures].join(
        "; ",
      );
    default:
      return effect satisfies never;
  }
};

/** A policy whose rules all fail would make the message unreadable; the receipt has the decision. */
const mostFailures = 5;

const nameOf = (operation: Operation): string =>
  operation.known ? operation.name : "an operation unknown to Dogwatch";

const sentence = (name: string, effect: Decision["effect"], matched: readonly Verdict[]): string => {
  switch (effect) {
    case "allow":
      return `${name} is allowed by ${rulesWith("allow", matched)}`;
    case "approve":
      return `${name} needs an approval by ${rulesWith("approve", matched)}`;
    case "deny":
      return `${name} is denied${denial(matched)}`;
    case "observe":
      return `${name} ${wouldBe(matched)}, and is forwarded because that is only observed`;
    default:
      return effect satisfies never;
  }
};

const denial = (matched: readonly Verdict[]): string =>
  strongestOf(matched) === "deny" ? ` by ${rulesWith("deny", matched)}` : ": no rule allows it";

const wouldBe = (matched: readonly Verdict[]): string => {
  switch (strongestOf(matched)) {
    case "deny":
      return `would be denied by ${rulesWith("deny", matched)}`;
    case "approve":
      return `would need an approval by ${rulesWith("approve", matched)}`;
    default:
      return "would be denied because no rule allows it";
  }
};

const strongestOf = (matched: readonly Verdict[]): Rule["effect"] | undefined => matched[0]?.rule.effect;

const rulesWith = (effect: Rule["effect"], matched: readonly Verdict[]): string => {
  const names = matched.filter(({ rule }) => rule.effect === effect).map(({ rule }) => rule.name);
  return `${names.length === 1 ? "rule" : "rules"} ${names.join(", ")}`;
};

const failure = ({ rule, error, matched }: Verdict): string =>
  `rule ${rule.name} could not be evaluated (${error}) and ${matched ? "counts as matched" : "does not match"}`;

const nearMiss = ({ name, effect, clause }: NearRule): string =>
  `nearest is rule ${name}, which would ${effect === "approve" ? "ask" : "allow"} it but for ${clause}`;
