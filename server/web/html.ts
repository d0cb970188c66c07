/** HTML by template: every value is escaped unless it is HTML already. */

import { numberOf, unseen } from "./unseen.ts";

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

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => named[c] ?? c).replace(unseen, (c) => (/[\t\n\r]/.test(c) ? c : numberOf(c)));
