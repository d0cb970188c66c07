/** Characters that hide or deceive, and how they are shown instead: on pages that the server writes, and on those that scripts draw. */

/**
 * Control, format (bidi, zero-width), private, unassigned and lone surrogate code points, odd spaces, and letters that are drawn as
 * nothing: what is not seen, or turns the writing around, is shown as its number.
 */
export const unseen =
  /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u2800]|\u034f|[\ufe00-\ufe0e]/gu;

/** `\u{202e}` */
export const numberOf = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;
