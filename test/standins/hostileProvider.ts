/** An OpenID Connect provider that gives whatever ID token it is told: for what no honest one does. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { newKey, startIssuer, type TestClaims, type TestIssuer } from "./issuer.ts";

export type HostileProvider = {
  readonly issuer: TestIssuer;
  readonly url: string;
  /** Takes the place of the next ID token's claims, over those of an honest one; `nonce` is what the browser was sent with. */
  claims: TestClaims;
  /** How it is signed. */
  signing: "honest" | "none" | "confused" | "unknown key" | "another algorithm";
  /** What the token endpoint answers in place of tokens. */
  instead: { readonly status: number; readonly body: string } | null;
  /** Of the discovery document. */
  metadata: TestClaims;
  /** Forms that came to the token endpoint. */
  readonly exchanges: URLSearchParams[];
  /** What the userinfo endpoint says; null: there is none. */
  userinfo: TestClaims | null;
  /** Back to honesty. */
  reset(): void;
  /** The nonce of a way to its page. */
  nonceOf(away: URL): string;
  close(): Promise<void>;
};

export async function startHostileProvider(clientId: string): Promise<HostileProvider> {
  const issuer = await startIssuer();
  const { url } = issuer;
  const used = new Set<string>();
  const stranger = await newKey();
  const elliptic = await newKey("ES256");
  const honest = { claims: {}, signing: "honest", instead: null, metadata: {}, userinfo: null } as const;
  const json = (response: ServerResponse, status: number, body: unknown): true => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    return true;
  };

  const provider: HostileProvider = {
    issuer,
    url,
    ...honest,
    exchanges: [],
    reset: () => void Object.assign(provider, honest),
    nonceOf: (away) => away.searchParams.get("nonce") ?? "",
    close: issuer.close,
  };

  const idToken = async (nonce: string): Promise<string> => {
    const claims = { sub: "account-1", aud: clientId, nonce, groups: ["security"], ...provider.claims };
    switch (provider.signing) {
      case "honest":
        return issuer.sign(claims);
      case "none":
        return issuer.unsigned(claims);
      case "confused":
        return issuer.confused(claims);
      case "unknown key":
        return issuer.signWith(stranger, claims);
      case "another algorithm":
        if (!issuer.published.includes(elliptic)) issuer.published.unshift(elliptic);
        return issuer.signWith(elliptic, claims);
      default:
        return provider.signing satisfies never;
    }
  };

  /** A code is `NONCE.ANYTHING`, and good once. */
  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    provider.exchanges.push(form);
    const code = form.get("code") ?? "";
    if (provider.instead !== null) {
      response.writeHead(provider.instead.status, { "content-type": "application/json" }).end(provider.instead.body);
      return;
    }
    if (used.has(code)) return void json(response, 400, { error: "invalid_grant" });
    used.add(code);
    const id_token = await idToken(code.split(".")[0] ?? "");
    json(response, 200, { access_token: "access-token-of-the-tests", token_type: "Bearer", id_token });
  };

  issuer.answerWith((path, response) => {
    if (path === "/.well-known/openid-configuration")
      return json(response, 200, {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/keys`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256", "ES256", "none", "HS256"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        ...(provider.userinfo === null ? {} : { userinfo_endpoint: `${url}/userinfo` }),
        ...provider.metadata,
      });
    if (path === "/userinfo") return json(response, 200, provider.userinfo);
    if (path !== "/token") return false;
    void exchange(response.req, response);
    return true;
  });
  return provider;
}
