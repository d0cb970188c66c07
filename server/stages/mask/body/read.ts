/** Reads a decoded body of any kind for masks: JSON, lines of it, forms, their parts, text. */

import { isUtf8 } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { largestExpansion } from "../../../model/coding.ts";
import { secretKind } from "../detect/names.ts";
import { deepestNesting, type Found, keyStep, nothingFound, type Search } from "../findings.ts";
import { fieldKind, fieldsAt } from "../json/fields.ts";
import { readDocument } from "../json/read.ts";
import { nonAscii } from "../json/scan.ts";
import { offsetsIn } from "../json/text.ts";
import type { Step } from "../place/place.ts";
import { readPairs } from "./form.ts";
import { partsOf } from "./multipart.ts";
import { inspectPiece } from "./piece.ts";

/** Without its content codings. `contentType` as its header field says; `` where there is none. */
export type Body = { readonly bytes: Buffer; readonly contentType: string };

/** How a body was understood. `opaque`: it is no text, and was only searched for what stands in it in plain. */
export type BodyForm = "json" | "lines" | "form" | "multipart" | "text" | "opaque";

/** Fields were to be masked in what only looks like JSON: they could be anywhere in it. */
export type Unreadable = { readonly unreadable: string };

export const isUnreadable = (read: BodyForm | Unreadable): read is Unreadable => typeof read === "object";

export const readBody = (search: Search, { bytes, contentType }: Body, found: Found): BodyForm | Unreadable =>
  read(search, { bytes, type: contentType, base: 0, path: [], depth: 0 }, found);

/** A range of the decoded body, or of what is embedded in it; `base`: where its first byte stands there. */
type Range = {
  readonly bytes: Buffer;
  readonly type: string;
  readonly base: number;
  readonly path: readonly Step[];
  readonly depth: number;
};

const read = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const essence = (range.type.split(";")[0] ?? "").trim().toLowerCase();
  if (essence.startsWith("multipart/") && readParts(search, range, found)) return "multipart";
  if (readEmbedded(search, range, found)) return "opaque";
  if (!isUtf8(range.bytes)) return readText(search, range, found);
  switch (essence) {
    case "application/x-ndjson":
    case "application/ndjson":
    case "application/jsonl":
    case "application/jsonlines":
    case "text/event-stream":
      return readLines(search, range, found);
    case "application/x-www-form-urlencoded":
      return looksLikeJson(range.bytes) ? readJsonOrText(search, range, found) : readForm(search, range, found);
    default:
      // A false content type must not hide fields.
      return looksLikeJson(range.bytes) ? readJsonOrText(search, range, found) : readText(search, range, found);
  }
};

const looksLikeJson = (bytes: Buffer): boolean => {
  const first = firstByte(bytes);
  return first === 0x7b || first === 0x5b || first === 0x22;
};

const firstByte = (bytes: Buffer): number => {
  for (const byte of bytes) if (byte > 0x20) return byte;
  return 0;
};

const readJsonOrText = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const { bytes, base, path, depth } = range;
  const inner = nothingFound();
  const fault = readDocument(search, { bytes, path, layers: [], depth, rawOf: (at) => base + at }, inner);
  if (fault === null) {
    append(found, inner);
    return "json";
  }
  if (fault.says === "more than one value" && bytes.includes(0x0a)) return readLines(search, range, found);
  if (search.fields.rules.length > 0)
    return { unreadable: `it is not JSON (${fault.says}, at byte ${fault.at + 1}), and fields of it are to be masked` };
  return readText(search, range, found);
};

const append = (found: Found, inner: Found): void => {
  for (const finding of inner.findings) found.findings.push(finding);
  for (const clash of inner.clashes) found.clashes.push(clash);
};

const eventData = Buffer.from("data:");

/** Each line is a document, or text; of an event stream what is behind `data:`. */
const readLines = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const { bytes } = range;
  let line = 0;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    const isEvent = eventData.compare(bytes, start, Math.min(end, start + eventData.length)) === 0;
    const from = isEvent ? start + eventData.length : start;
    const part = { ...range, bytes: bytes.subarray(from, end), base: range.base + from, path: [...range.path, line] };
    const form = looksLikeJson(part.bytes) ? readLine(search, part, found) : readText(search, part, found);
    if (isUnreadable(form)) return form;
    start = end + 1;
  }
  return "lines";
};

