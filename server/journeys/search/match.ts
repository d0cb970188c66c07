/** Whether a call is what a search asks for, looked at exactly: the index only says where to look. And what the index is asked. */

import { fold, isOfWord } from "../../model/fold.ts";
import {
  durationOf,
  highestMagnitude,
  magnitudeOf,
  type Piece,
  receiptPieces,
  type SearchedTexts,
  valuesOf,
} from "../../model/searched.ts";
import type { Wanted } from "../../store/search/narrow.ts";
import type { Query } from "./language.ts";
import type { Bounds } from "./ranges.ts";

export type FoldedPiece = Piece & { readonly folded: string };

/** A call, and its texts ready to be compared: each is prepared once, when it is needed. */
export class Looked {
  readonly searched: SearchedTexts;
  #pieces: readonly FoldedPiece[] | null = null;

  constructor(searched: SearchedTexts) {
    this.searched = searched;
  }

  get pieces(): readonly FoldedPiece[] {
    this.#pieces ??= piecesOf(this.searched).map((piece) => ({ ...piece, folded: fold(piece.text) }));
    return this.#pieces;
  }
}

const piecesOf = (searched: SearchedTexts): Piece[] => {
  const { request, response } = searched;
  return [
    ...receiptPieces(searched),
    ...(request === null ? [] : [{ where: "request", text: request } as const]),
    ...(response === null ? [] : [{ where: "response", text: response } as const]),
  ];
};

export const matches = (query: Query, looked: Looked): boolean => {
  switch (query.kind) {
    case "all":
      return query.of.every((part) => matches(part, looked));
    case "any":
      return query.of.some((part) => matches(part, looked));
    case "not":
      return !matches(query.of, looked);
    case "text":
      return looked.pieces.some(({ folded }) => folded.includes(fold(query.text)));
    case "word":
      return looked.pieces.some(({ folded }) => indexOfWord(folded, fold(query.word), 0) !== -1);
    case "field":
      return valuesOf(query.field, looked.searched).some((value) => isLike(value, query.value));
    case "range":
      return isWithin(numberOf(query.of, looked), query.bounds);
    default:
      return query satisfies never;
  }
};

export const indexOfWord = (folded: string, word: string, from: number): number => {
  for (let at = folded.indexOf(word, from); at !== -1; ) {
    let end = at + word.length;
    if (!isOfWordAt(folded, at - 1) && !isOfWordAt(folded, end)) return at;
    // A part of a longer one, in which no other begins: looked at once, however often it repeats itself.
    while (isOfWordAt(folded, end)) end += 1;
    at = folded.indexOf(word, end);
  }
  return -1;
};

const isOfWordAt = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at);
  return !Number.isNaN(unit) && isOfWord(unit);
};

/** Piece by piece, never going back over what was passed: no pattern makes it slow. */
const isLike = (value: string, pattern: string): boolean => {
  const [beginning = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return value === pattern;
  if (!value.startsWith(beginning)) return false;
  let at = beginning.length;
  for (const piece of rest) {
    const found = value.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return value.length - end.length >= at && value.endsWith(end);
};

const numberOf = (of: "status" | "duration" | "received", { searched: { call } }: Looked): number | null => {
  switch (of) {
    case "status":
      return call.status;
    case "duration":
      return durationOf(call);
    case "received":
      return call.received_at.getTime();
    default:
      return of satisfies never;
  }
};

const isWithin = (number: number | null, { from, to }: Bounds): boolean =>
  number !== null && (from === null || number >= from) && (to === null || number <= to);

/** What every call has that a search finds. */
export const wantedOf = (query: Query): Wanted => {
  switch (query.kind) {
    case "all":
      return { all: query.of.map(wantedOf) };
    case "any":
      return { any: query.of.map(wantedOf) };
    case "not":
      return "anything";
    case "text":
      return { text: query.text };
    case "word":
      return { word: query.word };
    case "field":
      return wantedField(query);
    case "range":
      return wantedRange(query.of, query.bounds);
    default:
      return query satisfies never;
  }
};

const wantedField = ({ field, value }: Query & { kind: "field" }): Wanted => {
  if (!value.includes("*")) return { tag: `${field}:${value}` };
  // Of the fields only operations stand in the texts of the index.
  return field === "operation"
    ? { all: value.split("*").map((piece) => (piece === "" ? "anything" : { text: piece })) }
    : "anything";
};

/** More are asked for by the hundred. */
const mostStatuses = 10;
const lowestStatus = 1;
const highestStatus = 9;
/** So many tags are asked for at most; what is slower than that is looked at call by call. */
const mostTags = 40;

const wantedRange = (of: "status" | "duration" | "received", { from, to }: Bounds): Wanted => {
  switch (of) {
    case "status":
      if (from !== null && to !== null && to - from < mostStatuses)
        return tags(from, to, (status) => `status:${status}`);
      return tags(hundreds(from, lowestStatus), hundreds(to, highestStatus), (hundred) => `status:${hundred}xx`);
    case "duration":
      return {
        all: [
          from === null ? "anything" : { tag: `slower:${magnitude(from)}` },
          to === null ? "anything" : upTo(magnitude(to)),
        ],
      };
    case "received":
      return "anything";
    default:
      return of satisfies never;
  }
};

const magnitude = (milliseconds: number): number => Math.min(highestMagnitude, magnitudeOf(Math.max(0, milliseconds)));

const upTo = (highest: number): Wanted =>
  highest < mostTags ? tags(0, highest, (number) => `magnitude:${number}`) : "anything";

const hundreds = (status: number | null, otherwise: number): number =>
  status === null ? otherwise : Math.floor(status / 100);

const tags = (from: number, to: number, name: (number: number) => string): Wanted => ({
  any: Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({ tag: name(from + i) })),
});

/** Between which times all that is found was received, as far as the whole search says so. */
export const timesOf = (query: Query): { readonly since: Date | null; readonly until: Date | null } => {
  const parts = query.kind === "all" ? query.of : [query];
  const bounds = parts.flatMap((part) => (part.kind === "range" && part.of === "received" ? [part.bounds] : []));
  const from = bounds.flatMap(({ from }) => (from === null ? [] : [from]));
  const to = bounds.flatMap(({ to }) => (to === null ? [] : [to]));
  return {
    since: from.length === 0 ? null : new Date(Math.max(...from)),
    until: to.length === 0 ? null : new Date(Math.min(...to) + 1),
  };
};

/** Whether any text decides: bodies are read only then. */
export const looksAtTexts = (query: Query): boolean => {
  switch (query.kind) {
    case "all":
    case "any":
      return query.of.some(looksAtTexts);
    case "not":
      return looksAtTexts(query.of);
    case "text":
    case "word":
      return true;
    case "field":
    case "range":
      return false;
    default:
      return query satisfies never;
  }
};
