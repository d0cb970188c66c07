/** The keyed hash by which a masked value is found again: the same value gives the same hash wherever it stood, and the hash gives nothing. */

import { createHmac, type Hmac } from "node:crypto";
import { compact } from "../detect/validators.ts";
import type { MaskKey, MaskKeys } from "./keys.ts";

/** 16 bytes in base64url, under the newest key. For people with a role only: whoever can ask can guess. */
export const equalityHash = ([newest]: MaskKeys, kind: string, value: string): string =>
  hash(newest, normalize(kind, value));

/** Under every key, since what was recorded before a rotation has the older one's. */
export const equalityHashes = (keys: MaskKeys, kind: string, value: string): string[] =>
  keys.map((key) => hash(key, normalize(kind, value)));

/** Names something that is not stored: whoever has it and the newest key can tell that it was this, and nobody can guess it. */
export const keyedDigest = ([newest]: MaskKeys): Hmac => keyed(newest);

const hash = (key: MaskKey, value: string): string =>
  keyed(key).update(value).digest().subarray(0, 16).toString("base64url");

const keyed = ({ equality }: MaskKey): Hmac => createHmac("sha256", equality);

/** What people write in several ways is one value. The kind is no part of it: who searches for a value need not know what it was taken for. */
const normalize = (kind: string, value: string): string => {
  switch (kind) {
    case "email":
    case "ipv6":
    case "mac":
      return value.toLowerCase();
    case "phone":
    case "credit-card":
    case "ssn":
      return compact(value);
    case "iban":
      return compact(value).toUpperCase();
    default:
      return value;
  }
};
