/** Puts tokens in the place of what was found; every other byte stays what and where it was. */

import { gzipSync, zstdCompressSync } from "node:zlib";
import { inReply } from "../detect/detector.ts";
import { type Clash, type Embedded, type Found, maskedOn } from "../findings.ts";
import { bindTokens, type Sealing } from "../token/bind.ts";

/** A value that was masked, for whoever counts and indexes them; `text` is empty for one that was no text. */
export type MaskedValue = { readonly kind: string; readonly text: string };

export type Built = { readonly bytes: Buffer; readonly values: readonly MaskedValue[] };

/** A number, an object or a list at a place that a mask names: an answer with it cannot go out. */
export type Blocked = { readonly blocked: string };

type Splice = { readonly start: number; readonly end: number; readonly bytes: Buffer };

/** Null where nothing is to be masked on this side: the bytes stay as they are. */
export const buildSide = (
  side: number,
  { bytes, found }: { readonly bytes: Buffer; readonly found: Found },
  sealing: Sealing,
): Built | Blocked | null => {
  const { findings, clashes } = maskedOn(side, found);
  const [clash] = clashes;
  if (clash !== undefined && side === inReply) return blockedBy(clash);
  const embedded = found.embedded.map((part) => buildEmbedded(side, part, sealing));
  if (findings.length === 0 && clashes.length === 0 && embedded.every((part) => part === null)) return null;
  const tokens = findings.length === 0 ? [] : bindTokens(sealing, bytes, findings);
  const splices: Splice[] = [
    ...findings.map(({ start, end }, index) => ({ start, end, bytes: Buffer.from(tokens[index] ?? "", "latin1") })),
    ...clashes.map(({ start, end }) => ({ start, end, bytes: nothing })),
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

const nothing = Buffer.from("null");

const blockedBy = ({ rule }: Clash): Blocked => ({
  blocked: `a mask names ${rule}, which is no text here: it cannot be masked, so nothing of this answer is shown`,
});

type BuiltPart = { readonly splice: Splice; readonly values: readonly MaskedValue[] };

const buildEmbedded = (side: number, part: Embedded, sealing: Sealing): BuiltPart | Blocked | null => {
  const built = buildSide(side, part, sealing);
  if (built === null || "blocked" in built) return built;
  const bytes = part.coding === "gzip" ? gzipSync(built.bytes) : zstdCompressSync(built.bytes);
  return { splice: { start: part.start, end: part.end, bytes }, values: built.values };
};

export const spliced = (bytes: Buffer, splices: readonly Splice[]): Buffer => {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const splice of splices.toSorted((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(at, splice.start), splice.bytes);
    at = splice.end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
};
