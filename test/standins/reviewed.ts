/** A pull request whose job asks Datadog through a gateway, and the people who answer: a scene for tests of approvals. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApprovalJson, TokenAnswer } from "../../server/contract.ts";
import { type GitHubStandin, startGitHub } from "../../server/demo/github/standin.ts";
import type { App, Pull, Repository, Run } from "../../server/demo/github/state.ts";
import { type TestClaims, githubClaims } from "./issuer.ts";
import type { Answerer } from "./upstream.ts";
import { type Received, send } from "./send.ts";
import { auditorToken, exchange, type Scene, startScene, type WorldOptions } from "./world.ts";

export type Reviewed = Scene & {
  readonly github: GitHubStandin;
  readonly app: App;
  readonly repository: Repository;
  readonly pull: Pull;
  readonly run: Run;
  /** From now on GitHub delivers to this gateway. */
  deliverTo(url: string | null): void;
  /** As the job; `claims` go over those of the run. */
  openSession(url: string, claims?: TestClaims): Promise<TokenAnswer>;
  /** As the auditor sees them, newest first. */
  approvals(url: string): Promise<readonly ApprovalJson[]>;
  /** The newest approval of this session, once its question stands on GitHub. */
  asked(url: string, session_id: string): Promise<ApprovalJson>;
};

export type ReviewedOptions = WorldOptions & {
  /** Whose identity tokens the gateway takes: a test's own issuer (default), or that of the stand-in, for jobs that run the action. */
  readonly identity?: "test" | "github";
};

const deletesNeedSomebody = `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: humans, effect: approve, when: 'operation.access != "read"', approvers: { permission: write } }`;

/** octocat opened pull request 7, and its job runs; mona and ada may write as octocat may; stranger is nobody to the repository. */
export async function startReviewed(answer: Answerer, options: ReviewedOptions = {}): Promise<Reviewed> {
  const github = await startGitHub({ clock: () => new Date() });
  for (const login of ["octocat", "mona", "ada", "stranger"]) github.accounts.add(login);
  const repository = github.repositories.add("acme/app", { id: 70 });
  for (const login of ["octocat", "mona", "ada"]) github.repositories.permit(repository, login, "write");
  const path = ".github/workflows/agent.yml";
  const pull = github.pulls.open(repository, { author: "octocat", files: [path, "README.md"], number: 7 });
  const run = github.runs.start(repository, { id: 9001, actor: "octocat", event: "pull_request", path, pull });
  const app = await github.apps.register({ owner: "acme" });
  github.apps.install(app, { account: "acme" });
  const instead = options.identity === "github" ? { ...options.instead, issuer: github.issuer } : options.instead;
  const scene = await startScene(answer, {
    rules: deletesNeedSomebody,
    ...options,
    ...(instead !== undefined && { instead }),
  });
  const pem = join(scene.file, "../app.pem");
  writeFileSync(pem, app.pem, { mode: 0o600 });
  const section = `
github:
  apiUrl: ${github.apiUrl}
  appId: ${app.id}
  privateKey: \${file:${pem}}
  webhookSecret: ${app.webhook_secret}
`;
  writeFileSync(scene.file, readFileSync(scene.file, "utf8") + section);
  const claims = {
    ...githubClaims,
    aud: "http://gateway.test",
    sub: "repo:acme/app:pull_request",
    event_name: "pull_request",
    ref: "refs/pull/7/merge",
    head_ref: pull.branch,
  };
  const approvals = async (url: string): Promise<readonly ApprovalJson[]> => {
    const answer = await fetch(`${url}/v1/approvals?limit=200`, {
      headers: { authorization: `Bearer ${auditorToken}` },
    });
    if (answer.status !== 200) throw new Error(`/v1/approvals: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { items: ApprovalJson[] }).items;
  };
  return {
    ...scene,
    github,
    app,
    repository,
    pull,
    run,
    deliverTo: (url) => {
      app.webhook_url = url === null ? null : `${url}/webhooks/github`;
    },
    openSession: async (url, more = {}) => exchange(url, await scene.issuer.sign({ ...claims, ...more })),
    approvals,
    asked: async (url, session_id) => {
      for (;;) {
        const newest = (await approvals(url)).find((approval) => approval.session_id === session_id);
        if (newest?.where.some(({ kind }) => kind !== "page" && kind !== "check_run") === true) return newest;
        await sleep(20);
      }
    },
    close: async () => {
      await scene.close();
      await github.close();
    },
  };
}

/** A delete of monitor `id` by whoever holds this session's token; held until people have answered. */
export const deleteMonitor = (url: string, { access_token }: TokenAnswer, id: number): Promise<Received> =>
  send(url, {
    method: "DELETE",
    target: `/api/v1/monitor/${id}`,
    headers: [["DD-API-KEY", access_token]],
  });

/** How often a delete of this monitor arrived at Datadog. */
export const deletesOf = ({ upstream }: Pick<Scene, "upstream">, id: number): number =>
  upstream.requests.filter(({ method, url }) => method === "DELETE" && url === `/api/v1/monitor/${id}`).length;
