/** One CEL condition: compiled with its types checked and every typo answered with the nearest right name, then evaluated clause by clause. */

import { type ASTNode, EvaluationError, type ParseResult, serialize } from "@marcbachmann/cel-js";
import { suggest } from "../../model/nearest.ts";
import { BodyNotRead, BodyUnevaluable, type Scope } from "./facts.ts";
import { type Flaw, flawsOf, nodes, type Vocabulary } from "./flaws.ts";
import type { Language } from "./language.ts";
import type { BodyNeeded, Failed, Outcome } from "./outcome.ts";
import { shortcutOf } from "./shortcut.ts";

/** One of the parts that `&&` joins at the top of a condition. */
export type Clause = {
  /** As the policy writes it. */
  readonly text: string;
  /** Whether it is answered without the interpreter. */
  readonly quick: boolean;
  /** The variables it looks at: `caller`, `operation`, … */
  readonly reads: ReadonlySet<string>;
  readonly evaluate: (scope: Scope) => Outcome;
};

export type Condition = {
  readonly text: string;
  readonly ast: ASTNode;
  readonly clauses: readonly Clause[];
};

/** Compiles `text`, or says everything that is wrong with it. */
export const compileText = (text: string, language: Language, vocabulary: Vocabulary): Condition | Flaw[] => {
  const parsed = parse(language, text);
  if (Array.isArray(parsed)) return parsed;
  const flaws = flawsOf(parsed.ast, vocabulary, language.fields);
  const checked = parsed.check();
  // An unknown field is found twice, and flawsOf() knows the right name.
  if (checked.error && !(flaws.length > 0 && checked.error.code === "no_such_key"))
    flaws.push(explainCheck(checked.error, language));
  else if (checked.valid && checked.type !== "bool" && checked.type !== "dyn")
    flaws.push({ message: `must be true or false, and this is a ${checked.type}`, offset: 0 });
  if (flaws.length > 0) return flaws;
  return { text, ast: parsed.ast, clauses: conjuncts(parsed.ast).map((node) => clauseOf(node, text, language)) };
};

export const isCondition = (compiled: Condition | Flaw[]): compiled is Condition => !Array.isArray(compiled);

/**
 * What `&&` makes of its parts, in whatever order: false if any is false; else nobody knows while the body is missing; else
 * the first error, if any. (CEL: https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators)
 */
export const evaluateAll = (clauses: readonly Clause[], scope: Scope): Outcome => {
  let needed: BodyNeeded | null = null;
  let failed: Failed | null = null;
  for (const clause of clauses) {
    const outcome = clause.evaluate(scope);
    if (outcome === false) return false;
    if (outcome === true) continue;
    if ("needs" in outcome) needed = outcome;
    else failed ??= outcome;
  }
  return needed ?? failed ?? true;
};

const parse = (language: Language, text: string): ParseResult | Flaw[] => {
  try {
    return language.environment.parse(text);
  } catch (error) {
    return [explainCheck(error, language)];
  }
};

const conjuncts = (node: ASTNode): ASTNode[] =>
  node.op === "&&" ? [...conjuncts(node.args[0]), ...conjuncts(node.args[1])] : [node];

const clauseOf = (node: ASTNode, whole: string, language: Language): Clause => {
  const written = serialize(node);
  const parsed = language.environment.parse(written);
  parsed.check();
  const shortcut = shortcutOf(parsed.ast, language.slots);
  const ask = (scope: Scope): Outcome => evaluate(parsed, written, scope);
  return oncePerTime(written, {
    text: asWritten(node, whole, language) ?? written,
    quick: shortcut !== null,
    reads: rootsOf(node, language),
    evaluate: shortcut === null ? ask : (scope) => shortcut(scope) ?? ask(scope),
  });
};

/** Many rules share their working hours: what only the time decides is decided once a call. */
export const oncePerTime = (cel: string, clause: Clause): Clause => {
  if (clause.reads.size !== 1 || !clause.reads.has("now")) return clause;
  return {
    ...clause,
    quick: true,
    evaluate: (scope) => {
      const known = scope.times?.get(cel);
      if (known !== undefined) return known;
      const outcome = clause.evaluate(scope);
      scope.times?.set(cel, outcome);
      return outcome;
    },
  };
};

