/** Reads a decoded body of any kind for masks: JSON, lines of it, forms, their parts, text. */

import { isUtf8 } from "node:buffer";
import { secretKind } from "../detect/names.ts";
import { deepestNesting, type Finding, type Found, keyStep, nothingFound, type Search } from "../findings.ts";
import { fieldKind, fieldsAt } from "../json/fields.ts";
import { readDocument } from "../json/read.ts";
import { nonAscii } from "../json/scan.ts";
import { offsetsIn } from "../json/text.ts";
import type { Step } from "../place/place.ts";
import { archiveOf, codingOf, decode, fieldsBeside } from "./compressed.ts";
import { readPairs } from "./form.ts";
import { partsOf } from "./multipart.ts";
import { inspectPiece } from "./piece.ts";

/** Without its content codings. `contentType` as its header field says; `` where there is none. */
export type Body = { readonly bytes: Buffer; readonly contentType: string };

/** How a body was understood. `opaque`: it is no text, and was only searched for what stands in it in plain. */
export type BodyForm = "json" | "lines" | "form" | "multipart" | "text" | "opaque";

/**
 * What stands in it nobody can tell: fields were to be masked in what only looks like JSON, or it is compressed in a way that nobody here
 * undoes. `isClosed`: the latter, so that to read it as text says nothing.
 */
export type Unreadable = { readonly unreadable: string; readonly isClosed: boolean };

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

const read = (search: Search, marked: Range, found: Found): BodyForm | Unreadable => {
  const range = withoutMark(marked);
  const essence = (range.type.split(";")[0] ?? "").trim().toLowerCase();
  if (search.fields.rules.length > 0 && otherDocuments.test(essence))
    return { unreadable: `fields of it are to be masked, and nobody here reads ${essence}`, isClosed: false };
  const parts = essence.startsWith("multipart/") ? readParts(search, range, found) : null;
  const whole = parts ?? readEmbedded(search, range, found);
  if (whole !== null) return whole;
  if (!isUtf8(range.bytes)) return readBroken(search, range, found);
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

/** What its caller may ask for, and may be full of fields; JSONP is a script. */
const otherDocuments =
  /[/.+-](?:msgpack|cbor|bson|avro|ion|protobuf|parquet|xml|yaml|toml|csv|comma-separated-values|tab-separated-values|javascript|ecmascript)$/;

const byteOrderMark = Buffer.from("\uFEFF");

/** Readers pass over it (RFC 8259 §8.1), and so it must hide nothing. */
const withoutMark = (range: Range): Range => {
  if (!range.bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark)) return range;
  const { length } = byteOrderMark;
  return { ...range, bytes: range.bytes.subarray(length), base: range.base + length };
};

/** Some readers take a byte that is no UTF-8 for a character, and find every field; nobody can tell what they see where. */
const readBroken = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const isStructured = looksLikeJson(range.bytes) || structured.test(range.type);
  if (isStructured && search.fields.rules.length > 0)
    return { unreadable: "it is not UTF-8, and fields of it are to be masked", isClosed: false };
  return readText(search, range, found);
};

const structured = /^[^;]*(?:json|x-www-form-urlencoded|event-stream)/i;

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
    return {
      unreadable: `it is not JSON (${fault.says}, at byte ${fault.at + 1}), and fields of it are to be masked`,
      isClosed: false,
    };
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
  const lineAt = eventStream.test(range.type) ? endOfEventLine : endOfLine;
  let line = 0;
  for (let start = 0; start < bytes.length; line++) {
    const { end, next } = lineAt(bytes, start);
    const isEvent = eventData.compare(bytes, start, Math.min(end, start + eventData.length)) === 0;
    const from = isEvent ? start + eventData.length : start;
    const part = { ...range, bytes: bytes.subarray(from, end), base: range.base + from, path: [...range.path, line] };
    const form = looksLikeJson(part.bytes) ? readLine(search, part, found) : readText(search, part, found);
    if (isUnreadable(form)) return form;
    start = next;
  }
  return "lines";
};

type Line = { readonly end: number; readonly next: number };
const eventStream = /^\s*text\/event-stream/i;

const endOfLine = (bytes: Buffer, start: number): Line => {
  const feed = bytes.indexOf(lineFeed, start);
  return feed === -1 ? { end: bytes.length, next: bytes.length } : { end: feed, next: feed + 1 };
};

