/** Whom a refused token names, verified or not: worth a line in the audit log, and never believed. */

import { isTokenRefusal } from "../../errors.ts";
import { quote } from "../../model/quote.ts";
import { takeApart } from "./identify.ts";

/** `claimed sub 'repo:acme/app:…' of iss 'https://…'`, or that it is no token. */
export const claimedBy = (token: string): string => {
  const presented = takeApart(token);
  if (isTokenRefusal(presented)) return "somebody without a readable token";
  return `claimed sub ${quote(presented.claims.sub)} of iss ${quote(presented.claims.iss)}`;
};
