/** What masks a body while it passes, whatever its form. */

import { buildSide, type MaskedValue } from "../body/build.ts";
import { type Found, holdsTooMuch, type Search, tooMuchSays } from "../findings.ts";
import type { Binder, Sealing } from "../token/bind.ts";

/** Why a body cannot be masked while it passes. `says` ends a sentence about the body. */
export class Unstreamable extends Error {}

/** What is masked on which side, and what tokens are made with. `note` is told what was, `watch` what came, decoded. */
export type StreamContext = {
  readonly search: Search;
  readonly side: number;
  readonly sealing: Sealing;
  readonly note?: (values: readonly MaskedValue[]) => void;
  readonly watch?: (chunk: Buffer) => void;
};

/** One piece masked on the stream's side; itself where nothing in it is. Throws `Unstreamable`. */
export const maskPiece = (
  { side, note }: StreamContext,
  bind: Binder,
  piece: { readonly bytes: Buffer; readonly found: Found },
): Buffer => {
  if (holdsTooMuch(piece.found)) throw new Unstreamable(tooMuchSays);
  const built = buildSide(side, piece, bind);
  if (built === null) return piece.bytes;
  if ("blocked" in built) throw new Unstreamable(built.blocked);
  note?.(built.values);
  return built.bytes;
};

/** One body's decoded bytes, in order. Both throw `Unstreamable`: what was given out before was masked. */
export type StreamMasker = {
  readonly push: (chunk: Buffer) => Buffer;
  readonly end: () => Buffer;
};

/** A masker for what is inside of another one, by its content type. */
export type Opener = (context: StreamContext, contentType: string) => StreamMasker;
