/** One CEL condition: compiled with its types checked and every typo answered with the nearest right name, then evaluated without surprises. */

import { type ASTNode, type Environment, EvaluationError, type ParseResult } from "@marcbachmann/cel-js";
import { suggest } from "../../model/nearest.ts";
import { BodyNotRead, BodyUnevaluable, type Variables } from "./facts.ts";
import { type Flaw, flawsOf, type Vocabulary } from "./flaws.ts";
import { callEnvironment, callerEnvironment, namesIn } from "./language.ts";

/** What came of evaluating a condition once. An `error` quotes the policy's own text and never a value of the request. */
export type Outcome = boolean | { readonly needs: "request.body" } | { readonly error: string };

export type Condition = {
  readonly text: string;
  readonly ast: ASTNode;
  readonly evaluate: (variables: Partial<Variables>) => Outcome;
};

/** What a condition is about: one call, or only who the caller is. */
export type Subject = "call" | "caller";

/** Compiles `text`, or says everything that is wrong with it. */
export const compileText = (text: string, subject: Subject, vocabulary: Vocabulary): Condition | Flaw[] => {
  const environment = subject === "call" ? callEnvironment() : callerEnvironment();
  const parsed = parse(environment, text);
  if (Array.isArray(parsed)) return parsed;
  const flaws = flawsOf(parsed.ast, vocabulary);
  const checked = parsed.check();
  // An unknown field is found twice, and flawsOf() knows the right name.
  if (checked.error && !(flaws.length > 0 && checked.error.code === "no_such_key"))
    flaws.push(explainCheck(checked.error, environment));
  else if (checked.valid && checked.type !== "bool" && checked.type !== "dyn")
    flaws.push({ message: `must be true or false, and this is a ${checked.type}`, offset: 0 });
  if (flaws.length > 0) return flaws;
  return { text, ast: parsed.ast, evaluate: (variables) => evaluate(parsed, text, variables) };
};

export const isCondition = (compiled: Condition | Flaw[]): compiled is Condition => !Array.isArray(compiled);

const parse = (environment: Environment, text: string): ParseResult | Flaw[] => {
  try {
    return environment.parse(text);
  } catch (error) {
    return [explainCheck(error, environment)];
  }
};

const evaluate = (parsed: ParseResult, text: string, variables: Partial<Variables>): Outcome => {
  if (variables.request) variables.request.bodyMissed = false;
  try {
    const value: unknown = parsed(variables);
    if (typeof value === "boolean") return value;
    return { error: "is neither true nor false" };
  } catch (error) {
    // CEL lets `false && error` be false, so an error that comes out is one that no other operand could settle. Which of two
    // errors comes out is up to the library; whether the body might still settle it is not.
    if (variables.request?.bodyMissed || error instanceof BodyNotRead) return { needs: "request.body" };
    return { error: explainError(error, text) };
  }
};

/** In words, and in the policy's own text: messages of the library may quote values of the request, which is not ours to show. */
const explainError = (error: unknown, text: string): string => {
  if (error instanceof BodyUnevaluable) return `request.body: ${error.message}`;
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
const explainCheck = (error: unknown, environment: Environment): Flaw => {
  if (!isCelError(error)) return { message: "is not a CEL expression", offset: 0 };
  const offset = error.range?.start ?? 0;
  const unknown = /^Unknown variable: (.+)$/.exec(error.summary)?.[1];
  if (unknown !== undefined)
    return { message: `unknown name ${unknown}${suggest(unknown, namesIn(environment, "variables"))}`, offset };
  const called = /^found no matching overload for '(?:[^']*\.)?(\w+)\(/.exec(error.summary)?.[1];
  const functions = namesIn(environment, "functions");
  if (called !== undefined && !functions.includes(called))
    return { message: `unknown function ${called}()${suggest(called, functions)}`, offset };
  if (error.code === "no_such_overload")
    return {
      message: `types do not fit: ${error.summary.replace(/^no such overload: /, "")}${hint(error.summary)}`,
      offset,
    };
  return { message: error.summary.charAt(0).toLowerCase() + error.summary.slice(1), offset };
};

const hint = (summary: string): string =>
  /string (==|!=|in|<|>|<=|>=) (int|list<int>)/.test(summary)
    ? "; ids and parameters are text, write them in quotes"
    : "";
