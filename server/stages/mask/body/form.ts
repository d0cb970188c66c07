/** Reads `name=value&name=value` (WHATWG URL §5) for masks: form bodies and query strings, each value decoded and told where it stands. */

import { secretKind } from "../detect/names.ts";
import { isFull } from "../detect/detector.ts";
import type { Found, Search } from "../findings.ts";
import { fieldKind, fieldsAt } from "../json/fields.ts";
import { inspectNested } from "../json/read.ts";
import { keyStep } from "../findings.ts";
import type { Step } from "../place/place.ts";
import { inspectPiece, percentDecode, type Piece } from "./piece.ts";

/** `text` is one character a byte; `base`: where it stands in the body. `path`: what the pairs are members of. */
export type Pairs = { readonly text: string; readonly base: number; readonly path: readonly Step[] };

export const readPairs = (search: Search, { text, base, path }: Pairs, found: Found): void => {
  let at = 0;
  while (at <= text.length && !isFull(found.findings)) {
    const next = text.indexOf("&", at);
    const end = next === -1 ? text.length : next;
    const equals = text.indexOf("=", at);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = decode(text.slice(at, nameEnd), base + at);
    inspectPiece(search, { ...name, path: [...path, keyStep], layers: ["form"], depth: 0 }, found.findings);
    if (nameEnd < end)
      readValue(
        search,
        {
          ...decode(text.slice(nameEnd + 1, end), base + nameEnd + 1),
          path: [...path, name.text],
          layers: ["form"],
          depth: 0,
        },
        found,
      );
    at = end + 1;
  }
};

const readValue = (search: Search, piece: Piece, found: Found): void => {
  const { text, path, layers, rawOf } = piece;
  if (text === "") return;
  const whole = { start: rawOf(0), end: rawOf(text.length), text, path, layers };
  for (const rule of fieldsAt(search.fields, path))
    found.findings.push({ ...whole, kind: fieldKind(rule, text), sides: rule.sides });
  const kind = search.names === 0 ? null : secretKind(String(path.at(-1)), text);
  if (kind !== null) found.findings.push({ ...whole, kind, sides: search.names });
  if (!inspectNested(search, piece, found)) inspectPiece(search, piece, found.findings);
};

type Decoded = { readonly text: string; readonly rawOf: (offset: number) => number };

const decode = (written: string, base: number): Decoded => {
  const spaced = written.replaceAll("+", " ");
  const decoded = percentDecode(spaced);
  if (decoded === null) return { text: spaced, rawOf: (offset) => base + offset };
  const { offsets } = decoded;
  return { text: decoded.text, rawOf: (offset) => base + (offsets[offset] ?? written.length) };
};
