/** JSON in which everything is seen: read in a terminal it moves nothing and turns no writing around, and it says the same. */

/** Control characters of every kind, what turns writing around, what is invisible, and ends of lines that are none in a file. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Of all these JSON itself escapes only some; they stand in strings alone. */
export const plainJson = (value: object): string => JSON.stringify(value).replaceAll(unseen, escaped);

/** The same over several lines, for people. */
export const plainJsonLines = (value: object): string =>
  JSON.stringify(value, null, 2).replaceAll(unseen, (odd) => (odd === "\n" ? odd : escaped(odd)));

/** Unit by unit, as JSON does (RFC 8259 §7). */
const escaped = (odd: string): string =>
  Array.from({ length: odd.length }, (_, i) => `\\u${odd.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
