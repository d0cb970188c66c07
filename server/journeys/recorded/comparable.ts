/** What of a request is compared: its query and its body, read into one value in which no number loses a digit. */

import { createHash } from "node:crypto";
import { codingsOf, decodeCodings } from "../../model/coding.ts";
import { readJson, UnreadableJson } from "../../model/json.ts";

/** `{query, content, body}`: `content` says as what the body was read. */
export type Comparable = ReadonlyMap<string, unknown>;

/** `bytes` in the codings of `encoding`, which is `Content-Encoding`'s value. */
export type WrittenBody = {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  readonly encoding: string | null;
};

/** Of a decoded body; what decodes to more is compared as it was sent. */
const mostDecoded = 64 * 2 ** 20;

/** `query`: raw, without `?` and without keys. */
export async function readComparable(query: string, body: WrittenBody | null): Promise<Comparable> {
  const { content, value } = body === null || body.bytes.length === 0 ? noBody : await readBody(body);
  return new Map<string, unknown>([
    ["query", readPairs(query)],
    ["content", content],
    ["body", value],
  ]);
}

type Content = { readonly content: string; readonly value: unknown };
const noBody: Content = { content: "nothing", value: null };

/** Names that stand once have their value, others the list of theirs: the order of parameters says nothing. */
const readPairs = (text: string): ReadonlyMap<string, unknown> => {
  const pairs = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const values = pairs.get(name);
    if (values === undefined) pairs.set(name, [value]);
    else values.push(value);
  }
  const read = new Map<string, unknown>();
  for (const [name, values] of pairs) read.set(name, values.length === 1 ? values[0] : values.toSorted());
  return read;
};

const readBody = async ({ bytes, contentType, encoding }: WrittenBody): Promise<Content> => {
  const codings = encoding === null ? [] : codingsOf([["content-encoding", encoding]]);
  const plain = await decodeCodings(bytes, codings, mostDecoded);
  if (!Buffer.isBuffer(plain))
    return { content: `${codings.join(", ")} that cannot be decoded`, value: digestOf(bytes) };
  const type = contentType ?? "";
  const essence = type.toLowerCase().split(";")[0]?.trim() ?? "";
  if (essence === "multipart/form-data") {
    const parts = await readMultipart(plain, type);
    if (parts !== null) return { content: "multipart", value: parts };
  }
  const text = textOf(plain);
  if (text === null) return { content: "bytes", value: digestOf(plain) };
  return readText(text, essence);
};

const lineTypes = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"]);

/** JSON is JSON whatever its type says: curl -d sends it as a form. */
const readText = (text: string, essence: string): Content => {
  if (lineTypes.has(essence)) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const values = lines.flatMap((line) => jsonIn(line) ?? []);
    if (values.length === lines.length) return { content: "JSON lines", value: values.map(({ value }) => value) };
  }
  const json = jsonIn(text);
  if (json !== null) return { content: "JSON", value: json.value };
  if (essence === "application/x-www-form-urlencoded") return { content: "form", value: readPairs(text) };
  return { content: "text", value: text };
};

/** Null for what is no JSON, or JSON that two readers could understand differently: it is compared letter by letter. */
const jsonIn = (text: string): { readonly value: unknown } | null => {
  try {
    return { value: readJson(text) };
  } catch (error) {
    if (error instanceof UnreadableJson) return null;
    throw error;
  }
};

/** Part by part: the boundary between them is another one every time. */
const readMultipart = async (bytes: Buffer, type: string): Promise<unknown[] | null> => {
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
    .formData()
    .catch(() => null);
  if (form === null) return null;
  return Promise.all([...form].map(async ([name, part]) => readPart(name, part)));
};

const readPart = async (name: string, part: string | File): Promise<ReadonlyMap<string, unknown>> => {
  const named = new Map<string, unknown>([["name", name]]);
  if (typeof part === "string") return named.set("value", jsonIn(part)?.value ?? part);
  const bytes = Buffer.from(await part.arrayBuffer());
  const text = textOf(bytes);
  named.set("filename", part.name).set("content_type", part.type);
  return named.set("value", text === null ? digestOf(bytes) : (jsonIn(text)?.value ?? text));
};

const digestOf = (bytes: Buffer): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    ["size", BigInt(bytes.length)],
    ["sha256", createHash("sha256").update(bytes).digest("hex")],
  ]);

const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};
