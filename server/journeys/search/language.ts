/** The language of searches: what was typed becomes a `Query`, or says in which column it cannot be understood. */

import { accessClasses } from "../../model/operation.ts";
import { suggest } from "../../model/nearest.ts";
import { quote } from "../../model/quote.ts";
import { type SearchField, searchFields } from "../../model/searched.ts";
import { type Bounds, readDuration, readStatus, readTime } from "./ranges.ts";
import { isToken, type QueryProblem, readTokens, type Token } from "./tokens.ts";

export type Query =
  | { readonly kind: "all" | "any"; readonly of: readonly Query[] }
  | { readonly kind: "not"; readonly of: Query }
  /** Anywhere, as a part of a word too. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "word"; readonly word: string }
  /** In small letters; `*` stands for anything. */
  | { readonly kind: "field"; readonly field: SearchField; readonly value: string }
  /** `received` in ms since 1970, `duration` in ms; both ends belong to it. */
  | { readonly kind: "range"; readonly of: "status" | "duration" | "received"; readonly bounds: Bounds };

export const longestQuery = 2_000;
const mostTerms = 64;
const deepest = 16;

const fields = [...searchFields, "word", "before", "after", "duration"] as const;
type Field = (typeof fields)[number];

class Misunderstood extends Error {
  readonly problem: QueryProblem;
  constructor(column: number, message: string) {
    super(message);
    this.problem = { column, message };
  }
}

/** `now`: what `after:7d` is counted from. Nothing but spaces is found in every call. */
export const readQuery = (typed: string, now: Date): Query | QueryProblem => {
  if (typed.length > longestQuery)
    return { column: longestQuery + 1, message: `a search has at most ${longestQuery} characters` };
  const tokens = readTokens(typed);
  if (!Array.isArray(tokens)) return tokens;
  try {
    return new Reader(tokens, { now, end: typed.length + 1 }).whole();
  } catch (error) {
    if (error instanceof Misunderstood) return error.problem;
    throw error;
  }
};

export const isQueryProblem = (read: Query | QueryProblem): read is QueryProblem => "column" in read;

type Setting = { readonly now: Date; readonly end: number };

/** `any := all ("OR" all)*`, `all := one+`, `one := "-"? ( "(" any ")" | field ":" value | text )` */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #setting: Setting;
  #at = 0;
  #depth = 0;
  #terms = 0;

  constructor(tokens: readonly Token[], setting: Setting) {
    this.#tokens = tokens;
    this.#setting = setting;
  }

  whole(): Query {
    if (this.#tokens.length === 0) return { kind: "all", of: [] };
    const query = this.#any();
    const left = this.#next();
    if (left !== undefined) throw new Misunderstood(left.column, "this ) closes nothing");
    return query;
  }

  #any(): Query {
    const of = [this.#all()];
    while (this.#next()?.kind === "or") {
      this.#at += 1;
      of.push(this.#all());
    }
    return one("any", of);
  }

  #all(): Query {
    const of: Query[] = [];
    for (
      let next = this.#next();
      next !== undefined && next.kind !== "or" && next.kind !== "close";
      next = this.#next()
    )
      of.push(this.#one(next));
    if (of.length === 0) throw new Misunderstood(this.#next()?.column ?? this.#setting.end, this.#missing());
    return one("all", of);
  }

  #missing(): string {
    const before = this.#tokens[this.#at - 1];
    if (before?.kind === "open") return "there is nothing between the parentheses";
    return before === undefined
      ? "OR stands between two things, and nothing is before it"
      : "OR stands between two things, and nothing is after it";
  }

  #one(token: Token): Query {
    this.#at += 1;
    switch (token.kind) {
      case "not":
        return this.#not(token);
      case "open":
        return this.#group(token);
      case "field":
        return this.#count(token, readField(token, this.#setting.now));
      case "text":
        return this.#count(token, readText(token));
      case "or":
      case "close":
        throw new Misunderstood(token.column, "this is not expected here");
      default:
        return token satisfies never;
    }
  }

  #not(token: Token): Query {
    const next = this.#next();
    if (
      next === undefined ||
      next.kind === "or" ||
      next.kind === "close" ||
      next.kind === "not" ||
      next.column !== token.column + 1
    )
      throw new Misunderstood(
        token.column,
        'a - stands right before what must not be there; put it in quotes, "-", to look for one',
      );
    return { kind: "not", of: this.#one(next) };
  }

  #group(token: Token): Query {
    this.#depth += 1;
    if (this.#depth > deepest) throw new Misunderstood(token.column, `parentheses are at most ${deepest} deep`);
    const query = this.#any();
    if (this.#next()?.kind !== "close") throw new Misunderstood(token.column, "this ( is never closed");
    this.#at += 1;
    this.#depth -= 1;
    return query;
  }

  #count(token: Token, query: Query): Query {
    this.#terms += 1;
    if (this.#terms > mostTerms)
      throw new Misunderstood(token.column, `a search has at most ${mostTerms} words and fields`);
    return query;
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at];
  }
}

