/**
 * Signs people in with an OpenID Connect provider: authorization code, PKCE, state, nonce, and an ID token whose signature is verified whatever
 * the way it came. The tokens are used to learn who somebody is, and forgotten.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html
 */

import * as openid from "openid-client";
import type { OidcSource } from "../model/config.ts";
import { isLoopback } from "../model/loopback.ts";
import { type Identity, SignInFailure } from "../model/person.ts";
import { boundedFetch } from "./bounded.ts";
import { explain } from "./explain.ts";
import { type Claims, type Reading, readIdentity } from "./identity.ts";

/** What the browser brings along on its way there. */
export type Away = {
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636, S256. */
  readonly challenge: string;
  readonly redirect: string;
};

/** What it comes back with; `query` as it stands in the address. */
export type Back = {
  readonly query: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirect: string;
};

export type OidcParts = { readonly fetch: typeof fetch; monotonic(): number };

/** Seconds: somebody waits before a page. */
const patience = 10;
/** ms; endpoints move seldom, and keys that are not known are asked for anyway. */
const discoveredFor = 60 * 60_000;

type Discovered = { readonly config: Promise<openid.Configuration>; readonly at: number };

export class OidcProvider {
  readonly #source: OidcSource;
  readonly #parts: OidcParts;
  readonly #reading: Reading;
  #discovered: Discovered | null = null;

  constructor(source: OidcSource, reading: Reading, parts: OidcParts) {
    this.#source = source;
    this.#reading = reading;
    this.#parts = parts;
  }

  /** @throws SignInFailure */
  async authorizeUrl({ state, nonce, challenge, redirect }: Away): Promise<string> {
    const config = await this.#configuration();
    return openid.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope: [...new Set(["openid", "profile", "email", ...this.#source.scopes])].join(" "),
      state,
      nonce,
      code_challenge: challenge,
      code_challenge_method: "S256",
    }).href;
  }

  /** @throws SignInFailure */
  async identify({ query, state, nonce, verifier, redirect }: Back): Promise<Identity> {
    const config = await this.#configuration();
    const url = new URL(redirect);
    url.search = query;
    try {
      const tokens = await openid.authorizationCodeGrant(config, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims: Claims = tokens.claims() ?? {};
      return readIdentity(this.#source, this.#reading, await this.#whole(config, claims, tokens.access_token));
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Many providers name groups at the userinfo endpoint only; it speaks of the same subject, or is not believed. */
  async #whole(config: openid.Configuration, claims: Claims, access_token: string): Promise<Claims> {
    const { groups, login } = this.#reading;
    const lacks = groups(claims)?.length === 0 || login(claims)?.length === 0;
    if (!lacks || config.serverMetadata().userinfo_endpoint === undefined) return claims;
    const more = await openid.fetchUserInfo(config, access_token, String(claims["sub"]));
    // What the signed token says is not said otherwise by an answer that nobody signed.
    return { ...more, ...claims };
  }

  /** One is fetched at a time; one that failed is not kept. */
  #configuration(): Promise<openid.Configuration> {
    const now = this.#parts.monotonic();
    if (this.#discovered !== null && now - this.#discovered.at < discoveredFor) return this.#discovered.config;
    const discovered: Discovered = { config: this.#discover(), at: now };
    this.#discovered = discovered;
    discovered.config.catch(() => {
      if (this.#discovered === discovered) this.#discovered = null;
    });
    return discovered.config;
  }

  async #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret, algorithm } = this.#source;
    const insecure = isLoopback(new URL(issuer).hostname) ? [openid.allowInsecureRequests] : [];
    const fetching = { [openid.customFetch]: boundedFetch(this.#parts.fetch), timeout: patience };
    try {
      const found = await openid.discovery(new URL(issuer), clientId, {}, openid.None(), {
        execute: insecure,
        ...fetching,
      });
      const server = found.serverMetadata();
      if (server.issuer !== issuer)
        throw new SignInFailure("refused", `its discovery document is of another issuer than ${issuer}`);
      // Left out, it would be whatever algorithm the provider lists: `none` and those of shared secrets are among them somewhere.
      const own = { id_token_signed_response_alg: algorithm };
      const config = new openid.Configuration(server, clientId, own, authentication(server, clientSecret?.reveal()));
      for (const allow of insecure) allow(config);
      Object.assign(config, fetching);
      openid.enableNonRepudiationChecks(config);
      return config;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained = (error: unknown): SignInFailure => explain(this.#source, error);
}

/** OpenID Connect Discovery §3: without a list it is `client_secret_basic`. */
const authentication = (
  { token_endpoint_auth_methods_supported: methods = ["client_secret_basic"] }: openid.ServerMetadata,
  secret: string | undefined,
): openid.ClientAuth => {
  if (secret === undefined) return openid.None();
  return methods.includes("client_secret_basic") ? openid.ClientSecretBasic(secret) : openid.ClientSecretPost(secret);
};
