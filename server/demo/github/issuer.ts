/**
 * GitHub Actions' OpenID Connect: discovery, keys, and the endpoint at which a job with `id-token: write` asks for its identity token.
 *
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, type JWK } from "jose";

/** What GitHub would know of a job; everything may be replaced, and claims it does not list are added as they are. */
export type DemoJob = Readonly<Record<string, string>> & {
  readonly repository: string;
  readonly repository_id: string;
  readonly repository_owner_id: string;
};

/** The two variables that the runner sets in a job with `permissions: id-token: write`. */
export type IdTokenAccess = {
  readonly ACTIONS_ID_TOKEN_REQUEST_URL: string;
  readonly ACTIONS_ID_TOKEN_REQUEST_TOKEN: string;
};

export type IssuerAnswer = { readonly status: number; readonly body: object };

const tokenSeconds = 300;
/** GitHub dates `nbf` ten minutes back, for runners whose clocks are off. */
const notBeforeSeconds = 600;

type Key = { readonly privateKey: CryptoKey; readonly jwk: JWK; readonly kid: string };

export class Issuer {
  readonly #issuer: string;
  readonly #clock: () => Date;
  readonly #key: Key;
  readonly #jobs = new Map<string, DemoJob>();

  private constructor(issuer: string, clock: () => Date, key: Key) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#key = key;
  }

  static async create(issuer: string, clock: () => Date): Promise<Issuer> {
    const { privateKey, publicKey } = await generateKeyPair("RS256");
    const kid = randomUUID();
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" };
    return new Issuer(issuer, clock, { privateKey, jwk, kid });
  }

  /** Lets a job ask for identity tokens; each one it gets is new. */
  grant(job: DemoJob): IdTokenAccess {
    const token = randomBytes(32).toString("base64url");
    this.#jobs.set(digest(token), job);
    // The query is part of the real thing: clients append `&audience=…` to it.
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.#issuer}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
    };
  }

  /** Null: that is no address of the issuer. */
  async answer(url: URL, authorization: string | undefined): Promise<IssuerAnswer | null> {
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return { status: 200, body: discovery(this.#issuer) };
      case "/.well-known/jwks":
        return { status: 200, body: { keys: [this.#key.jwk] } };
      case "/idtoken": {
        const job = this.#jobs.get(digest(authorization?.replace(/^bearer /i, "") ?? ""));
        if (job === undefined) return { status: 401, body: { message: "Bad credentials" } };
        const audience = url.searchParams.get("audience") ?? `https://github.com/${ownerOf(job)}`;
        return { status: 200, body: { value: await this.#mint(job, audience) } };
      }
      default:
        return null;
    }
  }

  #mint(job: DemoJob, audience: string): Promise<string> {
    const seconds = Math.floor(this.#clock().getTime() / 1000);
    return new SignJWT({ ...claimsOf(job), jti: randomUUID() })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: this.#key.kid })
      .setIssuer(this.#issuer)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setNotBefore(seconds - notBeforeSeconds)
      .setExpirationTime(seconds + tokenSeconds)
      .sign(this.#key.privateKey);
  }
}
/** Every claim that a real token of github.com carries, with the values of a push to `main` where the job does not say. */
const claimsOf = (job: DemoJob): Record<string, string> => {
  const workflow = `${job.repository}/.github/workflows/agent.yml`;
  const defaults = {
    ref: "refs/heads/main",
    ref_type: "branch",
    sha: "0123456789abcdef0123456789abcdef01234567",
    repository_owner: ownerOf(job),
    repository_visibility: "private",
    event_name: "push",
    actor: "octocat",
    actor_id: "583231",
    workflow: "agent",
    head_ref: "",
    base_ref: "",
    run_id: "1",
    run_number: "1",
    run_attempt: "1",
    check_run_id: "1",
    runner_environment: "self-hosted",
  };
  const claims: Record<string, string> = { ...defaults, ...job };
  return {
    workflow_ref: `${workflow}@${claims.ref}`,
    workflow_sha: claims.sha ?? "",
    job_workflow_ref: `${workflow}@${claims.ref}`,
    job_workflow_sha: claims.sha ?? "",
    sub:
      claims.event_name === "pull_request"
        ? `repo:${job.repository}:pull_request`
        : `repo:${job.repository}:ref:${claims.ref}`,
    ...claims,
  };
};

const discovery = (issuer: string): object => ({
  issuer,
  jwks_uri: `${issuer}/.well-known/jwks`,
  subject_types_supported: ["public", "pairwise"],
  response_types_supported: ["id_token"],
  id_token_signing_alg_values_supported: ["RS256"],
  scopes_supported: ["openid"],
});

const ownerOf = (job: DemoJob): string => job.repository.split("/")[0] ?? "";

const digest = (token: string): string => createHash("sha256").update(token).digest("hex");