const one = (kind: "all" | "any", of: readonly Query[]): Query => {
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind, of };
};

const readText = ({ column, text, quoted }: Token & { kind: "text" }): Query => {
  if (text === "") throw new Misunderstood(column, "there is nothing in these quotes");
  // Nearly every call has any two letters somewhere: alone they are a word.
  return !quoted && Buffer.byteLength(text) < 3 && isToken(text)
    ? { kind: "word", word: text }
    : { kind: "text", text };
};

const readField = (token: Token & { kind: "field" }, now: Date): Query => {
  const { column, value } = token;
  const field = fields.find((known) => known === token.field.toLowerCase());
  if (field === undefined)
    throw new Misunderstood(
      column,
      `there is no field ${quote(token.field)}${suggest(token.field, fields)} (put it in quotes to look for it as text)`,
    );
  if (value === "")
    throw new Misunderstood(token.valueColumn, `${field}: is followed by what it has to be, without a space`);
  try {
    return queryOf(field, value, now);
  } catch (error) {
    if (error instanceof RangeError) throw new Misunderstood(token.valueColumn, error.message);
    throw error;
  }
};

const decisions = ["allow", "deny", "approve", "observe"];

/** @throws RangeError when the field cannot have this value */
const queryOf = (field: Field, value: string, now: Date): Query => {
  switch (field) {
    case "status":
      return { kind: "range", of: "status", bounds: readStatus(value) };
    case "duration":
      return { kind: "range", of: "duration", bounds: readDuration(value) };
    case "before":
      return { kind: "range", of: "received", bounds: { from: null, to: readTime(value, now) - 1 } };
    case "after":
      return { kind: "range", of: "received", bounds: { from: readTime(value, now), to: null } };
    case "word":
      if (!isToken(value)) throw new RangeError("word: is followed by one word of letters, digits and _");
      return { kind: "word", word: value };
    case "access":
      return { kind: "field", field, value: knownValue(value, accessClasses) };
    case "decision":
      return { kind: "field", field, value: knownValue(value, decisions) };
    case "operation":
    case "rule":
    case "repo":
    case "pr":
    case "run":
    case "actor":
    case "session":
    case "connection":
      return { kind: "field", field, value: unordered(field, value).toLowerCase() };
    default:
      return field satisfies never;
  }
};

/** What looks like a range would be taken for a name that nothing has, and find nothing without a word. */
const unordered = (field: Field, value: string): string => {
  if (!/^[<>]|^\d+\.\.\d+$/.test(value)) return value;
  throw new RangeError(`${field}: has no order; status: and duration: take >=400 and 400..499`);
};

const knownValue = (value: string, known: readonly string[]): string => {
  const small = value.toLowerCase();
  if (!known.includes(small)) throw new RangeError(`${quote(value)} is none of its values${suggest(value, known)}`);
  return small;
};