/** Their lines may end with a carriage return alone: https://html.spec.whatwg.org/multipage/server-sent-events.html */
const endOfEventLine = (bytes: Buffer, start: number): Line => {
  let end = start;
  while (end < bytes.length && bytes[end] !== lineFeed && bytes[end] !== carriageReturn) end++;
  const isBoth = bytes[end] === carriageReturn && bytes[end + 1] === lineFeed;
  return { end, next: end + (isBoth ? 2 : 1) };
};

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

const readLine = (search: Search, range: Range, found: Found): BodyForm | Unreadable => {
  const inner = nothingFound();
  const { bytes, base, path, depth } = range;
  const fault = readDocument(search, { bytes, path, layers: [], depth, rawOf: (at) => base + at }, inner);
  if (fault === null) append(found, inner);
  else if (search.fields.rules.length > 0)
    return {
      unreadable: `line ${Number(path.at(-1)) + 1} of it is not JSON (${fault.says}), and fields of it are to be masked`,
      isClosed: false,
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

/** Null where it is not what its type says. */
const readParts = (search: Search, range: Range, found: Found): "multipart" | Unreadable | null => {
  const form = partsOf(range.bytes, range.type);
  if (form === null) return null;
  for (const around of form.around) {
    const closed = readPart(search, { ...within(range, around), type: "", path: [...range.path, keyStep] }, found);
    if (closed !== null) return closed;
  }
  for (const part of form.parts) {
    const path = [...range.path, part.name];
    readText(search, { ...within(range, part.head), path: [...path, keyStep] }, found);
    const closed = readPart(search, { ...within(range, part), type: part.type, path }, found);
    if (closed !== null) return closed;
  }
  return "multipart";
};

const within = (range: Range, { start, end }: { readonly start: number; readonly end: number }): Range => ({
  ...range,
  bytes: range.bytes.subarray(start, end),
  base: range.base + start,
  depth: range.depth + 1,
});

const readPart = (search: Search, range: Range, found: Found): Unreadable | null => {
  const { bytes, base, path } = range;
  const kind =
    search.names === 0 || bytes.length > 4_096 ? null : secretKind(String(path.at(-1)), bytes.toString("latin1"));
  const whole = { start: base, end: base + bytes.length, text: bytes.toString("utf8"), path, layers: [] };
  if (bytes.length > 0)
    for (const rule of fieldsAt(search.fields, path))
      found.findings.push({ ...whole, kind: fieldKind(rule, whole.text), sides: rule.sides });
  if (kind !== null) found.findings.push({ ...whole, kind, sides: search.names });
  const form = read(search, range, found);
  if (!isUnreadable(form)) return null;
  if (form.isClosed) return kind === null ? form : null;
  // Fields are named in documents; a part that is none has only its name.
  readText(search, range, found);
  return null;
};

/** What is found in a compressed body beside what is packed in it. */
export const besideCoding = (search: Search, bytes: Buffer): Finding[] => {
  const outside: Finding[] = [];
  const coding = codingOf(bytes);
  if (coding === null) return outside;
  for (const text of fieldsBeside(bytes, coding))
    inspectPiece(search, { text, path: [keyStep], layers: [], depth: 0, rawOf: (at) => at }, outside);
  return outside;
};

/** Compressed files, which forms and archives of logs are full of. Null for what is none. */
const readEmbedded = (
  search: Search,
  { bytes, type, base, path, depth }: Range,
  found: Found,
): "opaque" | Unreadable | null => {
  const archive = archiveOf(bytes);
  if (archive !== null) return closedBy(archive);
  const coding = codingOf(bytes);
  if (coding === null) return null;
  const inner = depth >= deepestNesting ? null : decode(bytes, coding);
  if (inner === null) return closedBy(coding);
  const outside = besideCoding(search, bytes);
  const nested = nothingFound();
  const form = read(
    search,
    { bytes: inner, type: type.includes("zip") ? "" : type, base: 0, path, depth: depth + 1 },
    nested,
  );
  if (isUnreadable(form)) return form;
  found.embedded.push({ start: base, end: base + bytes.length, coding, bytes: inner, found: nested, outside });
  return "opaque";
};

const closedBy = (format: string): Unreadable => ({
  unreadable: `nobody can tell what is in the ${format} file that it is or holds`,
  isClosed: true,
});
