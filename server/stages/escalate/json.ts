/** JSON written for people and for comparing: from values as `readJson` makes them, so that no number loses a digit. */

import { readJson, UnreadableJson } from "../../model/json.ts";

/** Null for what is not JSON, or JSON that two readers could understand differently: it is shown as it is. */
export function parsed(text: string): { readonly value: unknown } | null {
  try {
    return { value: readJson(text) };
  } catch (error) {
    if (error instanceof UnreadableJson) return null;
    throw error;
  }
}

/** Indented by two spaces, members in their own order. */
export const jsonText = (value: unknown): string => jsonLines(value).join("\n");

/** One text for all spellings of one value: members sorted, no spaces, numbers by their value. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!(value instanceof Map)) return scalar(value);
  const members = [...(value as ReadonlyMap<string, unknown>)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(",")}}`;
}

/** Strings, numbers, true, false and null. */
export const scalar = (value: unknown): string => (typeof value === "bigint" ? String(value) : JSON.stringify(value));

/** `replaced` may show something else in the place of a member. */
export function jsonLines(value: unknown, replaced: (name: string, value: unknown) => unknown = keep): string[] {
  const lines: string[] = [];
  write(value, { lines, replaced, before: "", indent: "", after: "" });
  return lines;
}

const keep = (_name: string, value: unknown): unknown => value;

type Place = {
  readonly lines: string[];
  readonly replaced: (name: string, value: unknown) => unknown;
  readonly before: string;
  readonly indent: string;
  readonly after: string;
};

/** Depth is bounded by `readJson`. */
function write(value: unknown, place: Place): void {
  const { lines, replaced, before, indent, after } = place;
  const isMap = value instanceof Map;
  if (!isMap && !Array.isArray(value)) return void lines.push(`${indent}${before}${scalar(value)}${after}`);
  const members: readonly (readonly [string | null, unknown])[] = isMap
    ? [...(value as ReadonlyMap<string, unknown>)]
    : value.map((item: unknown) => [null, item] as const);
  const [open, close] = isMap ? "{}" : "[]";
  if (members.length === 0) return void lines.push(`${indent}${before}${open}${close}${after}`);
  lines.push(`${indent}${before}${open}`);
  for (const [index, [name, member]] of members.entries())
    write(name === null ? member : replaced(name, member), {
      ...place,
      before: name === null ? "" : `${JSON.stringify(name)}: `,
      indent: `${indent}  `,
      after: index === members.length - 1 ? "" : ",",
    });
  lines.push(`${indent}${close}${after}`);
}
