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
import { contentTypeOf } from "../mask.ts";
import { JsonStream } from "./json.ts";
import { LineStream } from "./lines.ts";
import { type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";
import { TextStream } from "./text.ts";

/** Throws `Unstreamable` where it is clear before the first byte. */
export const openStream = (context: StreamContext, contentType: string): StreamMasker => {
  const essence = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  if (lineTypes.has(essence)) return new LineStream(context);
  const hasFields = context.search.fields.rules.some(({ sides }) => (sides & context.side) !== 0);
  const isForm = essence.startsWith("multipart/") || essence === "application/x-www-form-urlencoded";
  if (hasFields && isForm)
    throw new Unstreamable(`fields of it are to be masked, and ${essence} is not read as it passes`);
  return new SniffedStream(context, { mustBeJson: hasFields && essence.endsWith("json") });
};

const lineTypes = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/jsonlines",
  "text/event-stream",
]);

const byteOrderMark = Buffer.from("\uFEFF");

/** A false content type must not hide fields: the first byte says what it is. */
class SniffedStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #mustBeJson: boolean;
  #masker: StreamMasker | null = null;
  /** The beginning of a byte order mark, until the rest of it is there. */
  #mark: Buffer = Buffer.alloc(0);
  constructor(context: StreamContext, { mustBeJson }: { readonly mustBeJson: boolean }) {
    this.#context = context;
    this.#mustBeJson = mustBeJson;
  }

  get masked(): number {
    return this.#masker?.masked ?? 0;
  }

  push(piece: Buffer): Buffer {
    if (this.#masker !== null) return this.#masker.push(piece);
    const chunk = Buffer.concat([this.#mark, piece]);
    // A mark is passed over, wherever it is cut: fields stand behind it all the same.
    const marked = byteOrderMark.subarray(0, chunk.length).equals(chunk.subarray(0, byteOrderMark.length));
    if (marked && chunk.length < byteOrderMark.length) {
      this.#mark = chunk;
      return Buffer.alloc(0);
    }
    this.#mark = Buffer.alloc(0);
    const first = chunk.find((byte, at) => byte > 0x20 && !(marked && at < byteOrderMark.length));
    // White space alone: nothing in it is masked.
    if (first === undefined) return chunk;
    const isJson = first === 0x7b || first === 0x5b || first === 0x22;
    if (!isJson && this.#mustBeJson) throw new Unstreamable("it is not JSON, and fields of it are to be masked");
    this.#masker = isJson ? new JsonStream(this.#context) : new TextStream(this.#context);
    if (!marked) return this.#masker.push(chunk);
    return Buffer.concat([byteOrderMark, this.#masker.push(chunk.subarray(byteOrderMark.length))]);
  }

  end(): Buffer {
    return this.#masker?.end() ?? this.#mark;
  }
}

/**
 * The body masked, in its own codings. `source` is pulled as `maskStream` is: nothing piles up. Throws `Unstreamable`; whoever sends the
 * answer on breaks it off then, so that nobody takes it for whole.
 */
export async function* maskStream(
  source: AsyncIterable<Buffer>,
  headers: HeaderList,
  context: StreamContext,
): AsyncGenerator<Buffer, number, undefined> {
  const codings = codingsOf(headers);
  const fault = codingsFault(codings);
  if (fault !== undefined) throw new Unstreamable(fault.says);
  const masker = openStream(context, contentTypeOf(headers));
  let decoded: AsyncIterable<Buffer> = source;
  for (const decoder of decodersOf(codings)) decoded = through(decoded, decoder, largestExpansion);
  let masked: AsyncIterable<Buffer> = maskedPieces(decoded, masker, context.watch);
  for (const encoder of encodersOf(codings)) masked = through(masked, encoder, Number.POSITIVE_INFINITY);
  yield* masked;
  return masker.masked;
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
