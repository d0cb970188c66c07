/** Puts tokens in the place of what was found; every other byte stays what and where it was. */

import { gzipSync, zstdCompressSync } from "node:zlib";
import { inReply } from "../detect/detector.ts";
import { type Clash, type Embedded, type Found, maskedOn } from "../findings.ts";
import type { Binder } from "../token/bind.ts";

/** A value that was masked, for whoever counts and indexes them; `text` is empty for one that was no text. */
export type MaskedValue = { readonly kind: string; readonly text: string };

export type Built = { readonly bytes: Buffer; readonly values: readonly MaskedValue[] };

/** A number, an object or a list at a place that a mask names: an answer with it cannot go out. */
export type Blocked = { readonly blocked: string };

/** `with`: bytes, or a text of one byte a character. */
type Splice = { readonly start: number; readonly end: number; readonly with: Buffer | string };

/** Null where nothing is to be masked on this side: the bytes stay as they are. */
export const buildSide = (
  side: number,
  { bytes, found }: { readonly bytes: Buffer; readonly found: Found },
  bind: Binder,
): Built | Blocked | null => {
  const { findings, clashes, embedded: parts } = maskedOn(side, found);
  const [clash] = clashes;
  if (clash !== undefined && side === inReply) return blockedBy(clash);
  const embedded = parts.map((part) => buildEmbedded(side, part, bind));
  if (findings.length === 0 && clashes.length === 0 && embedded.every((part) => part === null)) return null;
  const tokens = findings.length === 0 ? [] : bind(bytes, findings);
  const splices: Splice[] = [
    ...findings.map(({ start, end }, index) => ({ start, end, with: tokens[index] ?? "" })),
    ...clashes.map(({ start, end }) => ({ start, end, with: "null" })),
  ];
  const values: MaskedValue[] = findings.map(({ kind, text }) => ({ kind, text }));
  for (const part of embedded) {
    if (part === null) continue;
    if ("blocked" in part) return part;
    splices.push(part.splice);
    values.push(...part.values);
  }
  for (const _ of clashes) values.push({ kind: "field", text: "" });
  return { bytes: spliced(bytes, splices), values };
};

const blockedBy = ({ rule }: Clash): Blocked => ({
  blocked: `a mask names ${rule}, which is no text here: it cannot be masked, so nothing of this answer is shown`,
});

type BuiltPart = { readonly splice: Splice; readonly values: readonly MaskedValue[] };

const buildEmbedded = (side: number, part: Embedded, bind: Binder): BuiltPart | Blocked | null => {
  const built = buildSide(side, part, bind);
  if (built !== null && "blocked" in built) return built;
  const outside = part.outside.filter(({ sides }) => (sides & side) !== 0);
  if (built === null && outside.length === 0) return null;
  const inner = built?.bytes ?? part.bytes;
  const bytes = part.coding === "gzip" ? gzipSync(inner) : zstdCompressSync(inner);
  const values = [...outside.map(({ kind, text }) => ({ kind, text })), ...(built?.values ?? [])];
  return { splice: { start: part.start, end: part.end, with: bytes }, values };
};

export const spliced = (bytes: Buffer, splices: readonly Splice[]): Buffer => {
  const ordered = splices.toSorted((a, b) => a.start - b.start);
  const length = ordered.reduce((sum, splice) => sum + splice.with.length - (splice.end - splice.start), bytes.length);
  const output = Buffer.allocUnsafe(length);
  let read = 0;
  let written = 0;
  for (const { start, end, with: instead } of ordered) {
    if (start < read) throw new Error("two changes of one body overlap");
    written += bytes.copy(output, written, read, start);
    written += typeof instead === "string" ? output.write(instead, written, "latin1") : instead.copy(output, written);
    read = end;
  }
  bytes.copy(output, written, read);
  return output;
};
