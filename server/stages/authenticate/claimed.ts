/** Whom a token names that was not verified: worth a line in the audit log, and never believed. */

import { isTokenRefusal } from "../../errors.ts";
import { quote } from "../../model/quote.ts";
import { takeApart } from "./identify.ts";

/** `unverified sub 'repo:acme/app:…' of iss 'https://…'`, or that it is no token. */
export const claimedBy = (token: string): string => {
  const presented = takeApart(token);
  if (isTokenRefusal(presented)) return "somebody without a readable token";
  return `unverified sub ${quote(presented.claims.sub)} of iss ${quote(presented.claims.iss)}`;
};
