/** What was found in a body: where, what, and how it is written there. */

import { type Detector, isFull, mostFindings } from "./detect/detector.ts";
import type { Fields } from "./json/fields.ts";
import type { Step } from "./place/place.ts";

/** How a text is written inside what holds it, the innermost first: what goes back in must be written so too. */
export type Layer = "json" | "form";

/** A string, or part of one, that is masked. Offsets are of the decoded body's bytes. */
export type Finding = {
  readonly start: number;
  readonly end: number;
  /** What stands there, decoded. */
  readonly text: string;
  readonly kind: string;
  readonly sides: number;
  readonly path: readonly Step[];
  readonly layers: readonly Layer[];
};

/** A value that is no string, at a place where a mask wants one; `rule`: the mask's path, as written. */
export type Clash = { readonly start: number; readonly end: number; readonly sides: number; readonly rule: string };

/**
 * A part that travels in a coding of its own, as a compressed file in a form does. Its offsets are of `bytes`. `outside`: what was found in
 * the fields of the coding itself, as a comment; packed anew it has none.
 */
export type Embedded = {
  readonly start: number;
  readonly end: number;
  readonly coding: "gzip" | "zstd";
  readonly bytes: Buffer;
  readonly found: Found;
  readonly outside: readonly Finding[];
};

export type Found = { readonly findings: Finding[]; readonly clashes: Clash[]; readonly embedded: Embedded[] };

/** Also within what is embedded. */
export const holdsTooMuch = ({ findings, embedded }: Found): boolean =>
  isFull(findings) || embedded.some(({ found }) => holdsTooMuch(found));

export const tooMuchSays = `it holds more than ${mostFindings} values that are to be masked`;

export const nothingFound = (): Found => ({ findings: [], clashes: [], embedded: [] });

/** What to look for. `names`: sides on which fields named like secrets are masked. `decodes`: also behind percent-encoding and in base64. */
export type Search = {
  readonly detector: Detector;
  readonly fields: Fields;
  readonly names: number;
  readonly decodes: boolean;
};

/** A key's own text stands at this step below its object: no member has a number for a name. */
export const keyStep = -1;

/** How many texts inside texts are opened: JSON in a string in base64 in a form. */
export const deepestNesting = 4;

/** What is masked on one side, in order; of what lies inside something else that is masked, nothing. */
export const maskedOn = (
  side: number,
  { findings, clashes, embedded }: Found,
): { readonly findings: Finding[]; readonly clashes: Clash[]; readonly embedded: Embedded[] } => {
  const ranges = [
    ...[...clashes, ...findings].filter(({ sides }) => (sides & side) !== 0),
    // Behind the others: of two that are equally long the one that is masked as a whole comes first.
    ...embedded,
  ];
  ranges.sort((a, b) => a.start - b.start || b.end - a.end);
  let end = -1;
  const outer = ranges.filter((range) => {
    if (range.start < end) return false;
    end = range.end;
    return true;
  });
  return {
    findings: outer.filter((range) => "text" in range),
    clashes: outer.filter((range) => "rule" in range),
    embedded: outer.filter((range) => "coding" in range),
  };
};
