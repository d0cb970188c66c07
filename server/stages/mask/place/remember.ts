/** The destinations of a resource as its reader sees them, so that what was read and what is written back can be compared. */

import { decodeText } from "../json/text.ts";
import type { DestinationField } from "./destination.ts";
import { mentionsIn } from "./destination.ts";
import type { Destination } from "./place.ts";

/** A masked range of a body: bytes, and under which kind. */
export type MaskedRange = { readonly start: number; readonly end: number; readonly kind: string };

/**
 * `masked`: in order, of the whole body; `base`: where the resource begins in it. What is masked counts by its kind and its order only: the
 * tokens themselves prove what they stand for. Null for a text that mentions nobody.
 */
export const writtenAs = (
  bytes: Buffer,
  field: DestinationField & { readonly base: number },
  masked: readonly MaskedRange[],
): Destination | null => {
  const { path, flags, mentions, base } = field;
  const written: string[] = [];
  let from = base + field.start;
  for (let i = firstFrom(masked, from); i < masked.length; i++) {
    const { start, end, kind } = masked[i] ?? { start: base + field.end, end: 0, kind: "" };
    if (start >= base + field.end) break;
    written.push(decodeText({ bytes, start: from, end: start, flags }) ?? "", kind);
    from = end;
  }
  written.push(decodeText({ bytes, start: from, end: base + field.end, flags }) ?? "");
  if (!mentions) return { path, written };
  const mentioned = mentionsIn(written.map((text, i) => (i % 2 === 0 ? text : `\0${text}\0`)).join(""));
  return mentioned.length === 0 ? null : { path, written: mentioned };
};

/** Index of the first of `ranges`, which are in order, that begins at or behind `at`. */
export const firstFrom = (ranges: readonly { readonly start: number }[], at: number): number => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.start ?? at) < at) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The field that holds a byte, and which of the masked ranges in it begins there. Null in no field, or where their order means nothing. */
export const standingIn = (
  fields: readonly DestinationField[],
  base: number,
  { start, masked }: { readonly start: number; readonly masked: readonly { readonly start: number }[] },
): number | null => {
  const field = fields[firstFrom(fields, start - base + 1) - 1];
  if (field === undefined || field.mentions || start >= base + field.end) return null;
  return firstFrom(masked, start) - firstFrom(masked, base + field.start);
};
