/** Compiles the rules of dogwatch.yaml into a policy, and `allow` conditions into predicates over callers. */

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Config, Finding, RuleLimit, RuleSource } from "../../model/config.ts";
import type { Effect } from "../../model/decision.ts";
import { type Clause, type Condition, compileText, evaluateAll, isCondition, oncePerTime } from "./condition.ts";
import { type CallerViews, callerView } from "./facts.ts";
import { closedWords, type Flaw, nodes, type Vocabulary } from "./flaws.ts";
import { type Language, languageFor } from "./language.ts";
import { limitText } from "./limit.ts";
import { type Longhand, longhandsOf } from "./shorthand.ts";
import { Sieve } from "./sieve.ts";
import { unknownWords } from "./words.ts";

export type Rule = {
  readonly name: string;
  readonly effect: Effect;
  /** What must all hold: what the shorthands stand for, and the parts of `when`. */
  readonly clauses: readonly Clause[];
  /** As the policy writes it, for people. */
  readonly text: string;
  readonly observe: boolean;
  /** The condition names the class `destructive`: only then does its own `observe` cover destructive operations. */
  readonly namesDestructive: boolean;
  readonly limit?: RuleLimit;
};

export type Policy = {
  /** Rules on calls; strongest effect first, then by name: the order in dogwatch.yaml never matters. */
  readonly rules: readonly Rule[];
  /** Rules on answers. */
  readonly answerRules: readonly Rule[];
  readonly observe: boolean;
  /** By name of the rule. */
  readonly limits: ReadonlyMap<string, RuleLimit>;
  /** SHA-256 (hex) over RFC 8785 canonical JSON of everything that decides. */
  readonly digest: string;
  /** What the digest is of. */
  readonly source: PolicySource;
  readonly sieve: Sieve;
  readonly answerSieve: Sieve;
  readonly callerViews: CallerViews;
};

/** What a policy is made of, as dogwatch.yaml says it. */
export type PolicySource = Pick<Config["policy"], "rules" | "observe">;

/**
 * Compiles the rules; with findings instead when any of them cannot be used.
 * `vocabulary` adds values that names can have (`connection.name`, `operation.name`), so that a rule that could never match is found here.
 */
export const compilePolicy = ({ rules, observe }: PolicySource, vocabulary: Vocabulary = {}): Policy | Finding[] => {
  const words = { ...closedWords, ...vocabulary };
  const languages = { request: languageFor("call"), response: languageFor("answer") };
  const compiled = rules.map((source, index) => ({
    phase: source.phase,
    rule: compileRule(source, { language: languages[source.phase], words, path: ["policy", "rules", index] }),
  }));
  const findings = compiled.flatMap(({ rule }) => (isRule(rule) ? [] : rule));
  if (findings.length > 0) return findings;
  const sorted = (phase: RuleSource["phase"]): Rule[] =>
    compiled.flatMap((one) => (one.phase === phase && isRule(one.rule) ? [one.rule] : [])).toSorted(byStrength);
  const forCalls = sorted("request");
  const forAnswers = sorted("response");
  return {
    rules: forCalls,
    answerRules: forAnswers,
    observe,
    limits: new Map(forCalls.flatMap(({ name, limit }) => (limit === undefined ? [] : [[name, limit] as const]))),
    digest: createHash("sha256").update(canonicalSource({ rules, observe })).digest("hex"),
    source: { rules, observe },
    sieve: new Sieve(forCalls.map(({ clauses }) => clauses)),
    answerSieve: new Sieve(forAnswers.map(({ clauses }) => clauses)),
    callerViews: new WeakMap(),
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
  const condition = compileText(text, languageFor("caller"), vocabulary);
  if (!isCondition(condition)) return condition;
  return {
    text,
    evaluate: (caller) => {
      const scope = { variables: { caller: callerView(caller) }, watch: { missed: false } };
      const outcome = evaluateAll(condition.clauses, scope);
      if (outcome === true) return true;
      if (outcome === false) return { reason: `${text} is false` };
      return {
        reason: "error" in outcome ? `${text} could not be evaluated (${outcome.error})` : `${text} reads the request`,
      };
    },
  };
};

type Compiling = {
  readonly language: Language;
  readonly words: Vocabulary;
  /** Of the rule. */
  readonly path: Finding["path"];
};

const compileRule = (source: RuleSource, { language, words, path }: Compiling): Rule | Finding[] => {
  const when = compileText(source.when, language, words);
  const found: Finding[] = unknownWords(source, words).map((finding) => ({
    ...finding,
    path: [...path, ...finding.path],
  }));
  if (!isCondition(when)) found.push(...when.map((flaw) => ({ path: [...path, "when"], ...flaw })));
  const longhands = longhandsOf(source).map((longhand) => ({
    longhand,
    compiled: compileText(longhand.cel, language, {}),
  }));
  for (const { longhand, compiled } of longhands)
    if (!isCondition(compiled))
      found.push(...compiled.map(({ message }) => ({ path: [...path, longhand.key], message })));
  if (found.length > 0 || !isCondition(when)) return found;
  const conditions = [...longhands.flatMap(({ compiled }) => (isCondition(compiled) ? [compiled] : [])), when];
  return {
    name: source.name,
    effect: source.effect,
    clauses: [
      ...longhands.flatMap(({ longhand, compiled }) => (isCondition(compiled) ? [asOne(longhand, compiled)] : [])),
      ...(source.when === "true" ? [] : when.clauses),
    ],
    text: textOf(
      source,
      longhands.map(({ longhand }) => longhand),
    ),
    observe: source.observe,
    namesDestructive: conditions.some(namesDestructive),
    ...(source.limit !== undefined && { limit: source.limit }),
  };
};

const isRule = (compiled: Rule | Finding[]): compiled is Rule => !Array.isArray(compiled);

/** A shorthand is one clause to its reader, whatever it is made of. */
const asOne = ({ shown, cel }: Longhand, { clauses }: Condition): Clause =>
  oncePerTime(cel, {
    text: shown,
    quick: false,
    reads: new Set(clauses.flatMap(({ reads }) => [...reads])),
    evaluate: (scope) => evaluateAll(clauses, scope),
  });

const textOf = ({ when, limit }: RuleSource, longhands: readonly Longhand[]): string => {
  const parts = longhands.map(({ shown }) => shown);
  if (when !== "true" || parts.length === 0) parts.push(when);
  if (limit !== undefined) parts.push(`limit: ${limitText(limit)}`);
  return parts.join("; ");
};

const namesDestructive = ({ ast }: Condition): boolean =>
  [...nodes(ast)].some((node) => node.op === "value" && node.args === "destructive");

const strength = { deny: 0, approve: 1, allow: 2 } as const satisfies Record<Effect, number>;

const byStrength = (a: Rule, b: Rule): number => strength[a.effect] - strength[b.effect] || (a.name < b.name ? -1 : 1);

/** What the digest is of: RFC 8785 JSON, rules by name. */
export const canonicalSource = ({ rules, observe }: PolicySource): string => {
  const sorted = rules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const text = canonicalize({ rules: sorted, observe });
  if (text === undefined) throw new TypeError("a policy is always an object");
  return text;
};
