/** CODE: what a person repeats to show which question they mean. */

import { createHmac } from "node:crypto";

/** 32 of A–Z and 0–9, without those that are taken for one another. */
const letters = "ABCDEFGHJKMNPQRSTVWXYZ0123456789";
const length = 8;

/** `nonce` is fresh for every question, so that nobody who knows a request can tell its CODE before it is asked. */
export type CodeOf = { readonly approval_id: string; readonly nonce: string; readonly digest: string };

export const codeOf = ({ approval_id, nonce, digest }: CodeOf, key: Buffer): string => {
  const mac = createHmac("sha256", key)
    .update(JSON.stringify([approval_id, nonce, digest]))
    .digest();
  // 256 is a multiple of 32: no letter is likelier than another.
  return [...mac.subarray(0, length)].map((byte) => letters[byte % letters.length] ?? "").join("");
};
