/** Masks bodies that are too large to be held, piece by piece and with flat memory, or says why one cannot be. */

import { pipeline, Readable } from "node:stream";
import {
  codingsFault,
  codingsOf,
  decodersOf,
  encodersOf,
  type Coder,
  largestExpansion,
} from "../../../model/coding.ts";
import type { HeaderList } from "../../../model/receipt.ts";
import { contentTypeOf, isPiece, pieceSays } from "../mask.ts";
import { type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";
import { openStream } from "./open.ts";

/**
 * The body masked, in its own codings. `source` is pulled as `maskStream` is: nothing piles up. Throws `Unstreamable`; whoever sends the
 * answer on breaks it off then, so that nobody takes it for whole.
 */
export async function* maskStream(
  source: AsyncIterable<Buffer>,
  headers: HeaderList,
  context: StreamContext,
): AsyncGenerator<Buffer, void, undefined> {
  if (isPiece(headers)) throw new Unstreamable(pieceSays);
  const codings = codingsOf(headers);
  const fault = codingsFault(codings);
  if (fault !== undefined) throw new Unstreamable(fault.says);
  const masker = openStream(context, contentTypeOf(headers));
  let decoded: AsyncIterable<Buffer> = source;
  for (const decoder of decodersOf(codings)) decoded = through(decoded, decoder, largestExpansion);
  let masked: AsyncIterable<Buffer> = maskedPieces(decoded, masker, context.watch);
  for (const encoder of encodersOf(codings)) masked = through(masked, encoder, Number.POSITIVE_INFINITY);
  yield* masked;
}

async function* maskedPieces(
  source: AsyncIterable<Buffer>,
  masker: StreamMasker,
  watch: StreamContext["watch"],
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    watch?.(chunk);
    const piece = masker.push(chunk);
    if (piece.length > 0) yield piece;
  }
  const rest = masker.end();
  if (rest.length > 0) yield rest;
}

/** At least this much may come out whatever went in: small bodies compress well. */
const freeOutput = 2 ** 20;

/** `expansion`: how many times more may come out than went in. */
async function* through(source: AsyncIterable<Buffer>, coder: Coder, expansion: number): AsyncGenerator<Buffer> {
  const taken = { bytes: 0 };
  let given = 0;
  // What goes wrong destroys the coder, and so ends the loop below with the reason.
  pipeline(Readable.from(counted(source, taken)), coder, () => undefined);
  try {
    for await (const piece of coder as AsyncIterable<Buffer>) {
      given += piece.length;
      if (given > freeOutput && given > taken.bytes * expansion)
        throw new Unstreamable(`it decodes to more than ${expansion} times its size`);
      yield piece;
    }
  } catch (error) {
    const isCoding = error instanceof Error && "errno" in error && "code" in error;
    throw isCoding ? new Unstreamable("its content coding is broken") : error;
  }
  // Bytes after the end could be a second document that only another reader would see.
  if (coder.bytesWritten !== taken.bytes)
    throw new Unstreamable("there are bytes behind the end of its content coding");
}

async function* counted(source: AsyncIterable<Buffer>, taken: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    taken.bytes += chunk.length;
    yield chunk;
  }
}
