/** The cheap gate: one look at each byte says whether a text can hold anything that the active rules look for. */

import type { Sign } from "./rule.ts";
import { mayEndSecret } from "./names.ts";

/** Bits of a byte's class. The scanner adds up runs, and collects the others: once seen, seen twice. */
export const inRun = 1;
/** A digit, or what people write between digits. */
export const numeric = 2;
export const digit = 4;
export const assign = 8;
const at = 16;
const tilde = 32;
const dot = 64;
const colon = 128;
const percent = 256;
export const escape = 512;
export const high = 1024;
export const quote = 2048;
/** Control characters, which a JSON string must not hold as they are. */
export const control = 4096;
/** No byte's class: a `=` or `:` behind a name of secrets. */
export const assigned = 8192;

/** Class of every byte. */
export const classes: Uint16Array = classTable();

/**
 * What one look at a text's bytes found: the bits of all of them, those that were there more than once, the longest run of key
 * characters, the most digits of a written number.
 */
export type Look = { bits: number; twice: number; run: number; digits: number };

const leastRun = 16;
const leastDigits = 9;

/** Which signs the active rules have; others are not asked for. */
export type Gate = {
  readonly any: boolean;
  readonly bits: number;
  readonly twice: number;
  readonly run: boolean;
  readonly digits: boolean;
};

export const gateOf = (signs: ReadonlySet<Sign>): Gate => ({
  any: signs.has("any"),
  // Percent-encoding may hide any of them.
  bits:
    (signs.has("at") ? at : 0) |
    (signs.has("tilde") ? tilde : 0) |
    (signs.has("assigned") ? assigned : 0) |
    (signs.size > 0 ? percent : 0),
  twice: (signs.has("dotted") ? dot : 0) | (signs.has("colons") ? colon : 0),
  run: signs.has("run"),
  digits: signs.has("digits"),
});

export const passes = (gate: Gate, look: Look): boolean =>
  (look.bits & gate.bits) !== 0 ||
  (look.twice & gate.twice) !== 0 ||
  (look.run >= leastRun && gate.run) ||
  (look.digits >= leastDigits && gate.digits) ||
  gate.any;

/** The same look at a text that is no part of a JSON document. */
export const lookAtText = (text: string): Look => lookAtBytes(Buffer.from(text));

export const lookAtBytes = (bytes: Uint8Array): Look => {
  const look = { bits: 0, twice: 0, run: 0, digits: 0 };
  let run = 0;
  let digits = 0;
  for (let at = 0; at < bytes.length; at++) {
    const type = classes[bytes[at] ?? 0] ?? 0;
    look.twice |= look.bits & type;
    look.bits |= type;
    run = (type & inRun) === 0 ? 0 : run + 1;
    if ((type & numeric) === 0) digits = 0;
    else if ((type & digit) !== 0) digits++;
    if ((type & assign) !== 0 && followsName(bytes, 0, at)) look.bits |= assigned;
    look.run = Math.max(look.run, run);
    look.digits = Math.max(look.digits, digits);
  }
  return look;
};

/** A UUID alone is no secret by its look, and there is one in every second object. */
export const isUuid = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[start + i] ?? 0;
    const hyphen = i === 8 || i === 13 || i === 18 || i === 23;
    if (hyphen ? byte !== 0x2d : !isHexDigit(byte)) return false;
  }
  return true;
};

const isHexDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

/** Whether what stands before a `=` or `:` may be a name of secrets; quotes, backslashes and spaces may be between. */
export const followsName = (bytes: Uint8Array, start: number, position: number): boolean => {
  let end = position;
  while (end > start && isBetween(bytes[end - 1] ?? 0)) end--;
  return mayEndSecret(bytes, Math.max(start, end - 3), end);
};

const isBetween = (byte: number): boolean => byte === 0x20 || byte === 0x22 || byte === 0x27 || byte === 0x5c;

function classTable(): Uint16Array {
  const table = new Uint16Array(256);
  const set = (characters: string, bits: number): void => {
    for (const character of characters) table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] ?? 0) | bits;
  };
  for (let code = 0; code < 32; code++) table[code] = control;
  for (let code = 128; code < 256; code++) table[code] = high;
  set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", inRun);
  set("0123456789", digit);
  set("0123456789 ()+-.", numeric);
  set("@", at);
  set("=:", assign);
  set("~", tilde);
  set(".", dot);
  set(":", colon);
  set("%", percent);
  set("\\", escape);
  set('"', quote);
  return table;
}
