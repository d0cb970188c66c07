/** Cuts recorded text into what is shown as it is, what would not be seen or would deceive, and what masks left. */

import { numberOf, unseen } from "../unseen.ts";

export type Piece = { readonly kind: "text" | "escape" | "mask"; readonly text: string };

/** A token of a mask in one of its forms, and what stands where a credential was. */
const mask = /(?:https:\/\/masked\.invalid\/)?dwm_[a-z0-9-]{1,60}_[\w-]{8,}(?:@masked\.invalid)?|\[masked\]/g;

export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(mask)) {
    plain(text.slice(from, found.index), pieces);
    pieces.push({ kind: "mask", text: found[0] });
    from = found.index + found[0].length;
  }
  plain(text.slice(from), pieces);
  return pieces;
}

function plain(text: string, pieces: Piece[]): void {
  let from = 0;
  for (const found of text.matchAll(unseen)) {
    if (found[0] === "\n" || found[0] === "\t" || found[0] === "\r") continue;
    if (found.index > from) pieces.push({ kind: "text", text: text.slice(from, found.index) });
    pieces.push({ kind: "escape", text: numberOf(found[0]) });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ kind: "text", text: text.slice(from) });
}

/** `email` of `dwm_email_…`; null for what merely says that something was masked. */
export const kindOfMask = (token: string): string | null => /dwm_([a-z0-9-]+)_/.exec(token)?.[1] ?? null;

/** Cut between characters, never within one. */
export const cut = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
};