const readLine = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const inner = nothingFound();
  const { bytes, base, path, depth } = range;
  const fault = readDocument(search, { bytes, path, layers: [], depth, rawOf: (at) => base + at }, inner);
  if (fault === null) append(found, inner);
  else if (search.fields.rules.length > 0)
    return {
      unreadable: `line ${Number(path.at(-1)) + 1} of it is not JSON (${fault.says}), and fields of it are to be masked`,
    };
  else return readText(search, range, found);
  return "json";
};

const readForm = (search: Search, { bytes, base, path }: Range, found: Found): BodyForm => {
  readPairs(search, { text: bytes.toString("latin1"), base, path }, found);
  return "form";
};

const readText = (search: Search, { bytes, base, path, depth }: Range, found: Found): BodyForm => {
  const isText = isUtf8(bytes) && !bytes.includes(0);
  const text = isText ? bytes.toString("utf8") : bytes.toString("latin1");
  const offsets =
    text.length === bytes.length ? null : offsetsIn({ bytes, start: 0, end: bytes.length, flags: nonAscii });
  const rawOf = (at: number): number => base + (offsets === null ? at : offsets(at));
  inspectPiece(search, { text, path, layers: [], depth, rawOf }, found.findings);
  return isText ? "text" : "opaque";
};

const readParts = (search: Search, range: Range, found: Found): boolean => {
  const parts = partsOf(range.bytes, range.type);
  if (parts === null) return false;
  for (const part of parts) {
    const head = {
      ...range,
      bytes: range.bytes.subarray(part.head.start, part.head.end),
      base: range.base + part.head.start,
    };
    readText(search, { ...head, path: [...range.path, part.name, keyStep] }, found);
    readPart(
      search,
      {
        ...range,
        bytes: range.bytes.subarray(part.start, part.end),
        type: part.type,
        base: range.base + part.start,
        path: [...range.path, part.name],
        depth: range.depth + 1,
      },
      found,
    );
  }
  return true;
};

const readPart = (search: Search, range: Range, found: Found): void => {
  const { bytes, base, path } = range;
  const kind =
    search.names === 0 || bytes.length > 4_096 ? null : secretKind(String(path.at(-1)), bytes.toString("latin1"));
  const whole = { start: base, end: base + bytes.length, text: bytes.toString("utf8"), path, layers: [] };
  if (bytes.length > 0)
    for (const rule of fieldsAt(search.fields, path))
      found.findings.push({ ...whole, kind: fieldKind(rule, whole.text), sides: rule.sides });
  if (kind !== null) found.findings.push({ ...whole, kind, sides: search.names });
  // Fields are named in documents; a part that is none has only its name.
  if (isUnreadable(read(search, range, found))) readText(search, range, found);
};

const mostEmbedded = 16 * 2 ** 20;

/** Compressed files, which forms and archives of logs are full of. */
const readEmbedded = (search: Search, { bytes, type, base, path, depth }: Range, found: Found): boolean => {
  const coding = codingOf(bytes);
  if (coding === null || depth >= deepestNesting) return false;
  const inner = decode(bytes, coding);
  if (inner === null) return false;
  const nested = nothingFound();
  const form = read(
    search,
    { bytes: inner, type: type.includes("zip") ? "" : type, base: 0, path, depth: depth + 1 },
    nested,
  );
  if (isUnreadable(form)) return false;
  found.embedded.push({ start: base, end: base + bytes.length, coding, bytes: inner, found: nested });
  return true;
};

/** By their first bytes: RFC 1952 §2.3.1, RFC 8878 §3.1.1. */
const codingOf = (bytes: Buffer): "gzip" | "zstd" | null => {
  if (bytes.length < 8) return null;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return "gzip";
  return bytes.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : null;
};

const decode = (bytes: Buffer, coding: "gzip" | "zstd"): Buffer | null => {
  const limits = { maxOutputLength: Math.min(mostEmbedded, bytes.length * largestExpansion) };
  try {
    return coding === "gzip" ? gunzipSync(bytes, limits) : zstdDecompressSync(bytes, limits);
  } catch {
    return null;
  }
};
