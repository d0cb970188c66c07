/** The places of a call at which a search found something, cut out for people: nothing in them moves a terminal, and no token of a mask is cut in two. */

import { fold } from "../../model/fold.ts";
import type { Where } from "../../model/searched.ts";
import type { Query } from "./language.ts";
import { type FoldedPiece, indexOfWord, type Looked } from "./match.ts";

/** `marks` are from and to, in the units of `text`. */
export type Excerpt = {
  readonly where: Where;
  readonly text: string;
  readonly marks: readonly (readonly [number, number])[];
};

const mostExcerpts = 3;
/** Characters around what was found. */
const before = 40;
const after = 100;
const longestMark = 200;
const mostMarks = 20;

type Sought = { readonly text: string; readonly whole: boolean };
type Span = readonly [from: number, to: number];

export const excerptsOf = (query: Query, { pieces }: Looked): Excerpt[] => {
  const sought = soughtIn(query);
  const found: Excerpt[] = [];
  for (const piece of pieces) {
    if (found.length === mostExcerpts) break;
    const first = firstOf(piece, sought);
    if (first !== null) found.push(cut(piece, first, sought));
  }
  return found;
};

/** What must be there; of what must not, nothing can be shown. */
const soughtIn = (query: Query): Sought[] => {
  switch (query.kind) {
    case "all":
    case "any":
      return query.of.flatMap(soughtIn);
    case "text":
      return [{ text: fold(query.text), whole: false }];
    case "word":
      return [{ text: fold(query.word), whole: true }];
    case "not":
    case "field":
    case "range":
      return [];
    default:
      return query satisfies never;
  }
};

const next = (folded: string, { text, whole }: Sought, from: number): number =>
  whole ? indexOfWord(folded, text, from) : folded.indexOf(text, from);

const firstOf = ({ folded }: FoldedPiece, sought: readonly Sought[]): Span | null => {
  const found = sought.flatMap((one): Span[] => {
    const at = next(folded, one, 0);
    return at === -1 ? [] : [[at, at + one.text.length]];
  });
  return found.toSorted(([a], [b]) => a - b)[0] ?? null;
};

/** As masks write them, in either form. */
const maskToken = /dwm_[a-z0-9-]{1,32}_[A-Za-z0-9_-]+(?:@masked\.invalid)?/g;
/** No token is longer: what is looked at around a cut. */
const longestToken = 8_192;

const cut = ({ where, text, folded }: FoldedPiece, [first, end]: Span, sought: readonly Sought[]): Excerpt => {
  const shown = Math.min(end, first + longestMark);
  const from = edge(text, Math.max(0, first - before), { towards: first, side: "start" });
  const to = edge(text, Math.min(text.length, shown + after), { towards: shown, side: "end" });
  const marks = marksIn(folded, [from, to], sought);
  const lead = from > 0 ? "…" : "";
  const shift = lead.length - from;
  return {
    where,
    text: `${lead}${harmless(text.slice(from, to))}${to < text.length ? "…" : ""}`,
    marks: marks.map(([a, b]) => [a + shift, b + shift] as const),
  };
};

/** A cut that falls into a token moves out of it: towards what was found if that is outside, away from it otherwise. */
const edge = (
  text: string,
  at: number,
  { towards, side }: { readonly towards: number; readonly side: "start" | "end" },
): number => {
  const base = Math.max(0, at - longestToken);
  for (const token of text.slice(base, at + longestToken).matchAll(maskToken)) {
    const [start, end] = [base + token.index, base + token.index + token[0].length];
    if (start >= at || end <= at) continue;
    if (side === "start") return end <= towards ? end : start;
    return start >= towards ? start : end;
  }
  // Nor is a character that takes two units.
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 0 ? at - 1 : at;
};

const marksIn = (folded: string, [from, to]: Span, sought: readonly Sought[]): Span[] => {
  const spans = sought.flatMap((one) => {
    const found: Span[] = [];
    for (
      let at = next(folded, one, from);
      at !== -1 && at < to && found.length < mostMarks;
      at = next(folded, one, at + one.text.length)
    )
      found.push([at, Math.min(to, at + one.text.length)]);
    return found;
  });
  const merged: [number, number][] = [];
  for (const [a, b] of spans.toSorted(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last !== undefined && a <= last[1]) last[1] = Math.max(last[1], b);
    else merged.push([a, b]);
  }
  return merged.slice(0, mostMarks);
};

/** Unit for unit, so that marks stay where they are. */
const harmless = (text: string): string =>
  text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (odd) => (/[\t\n\r]/.test(odd) ? " " : "\uFFFD".repeat(odd.length)));
