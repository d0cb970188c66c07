/** Tells compressed files by their first bytes, and undoes those that are undone here. */

import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { largestExpansion } from "../../../model/coding.ts";

/** Formats that compress what they hold and are not undone here, by their first bytes. */
const archives: readonly (readonly [name: string, begins: RegExp])[] = [
  ["zip", /^PK(?:\x03\x04|\x05\x06|\x07\x08)/],
  ["bzip2", /^BZh[1-9](?:1AY&SY|\x17rE8P\x90)/],
  ["xz", /^\xfd7zXZ\0/],
  ["7z", /^7z\xbc\xaf\x27\x1c/],
  ["rar", /^Rar!\x1a\x07/],
  ["lz4", /^\x04"M\x18/],
];

export const archiveOf = (bytes: Buffer): string | null => {
  const head = bytes.toString("latin1", 0, 12);
  return archives.find(([, begins]) => begins.test(head))?.[0] ?? null;
};

/** By their first bytes: RFC 1952 §2.3.1, RFC 8878 §3.1.1. */
export const codingOf = (bytes: Buffer): "gzip" | "zstd" | null => {
  if (bytes.length < 8) return null;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return "gzip";
  return bytes.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : null;
};

const mostEmbedded = 16 * 2 ** 20;

/** Null for what is broken or too large. */
export const decode = (bytes: Buffer, coding: "gzip" | "zstd"): Buffer | null => {
  const limits = { maxOutputLength: Math.min(mostEmbedded, bytes.length * largestExpansion) };
  try {
    return coding === "gzip" ? gunzipSync(bytes, limits) : zstdDecompressSync(bytes, limits);
  } catch {
    return null;
  }
};
