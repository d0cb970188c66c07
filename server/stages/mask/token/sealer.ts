/** Seals values into tokens, and opens tokens: deterministic within their place, meaningless anywhere else. */

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { destinationBytes } from "../place/place.ts";
import type { Remembered } from "../place/surroundings.ts";
import type { MaskKey, MaskKeys } from "./keys.ts";
import { findTokens, type Written, writeToken } from "./text.ts";

/** What is in a token beside the value. */
export type Sealed = Remembered & { readonly place: Buffer };

export const mostDestinations = 60;

export const isDigestOfAll = ([first]: readonly Buffer[]): boolean => first?.length === digestBytes;

/** The value is unpacked when somebody wants it (`valueOf`): a short token may stand for a long one. */
export type Opened = Sealed & { readonly form: number; readonly packed: Buffer };

/** Of the value, compressed: tokens stay under 64 KiB. A private key of 8,192 bits has 6,400 bytes. */
const longestValue = 45_000;
const worthCompressing = 200;
/** No body that is masked as a whole is larger; what is said to be is none. */
const longestPacked = 2 ** 30;

const utf8 = 0;
const deflated = 1;
/** Text that is no Unicode (a lone surrogate) would not survive UTF-8. */
const utf16 = 2;
const digestOnly = 3;
const allDestinations = 0xff;
const hasBeside = 0x80;

/** Deterministic: the same value with the same `sealed` gives the same token under one key. */
export const seal = (
  keys: MaskKeys,
  kind: string,
  { value, place, destinations, deciding, beside }: Sealed & { readonly value: string },
): string => {
  const [key] = keys;
  const { form, bytes } = pack(key, value);
  const count = isDigestOfAll(destinations) ? allDestinations : destinations.length;
  const size = count === allDestinations ? digestBytes : count * destinationBytes;
  const payload = Buffer.allocUnsafe(
    headBytes + ivBytes + 3 + placeBytes + size + (beside?.length ?? 0) + bytes.length,
  );
  payload[0] = key.id;
  payload.writeUInt16BE(payload.length, 1);
  let at = headBytes + ivBytes;
  payload[at++] = form | (beside === null ? 0 : hasBeside);
  payload[at++] = count;
  payload[at++] = deciding;
  at += place.copy(payload, at);
  for (const destination of destinations) at += destination.copy(payload, at);
  if (beside !== null) at += beside.copy(payload, at);
  bytes.copy(payload, at);
  key.siv.sealIn(kind, payload, headBytes);
  return writeToken(kind, payload);
};

/** Key id, length. */
const headBytes = 3;
const ivBytes = 16;
const placeBytes = 8;
const digestBytes = 16;

/** `altered`: sealed by none of these keys, or changed since; which of the two, nobody can tell. */
export const open = (keys: MaskKeys, { kind, payload }: Written): Opened | "altered" => {
  if (payload === null) return "altered";
  for (const key of keys) {
    if (key.id !== payload[0]) continue;
    const plain = key.siv.open(kind, payload.subarray(headBytes));
    if (plain !== null) return unpack(plain);
  }
  return "altered";
};

/** Whether a text is a token of these keys, all of it. */
export const isToken = (keys: MaskKeys, text: string): boolean => openWhole(keys, text) !== null;

const openWhole = (keys: MaskKeys, text: string): { readonly kind: string; readonly opened: Opened } | null => {
  const [written] = findTokens(text, () => true);
  if (written === undefined || written.start > 0 || written.end < text.length) return null;
  const opened = open(keys, written);
  return opened === "altered" ? null : { kind: written.kind, opened };
};

/** What a token stands for, whatever its place: for people who may reveal it. Null for anything that is no token of these keys. */
export const reveal = (
  keys: MaskKeys,
  token: string,
): { readonly kind: string; readonly value: string | null } | null => {
  const whole = openWhole(keys, token);
  return whole === null ? null : { kind: whole.kind, value: valueOf(whole.opened, Number.POSITIVE_INFINITY) };
};

type Packed = { readonly form: number; readonly bytes: Buffer };

const pack = (key: MaskKey, value: string): Packed => {
  if (!value.isWellFormed()) return bounded(key, { form: utf16, bytes: Buffer.from(value, "utf16le") });
  const bytes = Buffer.from(value, "utf8");
  if (bytes.length < worthCompressing) return { form: utf8, bytes };
  const smaller = deflateRawSync(bytes);
  return bounded(key, smaller.length < bytes.length ? { form: deflated, bytes: smaller } : { form: utf8, bytes });
};

const bounded = (key: MaskKey, packed: Packed): Packed =>
  packed.bytes.length <= longestValue ? packed : { form: digestOnly, bytes: key.places.of(packed.bytes) };

const unpack = (plain: Buffer): Opened | "altered" => {
  const head = plain[0] ?? 0;
  const count = plain[1] ?? 0;
  const deciding = plain[2] ?? 0;
  const first = 3 + placeBytes;
  const place = plain.subarray(3, first);
  const size = count === allDestinations ? digestBytes : destinationBytes;
  const end = first + (count === allDestinations ? size : count * size);
  const destinations: Buffer[] = [];
  for (let at = first; at < end; at += size) destinations.push(plain.subarray(at, at + size));
  const behind = (head & hasBeside) === 0 ? end : end + destinationBytes;
  const beside = behind === end ? null : plain.subarray(end, behind);
  return { place, destinations, deciding, beside, form: head & ~hasBeside, packed: plain.subarray(behind) };
};

/** `limit`: bytes. Null for a value that was too long to go into its token, which never turns back, and for one that is longer than `limit`. */
export const valueOf = ({ form, packed }: Opened, limit: number): string | null => {
  switch (form) {
    case utf8:
      return packed.length > limit ? null : packed.toString("utf8");
    case deflated:
      return inflated(packed, limit)?.toString("utf8") ?? null;
    case utf16:
      return packed.length > limit ? null : packed.toString("utf16le");
    default:
      return null;
  }
};

const inflated = (packed: Buffer, limit: number): Buffer | null => {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(limit, longestPacked)) });
  } catch (error) {
    // What this gateway sealed is whole.
    if (error instanceof RangeError) return null;
    throw error;
  }
};
