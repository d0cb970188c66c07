/** HTML by template: every value is escaped unless it is HTML already. */

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = string | number | Html | null | readonly Piece[];

export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(strings.reduce((all, part, i) => `${all}${render(pieces[i - 1] ?? null)}${part}`));
}

function render(piece: Piece): string {
  if (piece === null) return "";
  if (piece instanceof Html) return piece.text;
  if (typeof piece === "object") return piece.map(render).join("");
  return escape(String(piece));
}

const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * Control, format (bidi, zero-width), private, unassigned and lone surrogate code points, odd spaces, and letters that are drawn as
 * nothing: what is not seen, or turns the writing around, is shown as its number.
 */
const unseen =
  /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u2800]|\u034f|[\ufe00-\ufe0e]/gu;

const escape = (text: string): string =>
  text
    .replace(/[&<>"']/g, (c) => named[c] ?? c)
    .replace(unseen, (c) => (/[\t\n\r]/.test(c) ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`));
