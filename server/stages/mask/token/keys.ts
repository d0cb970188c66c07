/** The keys that masks are sealed with: the newest seals, the older ones still open; each purpose has its own derived key. */

import { hkdfSync } from "node:crypto";
import { Cmac, Siv } from "./cmac.ts";

export type MaskKey = {
  /** First byte of a token: which key to try. Two keys may share one. */
  readonly id: number;
  readonly siv: Siv;
  /** Names places; see place.ts. */
  readonly places: Cmac;
  /** For the keyed hash of equality search. */
  readonly equality: Buffer;
};

/** The newest first; never empty. */
export type MaskKeys = readonly [MaskKey, ...MaskKey[]];

const leastBytes = 32;

/**
 * One key a line, the newest first: at least 32 bytes in base64 or hexadecimal, as `openssl rand -base64 48` makes them. Returns what is
 * wrong with the text otherwise; no message shows a key.
 */
export const readMaskKeys = (text: string): MaskKeys | string => {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const keys: MaskKey[] = [];
  for (const [index, line] of lines.entries()) {
    const bytes = decodeKey(line);
    if (bytes === null)
      return `line ${index + 1} is no base64 or hexadecimal text; make a key with openssl rand -base64 48`;
    if (bytes.length < leastBytes)
      return `line ${index + 1} has ${bytes.length} bytes, and a key needs ${leastBytes}; make one with openssl rand -base64 48`;
    if (lines.indexOf(line) < index) return `line ${index + 1} is the same key as line ${lines.indexOf(line) + 1}`;
    keys.push(deriveKey(bytes));
  }
  const [newest, ...older] = keys;
  return newest === undefined ? "holds no key; make one with openssl rand -base64 48" : [newest, ...older];
};

export const isMaskKeys = (read: MaskKeys | string): read is MaskKeys => typeof read !== "string";

const decodeKey = (line: string): Buffer | null => {
  if (/^([0-9a-f]{2})+$/i.test(line)) return Buffer.from(line, "hex");
  return /^[\w+/-]+={0,2}$/.test(line) ? Buffer.from(line, "base64") : null;
};

const deriveKey = (secret: Buffer): MaskKey => {
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, "", `dogwatch mask ${purpose}`, length));
  return {
    id: derive("id", 1)[0] ?? 0,
    siv: new Siv(derive("seal", 64)),
    places: new Cmac(derive("place", 32)),
    equality: derive("equality", 32),
  };
};
