/** Decodes a request body for the rules that read it: content codings within limits, then JSON, forms, multipart, NDJSON or text. */

import { type Refusal, refuse } from "../../errors.ts";
import { codingsOf, decodeCodings } from "../../model/coding.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { type Body, once } from "./facts.ts";
import { readJson, UnreadableJson } from "../../model/json.ts";

/** `inspect`: bytes of a decoded body. */
export type InspectionLimits = { readonly inspect: number };

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
): Promise<Buffer | Unevaluable | Refusal> => {
  const decoded = await decodeCodings(bytes, codingsOf(headers), limits.inspect);
  if (Buffer.isBuffer(decoded)) return decoded;
  switch (decoded.fault) {
    case "large":
      return tooLarge(limits);
    case "expands":
      return refuse("body_too_large", `a rule has to read this body, and ${decoded.says}`);
    case "unknown":
    case "broken":
    case "nested":
      return { unevaluable: decoded.says };
    default:
      return decoded.fault satisfies never;
  }
};

type Unevaluable = { readonly unevaluable: string };

const tooLarge = ({ inspect }: InspectionLimits): Refusal =>
  refuse(
    "body_too_large",
    `a rule has to read this body, and decoded it is larger than ${inspect} bytes (limits.inspect)`,
  );

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
