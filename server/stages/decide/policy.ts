/** Compiles the rules of dogwatch.yaml into a policy, and `allow` conditions into predicates over callers. */

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Config, Finding, RuleSource } from "../../model/config.ts";
import type { Effect } from "../../model/decision.ts";
import { type Condition, compileText, isCondition } from "./condition.ts";
import { callerView } from "./facts.ts";
import { closedWords, type Flaw, nodes, type Vocabulary } from "./flaws.ts";

export type Rule = {
  readonly name: string;
  readonly effect: Effect;
  readonly when: Condition;
  readonly observe: boolean;
  /** The condition names the class `destructive`: only then does its own `observe` cover destructive operations. */
  readonly namesDestructive: boolean;
};

export type Policy = {
  /** Strongest effect first, then by name: the order in dogwatch.yaml never matters. */
  readonly rules: readonly Rule[];
  readonly observe: boolean;
  /** SHA-256 (hex) over RFC 8785 canonical JSON of everything that decides. */
  readonly digest: string;
};

/** What a policy is made of, as dogwatch.yaml says it. */
export type PolicySource = Pick<Config["policy"], "rules" | "observe">;

/**
 * Compiles the rules; with findings instead when any of them cannot be used.
 * `vocabulary` adds values that names can have (`connection.name`, `operation.name`), so that a rule that could never match is found here.
 */
export const compilePolicy = ({ rules, observe }: PolicySource, vocabulary: Vocabulary = {}): Policy | Finding[] => {
  const words = { ...closedWords, ...vocabulary };
  const compiled = rules.map((rule) => ({ rule, when: compileText(rule.when, "call", words) }));
  const findings = compiled.flatMap(({ when }, index) =>
    isCondition(when) ? [] : when.map((flaw) => ({ path: ["policy", "rules", index, "when"], ...flaw })),
  );
  if (findings.length > 0) return findings;
  return {
    rules: compiled.flatMap(({ rule, when }) => (isCondition(when) ? [ruleOf(rule, when)] : [])).toSorted(byStrength),
    observe,
    digest: digestOf({ rules, observe }),
  };
};

export const isPolicy = (compiled: Policy | Finding[]): compiled is Policy => !Array.isArray(compiled);

/** A compiled `allow`: true, or why not. A condition that ends in an error does not let anybody in. */
export type CallerCondition = {
  readonly text: string;
  /** `caller` as `flattenCaller` gives it. */
  readonly evaluate: (caller: Readonly<Record<string, unknown>>) => true | { readonly reason: string };
};

/** Compiles an `allow` of an issuer or a connection. */
export const compileCondition = (text: string, vocabulary: Vocabulary = {}): CallerCondition | Flaw[] => {
  const condition = compileText(text, "caller", vocabulary);
  if (!isCondition(condition)) return condition;
  return {
    text,
    evaluate: (caller) => {
      const outcome = condition.evaluate({ caller: callerView(caller) });
      if (outcome === true) return true;
      if (outcome === false) return { reason: `${text} is false` };
      return {
        reason: "error" in outcome ? `${text} could not be evaluated (${outcome.error})` : `${text} reads the request`,
      };
    },
  };
};

const ruleOf = (rule: RuleSource, when: Condition): Rule => ({
  name: rule.name,
  effect: rule.effect,
  when,
  observe: rule.observe,
  namesDestructive: [...nodes(when.ast)].some((node) => node.op === "value" && node.args === "destructive"),
});

const strength = { deny: 0, approve: 1, allow: 2 } as const satisfies Record<Effect, number>;

const byStrength = (a: Rule, b: Rule): number => strength[a.effect] - strength[b.effect] || (a.name < b.name ? -1 : 1);

const digestOf = ({ rules, observe }: PolicySource): string => {
  const sorted = rules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const text = canonicalize({ rules: sorted, observe });
  if (text === undefined) throw new TypeError("a policy is always an object");
  return createHash("sha256").update(text).digest("hex");
};