/** The places of a node leave out parentheses around it, so that its text may lack one of a pair. */
const asWritten = (node: ASTNode, whole: string, { environment }: Language): string | undefined => {
  const slice = whole.slice(node.start, node.end);
  try {
    return serialize(environment.parse(slice).ast) === serialize(node) ? slice : undefined;
  } catch {
    return undefined;
  }
};

/** A macro may name its own variable like one of ours: then this says too much, never too little. */
const rootsOf = (node: ASTNode, { variables }: Language): ReadonlySet<string> =>
  new Set([...nodes(node)].flatMap((one) => (one.op === "id" && variables.includes(one.args) ? [one.args] : [])));

const evaluate = (parsed: ParseResult, text: string, { variables, watch }: Scope): Outcome => {
  watch.missed = false;
  try {
    const value: unknown = parsed(variables);
    if (typeof value === "boolean") return value;
    return { error: "is neither true nor false" };
  } catch (error) {
    // CEL lets `false && error` be false, so an error that comes out is one that no other operand could settle. Which of two
    // errors comes out is up to the library; whether the body might still settle it is not.
    if (watch.missed || error instanceof BodyNotRead) return bodyNeeded;
    return { error: explainError(error, text) };
  }
};

const bodyNeeded: BodyNeeded = { needs: "body" };

/** In words, and in the policy's own text: messages of the library may quote values of the request, which is not ours to show. */
const explainError = (error: unknown, text: string): string => {
  if (error instanceof BodyUnevaluable) return error.message;
  if (!(error instanceof EvaluationError)) return "cannot be evaluated";
  const where = error.node ? text.slice(error.node.start, error.node.end) : "";
  const what = errorWords[error.code] ?? error.code.replaceAll("_", " ");
  return where === "" ? what : `${what}: ${where.length > 120 ? `${where.slice(0, 119)}…` : where}`;
};

const errorWords: Readonly<Record<string, string>> = {
  no_such_key: "not there",
  no_such_overload: "types do not fit",
  no_matching_overload: "types do not fit",
  invalid_logical_operand: "neither true nor false",
  invalid_condition_type: "neither true nor false",
  invalid_comprehension_range: "neither a list nor a map",
  unsupported_type: "a value that has no single meaning (sent more than once, or too long a number)",
  field_type_mismatch: "a value that has no single meaning (sent more than once, or of an unexpected type)",
};

type CelError = { readonly summary: string; readonly code: string; readonly range?: { readonly start: number } };

const isCelError = (error: unknown): error is CelError =>
  error instanceof Error && "summary" in error && "code" in error;

/** A parse or type error as a sentence with the fix. Here the library's message quotes only the policy. */
const explainCheck = (error: unknown, { variables, functions, subject }: Language): Flaw => {
  if (!isCelError(error)) return { message: "is not a CEL expression", offset: 0 };
  const offset = error.range?.start ?? 0;
  const unknown = /^Unknown variable: (.+)$/.exec(error.summary)?.[1];
  if (unknown === "response" && subject === "call")
    return { message: "response is there for rules with phase: response only", offset };
  if (unknown !== undefined) return { message: `unknown name ${unknown}${suggest(unknown, variables)}`, offset };
  const called = /^found no matching overload for '(?:[^']*\.)?(\w+)\(/.exec(error.summary)?.[1];
  if (called !== undefined && !functions.includes(called))
    return { message: `unknown function ${called}()${suggest(called, functions)}`, offset };
  if (error.code === "no_such_overload")
    return {
      message: `types do not fit: ${error.summary.replace(/^no such overload: /, "")}${hint(error.summary)}`,
      offset,
    };
  const [, limit = "", most = ""] = /^exceeded max(\w+) \((\d+)\)/i.exec(error.summary) ?? [];
  if (limit !== "")
    return { message: `is too large: more than ${most} ${limits[limit] ?? "parts"}; make two rules of it`, offset };
  return { message: error.summary.charAt(0).toLowerCase() + error.summary.slice(1), offset };
};

const limits: Readonly<Record<string, string>> = {
  AstNodes: "parts",
  Depth: "levels",
  ListElements: "entries in a list",
  MapEntries: "entries in a map",
  CallArguments: "arguments",
};

const hint = (summary: string): string =>
  /string (==|!=|in|<|>|<=|>=) (int|list<int>)/.test(summary)
    ? "; ids and parameters are text, write them in quotes"
    : "";
