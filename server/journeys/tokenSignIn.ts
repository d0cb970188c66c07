/** Signing in with an access token: the browser gets a cookie that stands for the token, and no copy of it. */

import { createHash, createHmac } from "node:crypto";
import type { AuditEvent } from "../model/audit.ts";
import type { AccessToken } from "../model/config.ts";
import type { People } from "../store/people.ts";
import { idleFor, signedInFor } from "./signIn.ts";

export type TokenSignInParts = {
  readonly people: People;
  tokens(): readonly AccessToken[];
  audit(event: AuditEvent): void;
  chance(bytes: number): Buffer;
};

/** The cookie. `before`: the one that the browser had, which ends. */
export async function signInWith(
  { people, audit, chance }: TokenSignInParts,
  token: AccessToken,
  { before, to, how }: { readonly before: string | null; readonly to: string; readonly how: string },
): Promise<string> {
  const cookie = chance(32).toString("base64url");
  const digest = digestOf(cookie);
  const who = { provider: "accessToken", issuer: "", subject: token.name, login: token.name, groups: [] };
  const ends = before === null ? null : digestOf(before);
  await people.signIn(who, { digest, before: ends, terms: proofOf(token, digest) }, signedInFor);
  audit({ kind: "sign_in", who: holderName(token), what: to, reason: how });
  return cookie;
}

/** Null when nobody is, any more, or the token or its role is another one by now. */
export async function holderOf(
  { people, tokens }: Pick<TokenSignInParts, "people" | "tokens">,
  cookie: string,
): Promise<AccessToken | null> {
  const digest = digestOf(cookie);
  const who = await people.signedIn(digest, idleFor);
  if (who?.provider !== "accessToken") return null;
  const token = tokens().find(({ name }) => name === who.subject);
  return token !== undefined && who.terms.equals(proofOf(token, digest)) ? token : null;
}

/** This sign-in, and every copy of its cookie; whoever else holds the token stays signed in. */
export async function endTokenSignIn(parts: TokenSignInParts, cookie: string): Promise<void> {
  const token = await holderOf(parts, cookie);
  await parts.people.signOut(digestOf(cookie));
  if (token !== null)
    parts.audit({ kind: "sign_out", who: holderName(token), what: "access token", reason: "asked to" });
}

export const holderName = ({ name, role }: AccessToken): string => `${name} (${role})`;

/** Keyed by the token itself: another token ends its sign-ins, and whoever writes into the database makes none. */
const proofOf = ({ token, role }: AccessToken, digest: Buffer): Buffer =>
  createHmac("sha256", token.reveal()).update(`dogwatch sign-in ${role} `).update(digest).digest();

const digestOf = (value: string): Buffer => createHash("sha256").update(value).digest();
