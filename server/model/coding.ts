/** Content codings (RFC 9110 §8.4): takes them off a body within bounds, and puts them on again when the body was changed. */

import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import type { HeaderList } from "./receipt.ts";

/** A body may be at most this many times as large decoded as it was sent: https://en.wikipedia.org/wiki/Zip_bomb */
export const largestExpansion = 100;

/** Why a body could not be decoded; `large` and `expands` are about its size, the others about its form. */
export type CodingFault = {
  readonly fault: "unknown" | "broken" | "nested" | "large" | "expands";
  /** Ends a sentence about the body: `it is not valid gzip`. */
  readonly says: string;
};

/** zlib's streams have one shape, which @types/node names differently for each coding. */
export type Coder = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

type Coding = { readonly decoder: () => Coder; readonly encoder: () => Coder };

const gzip: Coding = { decoder: createGunzip, encoder: createGzip };
const zstd: Coding = { decoder: createZstdDecompress, encoder: createZstdCompress };

/** Its own default is for files that are compressed once: a hundred times slower, and a caller waits here. */
const brotliQuickly = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const known: ReadonlyMap<string, Coding> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  ["deflate", { decoder: createInflate, encoder: createDeflate }],
  ["zstd", zstd],
  // What Datadog's clients call zstd: https://docs.datadoghq.com/api/latest/metrics/#submit-metrics
  ["zstd1", zstd],
  ["br", { decoder: createBrotliDecompress, encoder: () => createBrotliCompress(brotliQuickly) }],
]);

const mostCodings = 2;

/** In the order in which they were applied. */
export const codingsOf = (headers: HeaderList): string[] =>
  headers
    .filter(([name]) => name.toLowerCase() === "content-encoding")
    .flatMap(([, value]) => value.split(","))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");

/** Why nothing with these codings can be decoded, before any of it is there. */
export const codingsFault = (codings: readonly string[]): CodingFault | undefined => {
  if (codings.length > mostCodings) return { fault: "nested", says: "it has more than two content codings" };
  if (codings.every((coding) => known.has(coding))) return undefined;
  return { fault: "unknown", says: `its content coding is none of ${[...known.keys()].join(", ")}` };
};

/** Fresh decoders in the order in which bytes pass them; throws on a coding that `codingsFault` complains of. */
export const decodersOf = (codings: readonly string[]): Coder[] =>
  codings.toReversed().map((coding) => codingNamed(coding).decoder());

/** The same for encoding again. */
export const encodersOf = (codings: readonly string[]): Coder[] =>
  codings.map((coding) => codingNamed(coding).encoder());

/** `limit`: bytes of the decoded body. Decoding stops where it is passed. */
export const decodeCodings = async (
  bytes: Buffer,
  codings: readonly string[],
  limit: number,
): Promise<Buffer | CodingFault> => {
  const fault = codingsFault(codings);
  if (fault !== undefined) return fault;
  const most = bytes.length * largestExpansion;
  let decoded = bytes;
  for (const coding of codings.toReversed()) {
    const next = await run(codingNamed(coding).decoder(), decoded, Math.min(limit, most));
    if (next === "broken") return { fault: "broken", says: `it is not valid ${coding}` };
    if (next === "large")
      return most < limit ? expands : { fault: "large", says: `decoded it is larger than ${limit} bytes` };
    decoded = next;
  }
  return decoded;
};

const expands: CodingFault = { fault: "expands", says: `it decodes to more than ${largestExpansion} times its size` };

/** A decoded body as it travelled: the same codings in the same order. */
export const encodeCodings = async (bytes: Buffer, codings: readonly string[]): Promise<Buffer> => {
  let encoded = bytes;
  for (const encoder of encodersOf(codings)) {
    const next = await run(encoder, encoded, Number.POSITIVE_INFINITY);
    if (!Buffer.isBuffer(next)) throw new Error("a body could not be encoded again");
    encoded = next;
  }
  return encoded;
};

const codingNamed = (name: string): Coding => {
  const coding = known.get(name);
  if (coding === undefined) throw new Error(`no content coding is called ${name}`);
  return coding;
};

const run = async (coder: Coder, bytes: Buffer, limit: number): Promise<Buffer | "broken" | "large"> => {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    coder.end(bytes);
    for await (const piece of coder as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > limit) return "large";
      pieces.push(piece);
    }
  } catch {
    return "broken";
  } finally {
    coder.destroy();
  }
  // Bytes after the end could be a second document that only another reader would see.
  return coder.bytesWritten === bytes.length ? Buffer.concat(pieces) : "broken";
};
