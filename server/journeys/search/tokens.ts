/** A search as the words and signs it is made of, each with the column in which it begins. */

import { isOfWord } from "../../model/fold.ts";

/** Counted from 1. */
export type QueryProblem = { readonly column: number; readonly message: string };

export type Token =
  | { readonly kind: "or" | "open" | "close" | "not"; readonly column: number }
  | { readonly kind: "text"; readonly column: number; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: "field";
      readonly column: number;
      readonly field: string;
      readonly value: string;
      readonly valueColumn: number;
    };

/** One word: letters, digits and `_`. */
export const isToken = (text: string): boolean =>
  text !== "" && Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).every(isOfWord);

const space = /\s/;
const control = /[\x00-\x08\x0e-\x1f\x7f]/;

export const readTokens = (typed: string): Token[] | QueryProblem => {
  const odd = control.exec(typed);
  if (odd !== null) return { column: odd.index + 1, message: "there is a control character here" };
  const tokens: Token[] = [];
  for (let at = 0; at < typed.length; ) {
    const read = space.test(typed[at] ?? "") ? at + 1 : readToken(typed, at, tokens);
    if (typeof read !== "number") return read;
    at = read;
  }
  return tokens;
};

const signs: Readonly<Record<string, "open" | "close" | "not">> = { "(": "open", ")": "close", "-": "not" };

/** Where the next one begins. */
const readToken = (typed: string, at: number, tokens: Token[]): number | QueryProblem => {
  const column = at + 1;
  const sign = signs[typed[at] ?? ""];
  if (sign !== undefined) {
    tokens.push({ kind: sign, column });
    return at + 1;
  }
  const name = /^[A-Za-z_]+(?=:)/.exec(typed.slice(at, at + 100))?.[0];
  const start = name === undefined ? at : at + name.length + 1;
  const read = typed[start] === '"' ? readQuoted(typed, start) : readBare(typed, start);
  if ("column" in read) return read;
  const { text, end, quoted } = read;
  if (name !== undefined) tokens.push({ kind: "field", column, field: name, value: text, valueColumn: start + 1 });
  else if (!quoted && text === "OR") tokens.push({ kind: "or", column });
  else if (quoted || text !== "AND") tokens.push({ kind: "text", column, text, quoted });
  return end;
};

type Read = { readonly text: string; readonly end: number; readonly quoted: boolean };

const readBare = (typed: string, start: number): Read => {
  let end = start;
  while (end < typed.length && !/[\s()"]/.test(typed[end] ?? "")) end += 1;
  return { text: typed.slice(start, end), end, quoted: false };
};

/** `\"` and `\\` stand for a quote and a backslash. */
const readQuoted = (typed: string, start: number): Read | QueryProblem => {
  let text = "";
  for (let at = start + 1; at < typed.length; at++) {
    const character = typed[at] ?? "";
    if (character === '"') return { text, end: at + 1, quoted: true };
    const next = typed[at + 1];
    if (character === "\\" && (next === '"' || next === "\\")) {
      text += next;
      at += 1;
    } else text += character;
  }
  return { column: start + 1, message: "these quotes are never closed" };
};
