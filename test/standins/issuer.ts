/** An OpenID Connect issuer for tests: signs whatever it is told, rotates its keys, forges, and counts who fetches what. */

import { createHmac, randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";

export type SigningKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
};

export type TestIssuer = {
  /** Exact `iss`, `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** How often each document was asked for. */
  readonly fetches: { discovery: number; keys: number };
  /** The published keys, newest last; push to publish another. */
  readonly published: SigningKey[];
  /**
   * A token of this issuer, signed with its newest key: `claims` go over defaults (iss, sub, jti, iat, nbf, exp in five
   * minutes) and a claim that is `undefined` is left out; `header` goes over `{alg, kid, typ}`.
   */
  readonly sign: (claims: TestClaims, header?: Readonly<Record<string, unknown>>) => Promise<string>;
  /** The same, signed with a key the issuer may never have published. */
  readonly signWith: (key: SigningKey, claims: TestClaims) => Promise<string>;
  /** `alg: none`, without a signature. */
  readonly unsigned: (claims: TestClaims) => string;
  /** HS256 with the PEM of the published public key as the secret: the classic confusion. */
  readonly confused: (claims: TestClaims) => Promise<string>;
  /** Publishes a new key in place of all others. */
  readonly rotate: () => Promise<void>;
  /** Answers differently from now on: `null` takes it back. */
  readonly answerWith: (answer: ((path: string, response: ServerResponse) => boolean) | null) => void;
  readonly close: () => Promise<void>;
};

export type TestClaims = Readonly<Record<string, unknown>>;

/** What GitHub's token of a push to acme/app says; ids as strings, as GitHub sends them. */
export const githubClaims: TestClaims = {
  sub: "repo:acme/app:ref:refs/heads/main",
  repository: "acme/app",
  repository_id: "70",
  repository_owner: "acme",
  repository_owner_id: "1234",
  repository_visibility: "private",
  run_id: "9001",
  run_number: "12",
  run_attempt: "1",
  check_run_id: "555",
  event_name: "push",
  ref: "refs/heads/main",
  ref_type: "branch",
  sha: "0123456789abcdef0123456789abcdef01234567",
  actor: "octocat",
  actor_id: "583231",
  workflow: "agent",
  job_workflow_ref: "acme/app/.github/workflows/agent.yml@refs/heads/main",
  runner_environment: "github-hosted",
};

export const newKey = async (alg = "RS256"): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid: randomUUID(), alg, privateKey, publicKey };
};

/** `clock` dates the tokens; hand in the one of the gateway under test. */
export const startIssuer = async (clock: () => Date = () => new Date()): Promise<TestIssuer> => {
  const published = [await newKey()];
  const fetches = { discovery: 0, keys: 0 };
  let unusual: ((path: string, response: ServerResponse) => boolean) | null = null;

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const path = request.url ?? "/";
    if (path === "/.well-known/openid-configuration") fetches.discovery += 1;
    if (path === "/keys") fetches.keys += 1;
    if (unusual?.(path, response)) return;
    void answer(path, response);
  });
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const body = await document(path);
    response.writeHead(body === null ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const document = async (path: string): Promise<object | null> => {
    if (path === "/.well-known/openid-configuration") return { issuer: url, jwks_uri: `${url}/keys` };
    if (path === "/keys") return { keys: await Promise.all(published.map(publicJwk)) };
    return null;
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const withDefaults = (claims: TestClaims): Record<string, unknown> => {
    const seconds = Math.floor(clock().getTime() / 1000);
    const times = { iat: seconds, nbf: seconds - 10, exp: seconds + 300 };
    return { iss: url, sub: "agent-7", jti: randomUUID(), ...times, ...claims };
  };
  const newest = (): SigningKey => {
    const key = published.at(-1);
    if (key === undefined) throw new Error("the issuer publishes no key to sign with");
    return key;
  };
  const sign = (key: SigningKey, claims: TestClaims, header: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    new SignJWT(withDefaults(claims))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT", ...header })
      .sign(key.privateKey);

  return {
    url,
    fetches,
    published,
    sign: (claims, header) => sign(newest(), claims, header),
    signWith: (key, claims) => sign(key, claims),
    unsigned: (claims) => `${encode({ alg: "none", typ: "JWT" })}.${encode(withDefaults(claims))}.`,
    confused: async (claims) => {
      const key = newest();
      const input = `${encode({ alg: "HS256", typ: "JWT", kid: key.kid })}.${encode(withDefaults(claims))}`;
      const secret = await exportSPKI(key.publicKey);
      return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    },
    rotate: async () => {
      published.splice(0, published.length, await newKey());
    },
    answerWith: (answer) => {
      unusual = answer;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const publicJwk = async (key: SigningKey): Promise<JWK> => ({
  ...(await exportJWK(key.publicKey)),
  kid: key.kid,
  alg: key.alg,
  use: "sig",
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
