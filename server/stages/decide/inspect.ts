/** Decodes a request body for the rules that read it: content codings within limits, then JSON, forms, multipart, NDJSON or text. */

import { createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { type Refusal, refuse } from "../../errors.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { type Body, once } from "./facts.ts";
import { readJson, UnreadableJson } from "../../model/json.ts";

/** `inspect`: bytes of a decoded body. */
export type InspectionLimits = { readonly inspect: number };

/** A body may be at most this many times as large decoded as it was sent: https://en.wikipedia.org/wiki/Zip_bomb */
const largestExpansion = 100;

/**
 * The body as rules see it. Too large (also while decoding, which stops there) is a `body_too_large` refusal; what cannot be understood
 * is `unevaluable`, so that a rule that reads it ends in an error. No body is null.
 */
export const decodeBody = async (
  bytes: Buffer,
  headers: HeaderList,
  limits: InspectionLimits,
): Promise<Body | Refusal> => {
  if (bytes.length > limits.inspect) return tooLarge(limits);
  const plain = await plainBytes(bytes, headers, limits);
  if (!Buffer.isBuffer(plain)) return plain;
  if (plain.length === 0) return { value: null };
  const types = headers.filter(([name]) => name.toLowerCase() === "content-type").map(([, value]) => value);
  if (types.length > 1) return { unevaluable: "it has two content types" };
  return understand(plain, types[0] ?? "");
};

/** Without its content codings; what cannot be decoded is `unevaluable`. */
export const plainBytes = async (
  bytes: Buffer,
  headers: HeaderList,
  limits: InspectionLimits,
): Promise<Buffer | Unevaluable | Refusal> => decodeCodings(bytes, codingsOf(headers), limits);

type Unevaluable = { readonly unevaluable: string };

const tooLarge = ({ inspect }: InspectionLimits): Refusal =>
  refuse(
    "body_too_large",
    `a rule has to read this body, and decoded it is larger than ${inspect} bytes (limits.inspect)`,
  );

/** In the order in which they were applied (RFC 9110 §8.4). */
const codingsOf = (headers: HeaderList): string[] =>
  headers
    .filter(([name]) => name.toLowerCase() === "content-encoding")
    .flatMap(([, value]) => value.split(","))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");

const decodeCodings = async (
  bytes: Buffer,
  codings: readonly string[],
  limits: InspectionLimits,
): Promise<Buffer | Unevaluable | Refusal> => {
  if (codings.length > 2) return { unevaluable: "it has more than two content codings" };
  let decoded = bytes;
  for (const coding of codings.toReversed()) {
    const decoder = decoderOf(coding);
    if (decoder === undefined) return { unevaluable: "its content coding is none of gzip, deflate, zstd, zstd1" };
    const next = await decode(decoder, decoded, Math.min(limits.inspect, bytes.length * largestExpansion));
    if (next === "broken") return { unevaluable: `it is not valid ${coding}` };
    if (next === "large") return bytes.length * largestExpansion < limits.inspect ? expandsTooMuch : tooLarge(limits);
    decoded = next;
  }
  return decoded;
};

const expandsTooMuch = refuse(
  "body_too_large",
  `a rule has to read this body, and it decodes to more than ${largestExpansion} times its size`,
);

type Decoder =
  | ReturnType<typeof createGunzip>
  | ReturnType<typeof createInflate>
  | ReturnType<typeof createZstdDecompress>;

const decoderOf = (coding: string): Decoder | undefined => {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "zstd":
    // What Datadog's clients call zstd: https://docs.datadoghq.com/api/latest/metrics/#submit-metrics
    case "zstd1":
      return createZstdDecompress();
    default:
      return undefined;
  }
};

const decode = async (decoder: Decoder, bytes: Buffer, limit: number): Promise<Buffer | "broken" | "large"> => {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    decoder.end(bytes);
    for await (const piece of decoder as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > limit) return "large";
      pieces.push(piece);
    }
  } catch {
    return "broken";
  } finally {
    decoder.destroy();
  }
  // Bytes after the end could be a second document that only Datadog would read.
  return decoder.bytesWritten === bytes.length ? Buffer.concat(pieces) : "broken";
};

const understand = async (bytes: Buffer, type: string): Promise<Body> => {
  const [essence = ""] = type.toLowerCase().split(";");
  if (essence.trim() === "multipart/form-data") return readMultipart(bytes, type);
  const text = utf8(bytes);
  if (text === undefined) return { unevaluable: "it is not UTF-8 text" };
  switch (essence.trim()) {
    case "application/x-ndjson":
    case "application/ndjson":
    case "application/jsonl":
    case "application/jsonlines":
      return { ...json(() => lines(text).map(readJson)), ndjson: true };
    case "application/x-www-form-urlencoded":
      // curl -d sends JSON with this type, and Datadog reads it as JSON.
      return looksLikeJson(text) ? json(() => readJson(text)) : { value: once(new URLSearchParams(text)) };
    default:
      // A false content type must not hide JSON from a rule.
      if (looksLikeJson(text) || !essence.trim().startsWith("text/")) return json(() => readJson(text));
      return { value: text };
  }
};

const utf8 = (bytes: Buffer): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** A byte order mark or another odd space before it makes it unreadable JSON, not some other text. */
const looksLikeJson = (text: string): boolean => /^[\s\uFEFF\0]*[{[]/.test(text);

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

const json = (read: () => unknown): Body => {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof UnreadableJson)
      return { unevaluable: `it is not JSON that can be relied on (${error.message})` };
    throw error;
  }
};

/** A list of `{name, filename, content_type, size, text}` in order; `text` is null for what is not UTF-8. */
const readMultipart = async (bytes: Buffer, type: string): Promise<Body> => {
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
    .formData()
    .catch(() => undefined);
  if (form === undefined) return { unevaluable: "it is not valid multipart/form-data" };
  return { value: await Promise.all([...form].map(async ([name, part]) => partView(name, part))) };
};

const partView = async (name: string, part: string | File): Promise<ReadonlyMap<string, unknown>> => {
  const isText = typeof part === "string";
  const bytes = isText ? Buffer.from(part) : Buffer.from(await part.arrayBuffer());
  return new Map<string, unknown>([
    ["name", name],
    ["filename", isText ? null : part.name],
    ["content_type", isText || part.type === "" ? null : part.type],
    ["size", BigInt(bytes.length)],
    ["text", isText ? part : (utf8(bytes) ?? null)],
  ]);
};
