/** A stand-in with an organization, two people and an App in it, for a test file; every exchange is held against GitHub's description. */

import { createPrivateKey } from "node:crypto";
import { SignJWT } from "jose";
import type { Exchange } from "../../../server/demo/github/requests.ts";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { App, Installation, Permissions, Pull, Repository, Run } from "../../../server/demo/github/state.ts";
import { openGitHubSpec } from "../../standins/githubSpec.ts";

const spec = openGitHubSpec();

export const workflow = ".github/workflows/agent.yml";

/** A pull request's commits are not among the operations that are described, each of them is. */
const check = (exchange: Exchange): string[] => {
  if (spec === null) return [];
  const [, repository] = /^(\/repos\/[^/]+\/[^/]+)\/pulls\/\d+\/commits$/.exec(exchange.path) ?? [];
  if (repository === undefined || exchange.status !== 200)
    return spec.check(repository === undefined ? exchange : { ...exchange, path: repository });
  const commits = exchange.responseBody as { readonly sha: string }[];
  return commits.flatMap((commit) =>
    spec.check({ ...exchange, path: `${repository}/commits/${commit.sha}`, responseBody: commit }),
  );
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what GitHub says is checked against its description, and then looked into
  readonly body: any;
};

export class Acme {
  readonly github: GitHubStandin;
  readonly checkout: Repository;
  readonly pull: Pull;
  readonly run: Run;
  readonly app: App;
  readonly installation: Installation;
  readonly findings: string[];
  readonly clock: { now: Date };

  private constructor(parts: Omit<Acme, "ask" | "jwt" | "token" | "close" | "later">) {
    Object.assign(this, parts);
    this.github = parts.github;
    this.checkout = parts.checkout;
    this.pull = parts.pull;
    this.run = parts.run;
    this.app = parts.app;
    this.installation = parts.installation;
    this.findings = parts.findings;
    this.clock = parts.clock;
  }

  static async open(app: { readonly permissions?: Permissions } = {}): Promise<Acme> {
    const findings: string[] = [];
    const clock = { now: new Date("2026-01-02T03:04:05.678Z") };
    const onExchange = (exchange: Exchange): void => void findings.push(...check(exchange));
    const github = await startGitHub({ clock: () => clock.now, onExchange });
    const { accounts, repositories, pulls, runs, apps } = github;
    accounts.add("acme", { id: 1234, type: "Organization" });
    for (const login of ["octocat", "mona", "rita"]) accounts.add(login);
    const checkout = repositories.add("acme/checkout", { id: 70, files: { "README.md": "Checkout\n" } });
    repositories.permit(checkout, "octocat", "write");
    repositories.permit(checkout, "mona", "maintain");
    repositories.permit(checkout, "rita", "read");
    const pull = pulls.open(checkout, { author: "octocat", number: 7, files: [workflow, "src/cart.ts"] });
    const run = runs.start(checkout, { id: 9001, actor: "octocat", pull });
    const registered = await apps.register({ owner: "acme", ...app });
    const installation = apps.install(registered, { account: "acme" });
    return new Acme({ github, checkout, pull, run, app: registered, installation, findings, clock });
  }

  async ask(
    method: string,
    path: string,
    more: { token?: string; body?: unknown; headers?: object } = {},
  ): Promise<Answer> {
    const { token, body, headers } = more;
    const answer = await fetch(`${this.github.apiUrl}${path}`, {
      method,
      redirect: "manual",
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** The App's own token; seconds from now. */
  jwt({ iss = String(this.app.id), iat = -30, exp = 570, pem = this.app.pem } = {}): Promise<string> {
    const now = Math.floor(this.clock.now.getTime() / 1_000);
    return new SignJWT({ iss, iat: now + iat, exp: now + exp })
      .setProtectedHeader({ alg: "RS256" })
      .sign(createPrivateKey(pem));
  }

  /** Of the installation, for all that it may. */
  token(): string {
    return this.github.apps.token(this.installation);
  }

  later(ms: number): void {
    this.clock.now = new Date(this.clock.now.getTime() + ms);
  }

  async close(): Promise<void> {
    await this.github.close();
    if (this.findings.length > 0)
      throw new Error(`GitHub's description does not have it so:\n${this.findings.join("\n")}`);
  }
}
