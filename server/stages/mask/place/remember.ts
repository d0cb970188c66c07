/** The destinations of a resource as its reader sees them, so that what was read and what is written back can be compared. */

import { deepestNesting } from "../findings.ts";
import { decodeText } from "../json/text.ts";
import { addressesIn, leadsIn, leadsWith, templatesIn } from "./addresses.ts";
import { type DestinationField, destinationsOf, isShown, type MaskedRange } from "./destination.ts";
import type { Destination, Step } from "./place.ts";

/** A range of a body, one resource or more, and what is masked in the whole body, in order. */
export type Scope = { readonly bytes: Buffer; readonly base: number; readonly masked: readonly MaskedRange[] };

/** `family`: of the resource in the scope. */
export const fieldsIn = ({ bytes, base, masked }: Scope, family: string): DestinationField[] =>
  destinationsOf(bytes, {
    isShown: isShown(family),
    masked: (start, end) => {
      const found = masked[firstFrom(masked, base + start)];
      return found === undefined || found.start >= base + end
        ? null
        : { start: found.start - base, end: found.end - base, kind: found.kind };
    },
  });

/** `present`: what counts, first those that decide by being there; `deciding`: how many those are. */
export type Destinations = { readonly present: readonly Destination[]; readonly deciding: number };

/** `understand`: a path as its reader means it. */
export const writtenIn = (
  scope: Scope,
  fields: readonly DestinationField[],
  understand: (path: readonly Step[]) => readonly Step[] = (path) => path,
): Destinations => {
  const deciding: Destination[] = [];
  const others: Destination[] = [];
  for (const field of fields) {
    const written = writtenAs(scope, field);
    if (written !== null) (field.decides ? deciding : others).push({ path: understand(field.path), written });
  }
  return { present: [...deciding, ...others], deciding: deciding.length };
};

/**
 * What is masked counts by its kind and its order only: the tokens themselves prove what they stand for. Null for a text in which nothing
 * decides.
 */
const writtenAs = (scope: Scope, field: DestinationField): readonly string[] | null => {
  const parts = partsOf(scope, field);
  return field.reading === "whole" ? parts : orNull(saysIn(seen(parts), field.reading, 0));
};

/** What of a text decides, as `Reading` has it; `depth`: how many documents it lies in. */
const saysIn = (text: string, reading: DestinationField["reading"], depth: number): readonly string[] => {
  switch (reading) {
    case "whole":
      return [text];
    case "text":
      return nestedIn(text, depth) ?? wordsIn(text);
    case "shown":
      return nestedIn(text, depth) ?? (severalWords.test(text) ? addressesIn(text) : wordsIn(text));
    case "mentions":
      return sequenceIn(text);
    case "around":
    case "nested":
      return nestedIn(text, depth) ?? (text.includes(hidden) ? leadsIn(text, hidden) : []);
    case "templated":
      return templatesIn(text);
    default:
      return reading satisfies never;
  }
};

/** What is no longer than a name may be one: of a channel, a team, a host. Other texts, and those in which a value stands, lead where their addresses do. */
const wordsIn = (text: string): readonly string[] => {
  if (text.trim() === "") return [];
  if (!severalWords.test(text)) return [text];
  if (text.includes(hidden)) return addressesIn(text);
  // A name may not become a longer text unseen.
  return text.length <= longestName ? [text] : ["", ...addressesIn(text)];
};

const severalWords = /\S\s+\S/;

/** UTF-16 units. The longest names of channels, teams and groups that Datadog sends to have 80. */
const longestName = 120;

/**
 * Whom a message goes to, under which condition, and where in that order a masked value stands: the words between may change. What takes a
 * condition back counts as one: a comment around it (`{{!-- … --}}`), a backslash.
 */
const sequenceIn = (text: string): string[] => {
  const sequence =
    text.match(/\\?\{\{[~\s]*(?:[#^/!]|else\b)(?:[^{}]*\}\})?|@[^\s\u00a0]+|\u007f[^\u007f]*\u007f/g) ?? [];
  const leads = leadsWith(text, hidden);
  return sequence.every((part) => part.startsWith(hidden)) ? leads : [...sequence, ...leads];
};

const orNull = (written: readonly string[]): readonly string[] | null => (written.length === 0 ? null : written);

/** By turns a text as it stands and the kind of what is masked behind it. */
const partsOf = ({ bytes, base, masked }: Scope, field: DestinationField): readonly string[] => {
  const { start, end, flags } = field;
  const text = (from: number, to: number): string => decodeText({ bytes, start: from, end: to, flags }) ?? "";
  const parts: string[] = [];
  let from = start;
  for (let i = firstFrom(masked, base + start); i < masked.length; i++) {
    const range = masked[i];
    if (range === undefined || range.start >= base + end) break;
    parts.push(text(from, range.start - base), range.kind);
    from = range.end - base;
  }
  parts.push(text(from, end));
  return parts;
};

/** In place of what is masked; JSON may hold it as it is. */
const hidden = "\u007f";

const seen = (parts: readonly string[]): string =>
  parts.map((text, i) => (i % 2 === 0 ? text : `${hidden}${text}${hidden}`)).join("");

/** The destinations of a text that is a document of its own, each with its path. Null where it is none, or has none. */
const nestedIn = (text: string, depth: number): readonly string[] | null => {
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[") return null;
  // Nobody looks deeper, and so all of it counts.
  if (depth >= deepestNesting) return [text];
  const scope: Scope = { bytes: Buffer.from(text), base: 0, masked: [] };
  const masked = (start: number, end: number): MaskedRange | null => hiddenIn(scope.bytes, { start, end });
  const fields = destinationsOf(scope.bytes, { isShown: false, masked });
  return orNull(
    fields.flatMap((field) => {
      const says = partsOf(scope, field).join("");
      const written = saysIn(says, field.reading, depth + 1);
      return written.length === 0 ? [] : [JSON.stringify(field.path), String(written.length), ...written];
    }),
  );
};

/** The first masked value in a range of a text as `seen` writes it. */
const hiddenIn = (
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): MaskedRange | null => {
  const at = bytes.subarray(start, end).indexOf(hidden);
  const length = at === -1 ? -1 : bytes.subarray(start + at + 1, end).indexOf(hidden);
  if (length === -1) return null;
  const from = start + at;
  return { start: from, end: from + length + 2, kind: bytes.toString("latin1", from + 1, from + 1 + length) };
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
  if (field === undefined || field.reading !== "whole" || start >= base + field.end) return null;
  return firstFrom(masked, start) - firstFrom(masked, base + field.start);
};
