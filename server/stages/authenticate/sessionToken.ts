/** The token a session goes by: 256 random bits that mean nothing anywhere else, known to the database by digest only. */

import { hash } from "node:crypto";

/** `dws_` and 43 characters of base64url. The prefix lets secret scanners and people know it. */
export const sessionTokenPattern = /^dws_[A-Za-z0-9_-]{43}$/;

/** Every session token in a text, for whoever must not write one down. */
export const sessionTokensIn = /dws_[A-Za-z0-9_-]{43}/g;

export type SessionToken = { readonly token: string; readonly digest: Buffer };

/** `chance` gives that many random bytes, `crypto.randomBytes`. */
export const mintSessionToken = (chance: (size: number) => Buffer): SessionToken => {
  const token = `dws_${chance(32).toString("base64url")}`;
  return { token, digest: digestOf(token) };
};

/** SHA-256: the token has more entropy than any search can cover, so it needs no salt and no slow hash. */
export const digestOf = (token: string): Buffer => hash("sha256", token, "buffer");

/** The same in base64. */
export const digestTextOf = (token: string): string => hash("sha256", token, "base64");
