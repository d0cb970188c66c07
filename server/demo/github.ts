/**
 * A stand-in of GitHub Actions' OpenID Connect on this machine, so that a sample job can prove who it is without GitHub:
 * discovery, keys, and the endpoint at which a job with `id-token: write` asks for its identity token.
 *
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type JWK } from "jose";

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

export type DemoGitHub = {
  /** Exact `iss` of its tokens. */
  readonly issuer: string;
  /** Lets a job ask for identity tokens; each one it gets is new. */
  readonly grant: (job: DemoJob) => IdTokenAccess;
  readonly close: () => Promise<void>;
};

/** `port` 0 takes any free one; a fixed one keeps the issuer's name from start to start. */
export type DemoGitHubOptions = { readonly clock: () => Date; readonly port?: number };

const tokenSeconds = 300;
/** GitHub dates `nbf` ten minutes back, for runners whose clocks are off. */
const notBeforeSeconds = 600;

export const startDemoGitHub = async ({ clock, port = 0 }: DemoGitHubOptions): Promise<DemoGitHub> => {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const kid = randomUUID();
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" };
  const jobs = new Map<string, DemoJob>();

  const mint = (job: DemoJob, audience: string): Promise<string> => {
    const seconds = Math.floor(clock().getTime() / 1000);
    return new SignJWT({ ...claimsOf(job), jti: randomUUID() })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setNotBefore(seconds - notBeforeSeconds)
      .setExpirationTime(seconds + tokenSeconds)
      .sign(privateKey);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", issuer);
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return send(response, 200, discovery(issuer));
      case "/.well-known/jwks":
        return send(response, 200, { keys: [jwk] });
      case "/idtoken": {
        const job = jobs.get(digest(request.headers.authorization?.replace(/^bearer /i, "") ?? ""));
        if (job === undefined) return send(response, 401, { message: "Bad credentials" });
        const audience = url.searchParams.get("audience") ?? `https://github.com/${ownerOf(job)}`;
        return send(response, 200, { value: await mint(job, audience) });
      }
      default:
        return send(response, 404, { message: "Not Found" });
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    grant: (job) => {
      const token = randomBytes(32).toString("base64url");
      jobs.set(digest(token), job);
      // The query is part of the real thing: clients append `&audience=…` to it.
      return {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/idtoken?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

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

const send = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
};
