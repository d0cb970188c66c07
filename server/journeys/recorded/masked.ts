/** Tokens of masks in a recorded request: each stands for any value of its kind at its place. */

import { findTokens, mayHoldToken } from "../../stages/mask/token/text.ts";
import type { Blanks } from "./keys.ts";

/** A text with tokens: what is between them has to be there, in this order. */
export type Pattern = { readonly literals: readonly string[]; readonly kinds: readonly string[] };

type Step = string | number;
export type MaskedPlace = { readonly path: readonly Step[]; readonly pattern: Pattern };

const anyKind = /^[a-z0-9-]{1,32}$/;

/** Null for a text without any. */
export const patternOf = (text: string): Pattern | null => {
  if (!mayHoldToken(text)) return null;
  const tokens = findTokens(text, (kind) => anyKind.test(kind));
  if (tokens.length === 0) return null;
  const literals: string[] = [];
  let at = 0;
  for (const { start, end } of tokens) {
    literals.push(text.slice(at, start));
    at = end;
  }
  return { literals: [...literals, text.slice(at)], kinds: tokens.map(({ kind }) => kind) };
};

/** The shortest run that fits stands for a token, and none stands for nothing. */
export const fits = ({ literals, kinds }: Pattern, text: unknown): boolean => {
  if (typeof text !== "string") return false;
  const [first = "", ...following] = literals;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [index, literal] of following.entries()) {
    const isLast = index === following.length - 1;
    const end = isLast ? text.length - literal.length : text.indexOf(literal, at + 1);
    if (end <= at || !text.startsWith(literal, end)) return false;
    if (!isOfKind(kinds[index] ?? "", text.slice(at, end))) return false;
    at = end + literal.length;
  }
  return true;
};

/** Where a token keeps the look of what it stands for, so does the value. */
const isOfKind = (kind: string, value: string): boolean => {
  switch (kind) {
    case "email":
      return /^[^@\s]+@[^@\s]+$/.test(value);
    case "url":
      return /^https?:\/\//i.test(value);
    default:
      return true;
  }
};

/** Every text with tokens in a recorded value, in order. */
export const maskedPlaces = (value: unknown, path: readonly Step[] = []): readonly MaskedPlace[] => {
  if (typeof value === "string") {
    const pattern = patternOf(value);
    return pattern === null ? [] : [{ path, pattern }];
  }
  if (Array.isArray(value)) return value.flatMap((item, at) => maskedPlaces(item, [...path, at]));
  if (!(value instanceof Map)) return [];
  return [...(value as ReadonlyMap<string, unknown>)].flatMap(([name, item]) => maskedPlaces(item, [...path, name]));
};

/** The places of `paths` in this value; null where one of them is not there. */
export const blanksAt = (value: unknown, paths: readonly (readonly Step[])[]): Blanks | null => {
  const blanks = new Map<unknown, Set<Step>>();
  for (const path of paths) {
    const holder = path.slice(0, -1).reduce(memberOf, value);
    const last = path.at(-1) ?? "";
    if (memberOf(holder, last) === undefined) return null;
    blanks.set(holder, (blanks.get(holder) ?? new Set()).add(last));
  }
  return blanks;
};

export const allFit = (places: readonly MaskedPlace[], value: unknown): boolean =>
  places.every(({ path, pattern }) => fits(pattern, path.reduce(memberOf, value)));

const memberOf = (value: unknown, step: Step): unknown => {
  if (value instanceof Map) return (value as ReadonlyMap<string, unknown>).get(String(step));
  return Array.isArray(value) && typeof step === "number" ? (value as readonly unknown[])[step] : undefined;
};
