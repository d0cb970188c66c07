/** Tells compressed files by their first bytes, and undoes those that are undone here. */

import { isUtf8 } from "node:buffer";
import { gunzipSync, inflateSync, zstdDecompressSync, constants } from "node:zlib";
import { largestExpansion } from "../../../model/coding.ts";

/** Formats that compress what they hold and are not undone here, by their first bytes. */
const archives: readonly (readonly [name: string, begins: RegExp])[] = [
  ["zip", /^PK(?:\x03\x04|\x05\x06|\x07\x08)/],
  ["bzip2", /^BZh[1-9](?:1AY&SY|\x17rE8P\x90)/],
  ["xz", /^\xfd7zXZ\0/],
  ["7z", /^7z\xbc\xaf\x27\x1c/],
  ["rar", /^Rar!\x1a\x07/],
  ["lz4", /^\x04"M\x18/],
  ["LZMA", /^\x5d\0\0.\0/],
  ["compress", /^\x1f\x9d/],
  ["snappy", /^\xff\x06\0\0sNaPpY/],
  // Frames that readers skip (RFC 8878 §3.1.2), before whatever follows.
  ["zstd", /^[P-_]\*M\x18/],
];

export const archiveOf = (bytes: Buffer): string | null => {
  const head = bytes.toString("latin1", 0, 12);
  return archives.find(([, begins]) => begins.test(head))?.[0] ?? (isZlib(bytes) ? "zlib" : null);
};

/** Enough to tell what a file is. */
export const tellingBytes = 64;

/** Whether more of it may still say that it is compressed; most texts do not begin so. */
export const mayBeCompressed = (bytes: Buffer): boolean =>
  bytes.length < leastBytes ? firstBytes.has(bytes[0] ?? -1) : isZlibHeader(bytes);

/** As many as any format needs to be known by. */
const leastBytes = 12;
const firstBytes: ReadonlySet<number> = new Set([
  ...Buffer.from("PQRSTUVWXYZ[\\]^_B7(", "latin1"),
  0x04,
  0x1f,
  0xfd,
  0xff,
  0x08,
  0x18,
  0x28,
  0x38,
  0x48,
  0x58,
  0x68,
  0x78,
]);

/** RFC 1950 §2.2 */
const isZlibHeader = (bytes: Buffer): boolean => {
  const first = bytes[0] ?? 0;
  return (first & 0x0f) === 8 && first <= 0x78 && bytes.length >= 2 && bytes.readUInt16BE(0) % 31 === 0;
};

/** `x^` and `80` begin texts too: what is text so far is one, and what cannot be inflated is no such file. */
const isZlib = (bytes: Buffer): boolean => {
  if (!isZlibHeader(bytes) || bytes.length < leastZlib || isTextSoFar(bytes.subarray(0, tellingBytes))) return false;
  try {
    inflateSync(bytes.subarray(0, 2 ** 16), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 20 });
    return true;
  } catch (error) {
    // What inflates to more than that is none the less.
    return error instanceof RangeError;
  }
};

const leastZlib = 8;

const isTextSoFar = (bytes: Buffer): boolean => {
  let end = bytes.length;
  // A character may be cut there.
  while (end > 0 && (bytes[end - 1] ?? 0) >= 0x80) end--;
  const head = bytes.subarray(0, end);
  return isUtf8(head) && !head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
};

/** By their first bytes: RFC 1952 §2.3.1, RFC 8878 §3.1.1. */
export const codingOf = (bytes: Buffer): "gzip" | "zstd" | null => {
  if (bytes.length < 8) return null;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return "gzip";
  return bytes.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : null;
};

const mostEmbedded = 16 * 2 ** 20;

/** Null for what is broken or too large, or has more behind its end. */
export const decode = (bytes: Buffer, coding: "gzip" | "zstd"): Buffer | null => {
  const limits = { maxOutputLength: Math.min(mostEmbedded, bytes.length * largestExpansion), info: true };
  try {
    const { buffer, engine } = (coding === "gzip"
      ? gunzipSync(bytes, limits)
      : zstdDecompressSync(bytes, limits)) as unknown as Inflated;
    return engine.bytesWritten === bytes.length ? buffer : null;
  } catch {
    return null;
  }
};

/** What `info` asks for, which @types/node does not know: https://nodejs.org/api/zlib.html#class-options */
type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

const gzipMagic = Buffer.from([0x1f, 0x8b, 8]);
const gzipHeader = 10;
const extra = 4;
const name = 8;
const comment = 16;
/** Of the magic numbers from 0x184D2A50 to 0x184D2A5F all but the first byte. */
const skippedMagic = Buffer.from([0x2a, 0x4d, 0x18]);

/** What such a file holds beside what is packed in it, one character a byte: fields of each gzip member, frames of zstd that readers skip. */
export const fieldsBeside = (bytes: Buffer, coding: "gzip" | "zstd"): string[] => {
  const magic = coding === "gzip" ? gzipMagic : skippedMagic;
  const fieldAt = coding === "gzip" ? memberFields : skippedFrame;
  const fields: string[] = [];
  let next = 0;
  for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, Math.max(at + 1, next))) {
    const { start, end } = fieldAt(bytes, at);
    if (end <= start) continue;
    const text = bytes.toString("latin1", start, end);
    // A name, and a comment behind it, end with NUL.
    fields.push(coding === "gzip" ? text.replaceAll("\0", "\n") : text);
    next = end;
  }
  return fields;
};

type Range = { readonly start: number; readonly end: number };

/** RFC 1952 §2.3 */
const memberFields = (bytes: Buffer, at: number): Range => {
  const flags = bytes[at + 3] ?? 0;
  const start = at + gzipHeader;
  let end = start;
  if ((flags & extra) !== 0) end += 2 + (bytes[end] ?? 0) + 256 * (bytes[end + 1] ?? 0);
  for (const flag of [name, comment]) if ((flags & flag) !== 0) end = behindNul(bytes, end);
  return { start, end };
};

const behindNul = (bytes: Buffer, from: number): number => {
  const nul = bytes.indexOf(0, from);
  return nul === -1 ? bytes.length : nul + 1;
};

/** RFC 8878 §3.1.2 */
const skippedFrame = (bytes: Buffer, at: number): Range => {
  const start = at + 7;
  if (((bytes[at - 1] ?? 0) & 0xf0) !== 0x50 || start > bytes.length) return { start, end: start };
  return { start, end: Math.min(bytes.length, start + bytes.readUInt32LE(at + 3)) };
};
