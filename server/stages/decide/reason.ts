/** Says a decision in one sentence for people: it quotes names and conditions of the policy, never a value of the request. */

import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { Rule } from "./policy.ts";

/** What one rule said; `error` when its condition ended in one. */
export type Verdict = { readonly rule: Rule; readonly matched: boolean; readonly error?: string };

/** `DeleteMonitor is denied by rule no-monitor-deletes`; rules that could not be evaluated are named too. */
export const reasonOf = (effect: Decision["effect"], operation: Operation, verdicts: readonly Verdict[]): string => {
  const matched = verdicts.filter((verdict) => verdict.matched);
  const name = operation.known ? operation.name : "an operation unknown to Dogwatch";
  return [sentence(name, effect, matched), ...verdicts.filter(({ error }) => error !== undefined).map(failure)].join(
    "; ",
  );
};

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
