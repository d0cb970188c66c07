/** Where identity tokens come from: each is fresh, for the gateway accepts a token once. */

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ask, type Network } from "./network.ts";

/** Gives a fresh identity token (a JWT), or throws an `IdentityProblem`. */
export type MintToken = () => Promise<string>;

/** No identity token could be had; the message is one line that says what to do. */
export class IdentityProblem extends Error {
  /** True where no workflow change helps: GitHub gives no identity to runs of pull requests from forks. */
  readonly fork: boolean;
  constructor(message: string, options?: ErrorOptions & { readonly fork?: boolean }) {
    super(message, options);
    this.name = "IdentityProblem";
    this.fork = options?.fork ?? false;
  }
}

/** GitHub's offer to a job with `permissions: id-token: write`. */
export type TokenRequest = { readonly url: string; readonly bearer: string };

const missing =
  "the job may not ask GitHub for an identity token: add `permissions: id-token: write` to the workflow or job";

const missingInFork =
  "GitHub gives no identity token to this run, because its pull request comes from a fork: skip the step with `if: github.event.pull_request.head.repo.full_name == github.repository`, or set `on-unavailable: skip`";

/** What GitHub offers this job, from the runner's environment. @param event the parsed event, of which only the pull request matters */
export const tokenRequestOf = (env: NodeJS.ProcessEnv, event: unknown): TokenRequest => {
  const [url, bearer] = [env["ACTIONS_ID_TOKEN_REQUEST_URL"], env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]];
  if (url && bearer) return { url, bearer };
  throw isForkEvent(event) ? new IdentityProblem(missingInFork, { fork: true }) : new IdentityProblem(missing);
};

const pullRequestEvent = z.object({
  pull_request: z.object({
    head: z.object({ repo: z.object({ full_name: z.string() }).nullable() }),
    base: z.object({ repo: z.object({ full_name: z.string() }) }),
  }),
});

const isForkEvent = (event: unknown): boolean => {
  const parsed = pullRequestEvent.safeParse(event);
  if (!parsed.success) return false;
  const { head, base } = parsed.data.pull_request;
  return head.repo?.full_name !== base.repo.full_name;
};

const tokenAnswer = z.object({ value: z.string().min(1) });

/**
 * Asks GitHub for a token.
 * Source: https://docs.github.com/en/actions/reference/security/oidc ("Methods for requesting the OIDC token")
 */
export const fromGitHub =
  (request: TokenRequest, audience: string, network: Network): MintToken =>
  async () => {
    const url = new URL(request.url);
    url.searchParams.set("audience", audience);
    const headers = { authorization: `Bearer ${request.bearer}`, accept: "application/json", "user-agent": "dogwatch" };
    const answer = await ask(network, { method: "GET", url, headers }).catch((error: Error) => {
      throw new IdentityProblem(`GitHub's token service cannot be reached (${reasonOf(error)})`, { cause: error });
    });
    const parsed = answer.status === 200 ? tokenAnswer.safeParse(parseJson(answer.text)) : undefined;
    if (!parsed?.success) throw new IdentityProblem(`GitHub's token service gave no token (HTTP ${answer.status})`);
    return parsed.data.value;
  };

/** Reads the file anew each time: Kubernetes and others rotate it in place. */
export const fromFile =
  (path: string): MintToken =>
  async () => {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new IdentityProblem(`the token file ${path} cannot be read (${error.code})`, { cause: error });
    });
    if (text.trim() === "") throw new IdentityProblem(`the token file ${path} is empty`);
    return text.trim();
  };

/** Runs a shell command that prints a token; it finds the audience in `DOGWATCH_AUDIENCE`. */
export const fromCommand =
  (command: string, audience: string): MintToken =>
  () =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, DOGWATCH_AUDIENCE: audience };
      const child = spawn(command, { shell: true, env, stdio: ["ignore", "pipe", "inherit"], timeout: 60_000 });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      child.once("error", (error) => reject(new IdentityProblem(`the token command failed (${error.message})`)));
      child.once("close", (code) => {
        if (code !== 0) reject(new IdentityProblem(`the token command failed (exit code ${code})`));
        else if (text.trim() === "") reject(new IdentityProblem("the token command printed nothing"));
        else resolve(text.trim());
      });
    });

/** `ECONNREFUSED`, or what else there is to say of a failed connection. */
export const reasonOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.message ?? error.name;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
