/** By what a request is found: digests of its value as it is, without its times, and of nothing but its structure. */

import { createHash } from "node:crypto";
import { isTime } from "./times.ts";

/** `exact`: equal values. `steady`: the same, but for times. `shape`: the same keys and types. */
export const likenesses = ["exact", "steady", "shape"] as const;
export type Likeness = (typeof likenesses)[number];

/** Members and items that are left open: what masks took out of what was recorded. */
export type Blanks = ReadonlyMap<unknown, ReadonlySet<string | number>>;
const none: Blanks = new Map();

export const keyOf = (likeness: Likeness, value: unknown, blanks: Blanks = none): string =>
  createHash("sha256")
    .update(write(value, { likeness, blanks, name: "" }))
    .digest("base64url");

type Writing = { readonly likeness: Likeness; readonly blanks: Blanks; readonly name: string };

/** One text for all spellings of one value. How deep it goes is bounded by `readJson`. */
const write = (value: unknown, writing: Writing): string => {
  if (value instanceof Map) return writeObject(value as ReadonlyMap<string, unknown>, writing);
  if (Array.isArray(value)) return writeList(value, writing);
  return writeScalar(value, writing);
};

const writeObject = (value: ReadonlyMap<string, unknown>, writing: Writing): string => {
  const open = writing.blanks.get(value);
  const members = [...value].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const written = members.map(
    ([name, member]) =>
      `${JSON.stringify(name)}:${open?.has(name) ? blank(writing) : write(member, { ...writing, name })}`,
  );
  return `{${written.join(",")}}`;
};

/** However long: a list has the shapes of its items, and an empty one has none. */
const writeList = (value: readonly unknown[], writing: Writing): string => {
  const open = writing.blanks.get(value);
  const items = value.map((item, at) => (open?.has(at) ? blank(writing) : write(item, writing)));
  return `[${(writing.likeness === "shape" ? [...new Set(items)].toSorted() : items).join(",")}]`;
};

/** No JSON is written so. Only texts are masked. */
const blank = ({ likeness }: Writing): string => (likeness === "shape" ? typeOf("") : "?");

/** Of what is neither object nor list. `name`: of the member it belongs to. */
export const writeScalar = (value: unknown, { likeness, name }: Pick<Writing, "likeness" | "name">): string => {
  if (likeness === "shape") return typeOf(value);
  if (likeness === "steady" && isTime(name, value)) return typeof value === "string" ? "text time" : "time";
  // 1, 1.0 and 1e0 are one number, and -0 is none of its own.
  if (typeof value === "number") return String(value === 0 ? 0 : value);
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
};

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  return typeof value === "bigint" ? "number" : typeof value;
};
