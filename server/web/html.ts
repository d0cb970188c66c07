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

/** Markup is escaped, and characters that reorder or hide text (bidi, controls) are shown as what they are. */
const escape = (text: string): string =>
  text
    .replace(/[&<>"']/g, (c) => named[c] ?? c)
    // oxlint-disable-next-line no-control-regex -- controls are exactly what must not get through
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
      (c) => `\\u{${c.charCodeAt(0).toString(16)}}`,
    );
