/**
 * Who presents an identity token: the token is taken apart, its issuer looked up in the allow-list, its signature and claims
 * verified, and the issuer's `allow` asked. Nothing in it is believed before the signature is.
 */

import { createHash } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from "jose";
import { isTokenRefusal, refuseToken, type TokenRefusal } from "../../errors.ts";
import { describeRun, lackingClaim, namesRun, refusedEvent } from "../../github/oidc.ts";
import { flattenCaller, type Caller } from "../../model/caller.ts";
import type { Issuer } from "../../model/config.ts";
import { quote } from "../../model/quote.ts";
import { explainFailure } from "./explain.ts";
import { readGroupsAt, type GroupsReader } from "../../model/groupsClaim.ts";
import { createKeyFinder, type KeyFinder, type KeyParts } from "./keys.ts";

/** The compiled `allow` of an issuer or a connection: yes, or the reason for the audit log. */
export type Allowance = (caller: Readonly<Record<string, unknown>>) => true | { readonly reason: string };

/** An issuer of the allow-list, ready to verify. */
export type TrustedIssuer = {
  readonly issuer: Issuer;
  readonly allow: Allowance;
  readonly findKey: KeyFinder;
  readonly groupsOf: GroupsReader;
  readonly clock: () => Date;
};

/** @throws Error when the issuer's `groups` is not a path. */
export const trustIssuer = (issuer: Issuer, allow: Allowance, parts: KeyParts): TrustedIssuer => ({
  issuer,
  allow,
  findKey: createKeyFinder(issuer.issuer, parts),
  groupsOf: issuer.groups === undefined ? () => [] : readGroupsAt(issuer.groups),
  clock: parts.clock,
});

export type Identity = {
  readonly caller: Caller;
  /** What may be used once: the token's `jti`, or the digest of what was signed where an issuer sends none. */
  readonly token_id: string;
  /** Until when `token_id` must be remembered: after that the token is too old anyway. */
  readonly expires_at: Date;
};

/** `exp`, `nbf` and `iat` may be this far off. */
export const leewaySeconds = 30;
const longestToken = 16 * 1024;

/** Signatures that only the holder of a private key can make; nothing else is ever accepted, whatever is configured. */
const asymmetric = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/;

/** Does not use up the token: that is for whoever opens a session with it. */
export const identify = async (trusted: readonly TrustedIssuer[], token: string): Promise<Identity | TokenRefusal> => {
  const presented = takeApart(token);
  if (isTokenRefusal(presented)) return presented;
  const one = choose(trusted, presented.claims);
  if (isTokenRefusal(one)) return one;
  const claims = await verify(one, token, presented.header);
  if (isTokenRefusal(claims)) return claims;
  const refusal = refusedClaims(one, claims);
  if (refusal !== null) return refusal;
  const caller = callerOf(one, claims);
  if (isTokenRefusal(caller)) return caller;
  return allowed(one, caller) ?? { caller, token_id: tokenId(token, claims), expires_at: forgettable(claims) };
};

type Unverified = { readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload };

/** Bounded before it is parsed; what comes out is not to be believed yet. */
export const takeApart = (token: string): Unverified | TokenRefusal => {
  if (token.length > longestToken)
    return refuseToken(
      "token_malformed",
      `subject_token has ${token.length} characters; at most ${longestToken} are read`,
    );
  if (!compactForm.test(token)) return notSigned;
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    return notSigned;
  }
};

