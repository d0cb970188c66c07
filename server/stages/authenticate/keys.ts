/**
 * The keys an issuer signs with: found by discovery, kept for minutes, and asked for again when a key is unknown, but never
 * more often than the cooldown allows, however many tokens with invented key ids come in.
 *
 * Own code rather than jose's `createRemoteJWKSet`, which does not cool down after a failed fetch and has no clock to hand in.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */

import { createLocalJWKSet, errors, type CryptoKey, type JWSHeaderParameters } from "jose";
import { z } from "zod";
import { refuseToken, type TokenRefusal } from "../../errors.ts";
import { isLoopback } from "../../model/loopback.ts";
import { quote } from "../../model/quote.ts";
import { fetchDocument, type Fetch } from "./document.ts";

/** Milliseconds. */
export const keyTimes = {
  /** Keys older than this are asked for again… */
  fresh: 10 * 60_000,
  /** …and while the issuer cannot be reached the old ones serve until here. */
  stale: 20 * 60_000,
  /** Between two fetches for the sake of an unknown key id. */
  cooldown: 30_000,
  /** Between two attempts while there are no keys at all. */
  retry: 5_000,
  discovery: 60 * 60_000,
} as const;

export type KeyFinder = (header: JWSHeaderParameters) => Promise<CryptoKey | TokenRefusal>;

export type KeyParts = { readonly fetch: Fetch; readonly clock: () => Date };

type Held<T> = { readonly value: T; readonly at: number };

export const createKeyFinder = (issuer: string, { fetch, clock }: KeyParts): KeyFinder => {
  let located: Held<string> | null = null;
  let held: Held<ReturnType<typeof createLocalJWKSet>> | null = null;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let attempt: Promise<void> | null = null;
  let failure = "";

  const now = (): number => clock().getTime();

  const refresh = async (): Promise<void> => {
    try {
      if (located === null || now() - located.at > keyTimes.discovery)
        located = { value: await discover(fetch, issuer), at: now() };
      const keys = keySet.parse(await fetchDocument(fetch, located.value));
      held = { value: createLocalJWKSet(keys), at: now() };
      failure = "";
    } catch (error) {
      // The next attempt asks discovery again: the keys may have moved.
      located = null;
      failure = error instanceof z.ZodError ? "its key set is not one (RFC 7517)" : messageOf(error);
    }
  };

  /** Waits for the one attempt under way, or makes one if `pause` has passed since the last. */
  const refreshAfter = async (pause: number): Promise<void> => {
    if (attempt === null && now() - attemptedAt >= pause) {
      attemptedAt = now();
      attempt = refresh().finally(() => {
        attempt = null;
      });
    }
    await attempt;
  };

  const usable = (): typeof held => (held !== null && now() - held.at <= keyTimes.stale ? held : null);

  return async (header) => {
    if (usable() === null) await refreshAfter(keyTimes.retry);
    else if (held !== null && now() - held.at > keyTimes.fresh) await refreshAfter(keyTimes.cooldown);
    const keys = usable();
    if (keys === null) return unreachable(issuer, failure);

    const key = await findIn(keys.value, header);
    if (key !== null) return key;
    await refreshAfter(keyTimes.cooldown);
    const found = await findIn((usable() ?? keys).value, header);
    return found ?? unknownKey(header, attemptedAt + keyTimes.cooldown - now());
  };
};

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(1000) });

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.url() });

const discover = async (fetch: Fetch, issuer: string): Promise<string> => {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const parsed = discoveryDocument.safeParse(await fetchDocument(fetch, url));
  if (!parsed.success) throw new Error(`${url} names no issuer and jwks_uri`);
  // OpenID Connect Discovery §4.3: exactly, or another issuer's keys would vouch for this one.
  if (parsed.data.issuer !== issuer) throw new Error(`${url} is of another issuer, ${quote(parsed.data.issuer)}`);
  const keys = new URL(parsed.data.jwks_uri);
  const plain = keys.protocol === "http:" && issuer.startsWith("http:") && isLoopback(keys.hostname);
  if (keys.protocol !== "https:" && !plain) throw new Error(`${url} has a jwks_uri that is not https`);
  return keys.href;
};

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** One key or none: several that fit (a token without `kid`) are as good as none, for nothing says which is meant. */
const findIn = async (keys: LocalKeys, header: JWSHeaderParameters): Promise<CryptoKey | null> => {
  try {
    return await keys(header);
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    // A key that cannot be imported verifies nothing.
    if (error instanceof DOMException || error instanceof TypeError) return null;
    throw error;
  }
};

const unreachable = (issuer: string, failure: string): TokenRefusal =>
  refuseToken(
    "issuer_unreachable",
    `the keys of issuer ${quote(issuer)} cannot be had; try again in a moment`,
    failure,
  );

const unknownKey = ({ kid, alg }: JWSHeaderParameters, pause: number): TokenRefusal => {
  const what =
    kid === undefined
      ? `the token names no kid, and not exactly one key of the issuer is for ${quote(alg)}`
      : `kid ${quote(kid)} is none of the issuer's published keys for ${quote(alg)}`;
  const seconds = Math.max(0, Math.ceil(pause / 1000));
  return refuseToken("key_unknown", `${what}; they are asked for again in ${seconds} s`);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
