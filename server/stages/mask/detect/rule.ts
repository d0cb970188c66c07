/** What a detector's rule is: a linear-time pattern, a cheap sign that a text may match it, and a validator for what looks alike. */

import type { Kind } from "./kinds.ts";

/**
 * The cheap sign, told from one look at each byte (see gate.ts). A rule may only name a sign that every match of its pattern has.
 * `run`: 16 letters, digits, hyphens and underscores in a row; `at`: an @; `assigned`: a `=` or `:` behind a name of secrets; `digits`: 9
 * digits with nothing but separators between; `dotted`: two dots; `colons`: two colons; `tilde`: a ~; `any`: no sign, every text.
 */
export type Sign = "run" | "at" | "assigned" | "digits" | "dotted" | "colons" | "tilde" | "any";

/** `text` around the match, for validators that look beside it. */
export type Sighting = { readonly value: string; readonly text: string; readonly start: number; readonly end: number };

export type Rule = {
  readonly kind: Kind;
  /** RE2 syntax. Group 1, where there is one, is what is masked; else the whole match. */
  readonly pattern: string;
  readonly sign: Sign;
  /** Whether what matched is one. Left out: the pattern says enough. */
  readonly check?: (found: Sighting) => boolean;
  /** What is refused may hide one that begins inside of it: a number before a card's. */
  readonly overlapping?: true;
  /** Where the value really ends, for kinds that are longer than a pattern should be. */
  readonly extend?: (text: string, end: number) => number;
  /** What it takes for one and what it misses: for the people who tune it. */
  readonly note: string;
};