/** RFC 7515 §7.1. The library also takes a signature with white space or padding in it, and one token would have many texts. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]*$/;

const notSigned = refuseToken(
  "token_malformed",
  "subject_token is not a signed JWT (RFC 7519): three base64url parts with dots, and nothing around them",
);

const choose = (trusted: readonly TrustedIssuer[], claims: JWTPayload): TrustedIssuer | TokenRefusal => {
  const named = trusted.filter((one) => one.issuer.issuer === claims.iss);
  const meant = named.find((one) => [claims.aud].flat().includes(one.issuer.audience)) ?? named[0];
  return meant ?? refuseToken("issuer_unknown", `iss is ${quote(claims.iss)}, which is none of identity.issuers here`);
};

const verify = async (
  { issuer, findKey, clock }: TrustedIssuer,
  token: string,
  header: ProtectedHeaderParameters,
): Promise<JWTPayload | TokenRefusal> => {
  const algorithms = issuer.algorithms.filter((name) => asymmetric.test(name));
  const { alg, kid } = header;
  if (alg === undefined || !algorithms.includes(alg))
    return refuseToken(
      "algorithm_refused",
      `alg is ${quote(alg)}; issuer ${issuer.name} signs with ${algorithms.join(", ")}`,
    );
  const key = await findKey(kid === undefined ? { alg } : { alg, kid });
  if (isTokenRefusal(key)) return key;
  try {
    const verified = await jwtVerify(token, key, {
      algorithms,
      issuer: issuer.issuer,
      audience: issuer.audience,
      clockTolerance: leewaySeconds,
      currentDate: clock(),
      requiredClaims: ["exp", "iat", "sub"],
    });
    return verified.payload;
  } catch (error) {
    return explainFailure(error, issuer, clock());
  }
};

/** What the library does not ask for: one audience, not issued in the future, a subject, and GitHub's own rules. */
const refusedClaims = ({ issuer, clock }: TrustedIssuer, claims: JWTPayload): TokenRefusal | null => {
  if (typeof claims.aud !== "string" && !(mayList(issuer, claims) && claims.aud?.length === 1))
    return refuseToken(
      "audience_mismatch",
      `aud is the list ${quote(claims.aud)}; a token for this gateway alone has the one text ${quote(issuer.audience)}`,
    );
  const ahead = (claims.iat ?? 0) - clock().getTime() / 1000;
  if (ahead > leewaySeconds)
    return refuseToken(
      "token_early",
      `iat is ${Math.round(ahead)} s in the future; check the clocks of issuer and gateway`,
    );
  if (claims.sub === "") return refuseToken("token_malformed", "claim sub is empty");
  if (unstorable.test(JSON.stringify(claims)))
    return refuseToken("token_malformed", "a claim contains U+0000 or half a surrogate pair, which is no text");
  if (issuer.kind === "github") {
    const lacking = lackingClaim(claims) ?? (claims.jti === undefined ? noTokenId : null);
    if (lacking !== null) return lacking;
  }
  return refusedEvent(claims, issuer.events);
};

/** Kubernetes writes even a single audience as a list; GitHub never does, so a list is nothing GitHub made for us. */
const mayList = (issuer: Issuer, claims: JWTPayload): boolean => issuer.kind !== "github" && !namesRun(claims);

/** As `JSON.stringify` writes NUL and lone surrogates; PostgreSQL's jsonb takes neither. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

const noTokenId = refuseToken("token_malformed", "claim jti is nothing, and every GitHub Actions token has it");

const callerOf = ({ issuer, groupsOf }: TrustedIssuer, claims: JWTPayload): Caller | TokenRefusal => {
  const groups = groupsOf(claims);
  if (groups === null)
    return refuseToken("token_malformed", `the groups claim ${quote(issuer.groups)} is not a list of names`);
  return { issuer: issuer.issuer, issuer_name: issuer.name, subject: claims.sub ?? "", groups, claims };
};

const allowed = ({ issuer, allow }: TrustedIssuer, caller: Caller): TokenRefusal | null => {
  const answer = allow(flattenCaller(caller));
  if (answer === true) return null;
  const who = namesRun(caller.claims) ? describeRun(caller.claims) : `sub ${quote(caller.subject)}`;
  return refuseToken("caller_not_allowed", `allow of issuer ${issuer.name} does not hold for ${who}`, answer.reason);
};

/** A signed token cannot be altered without breaking it, so the digest of what was signed names it as well as a `jti`. */
const tokenId = (token: string, claims: JWTPayload): string =>
  typeof claims.jti === "string" && claims.jti !== ""
    ? claims.jti
    : `sha256:${createHash("sha256")
        .update(token.slice(0, token.lastIndexOf(".")))
        .digest("hex")}`;

const forgettable = (claims: JWTPayload): Date => new Date(((claims.exp ?? 0) + leewaySeconds + 1) * 1000);
