/** A gateway before the stand-in for GitHub, with a job whose question waits, and people with browsers. */

import { isReplicated } from "../../standins/replicas.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { Gateway, GatewayOptions } from "../../../server/app.ts";
import { startReplicas } from "../../standins/replicas.ts";
import type { ApprovalJson, TokenAnswer } from "../../../server/contract.ts";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { App, Repository, Run } from "../../../server/demo/github/state.ts";
import { Browser, type Visited } from "../../standins/browser.ts";
import { type Received, send } from "../../standins/send.ts";
import { auditorToken, exchange, type Scene, startScene, type Visit, visit } from "../../standins/world.ts";

/** As the configuration of tests names the gateway. */
export const home = "http://gateway.test";
export const adminToken = "admin-token-of-the-tests-0123456789";
export const viewerToken = "viewer-token-of-the-tests-0123456789";

export type PeopleScene = Visit & {
  readonly github: GitHubStandin;
  readonly app: App;
  readonly repository: Repository;
  readonly scene: Scene;
  readonly gateway: Gateway;
  readonly log: readonly string[];
  browser(): Browser;
  /** Signed in with GitHub as this account. */
  as(login: string): Promise<Browser>;
  /** A call that is held, and its question. */
  ask(request?: AskedRequest): Promise<{ readonly approval: ApprovalJson; readonly answer: Promise<Received> }>;
  approval(id: string): Promise<ApprovalJson>;
  close(): Promise<void>;
};

export type AskedRequest = {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly repository?: Repository;
  readonly actor?: string;
};

export type PeopleOptions = {
  readonly rule?: string;
  /** More of `github:` in the configuration; with `null` there is no such section. */
  readonly github?: string | null;
  readonly more?: string;
  /** What Datadog shows at every path. */
  readonly shown?: object;
  /** In place of that Datadog. */
  readonly endpoint?: string;
  /** More items of `connections` in YAML. */
  readonly connections?: string;
  /** For trials of edited policies. */
  readonly trialPatience?: GatewayOptions["trialPatience"];
  /** In place of those that allow reads and ask about everything else. */
  readonly rules?: string;
};

export async function startPeople(options: PeopleOptions = {}): Promise<PeopleScene> {
  const github = await startGitHub({ clock: () => new Date() });
  const { accounts, repositories, apps } = github;
  accounts.add("acme", { id: 1234, type: "Organization" });
  for (const login of ["mona", "octocat", "hubot", "reader", "stranger"]) accounts.add(login);
  const repository = repositories.add("acme/app");
  for (const login of ["mona", "octocat", "hubot"]) repositories.permit(repository, login, "write");
  repositories.permit(repository, "reader", "read");
  const app = await apps.register({ owner: "acme", callback_urls: [`${home}/sign-in/github/callback`] });
  apps.install(app, { account: "acme" });
  const scene = await startScene(
    ({ method }) => ({
      status: 200,
      headers: [["content-type", "application/json"]],
      body: method === "GET" ? JSON.stringify(options.shown ?? { id: 4212, name: "Checkout latency p99" }) : "{}",
    }),
    {
      rules:
        options.rules ??
        `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: writes-need-a-human, effect: approve, when: 'operation.access in ["write", "destructive"]'${options.rule === undefined ? "" : `, ${options.rule}`} }`,
      instead: { issuer: github.issuer, ...(options.endpoint !== undefined && { endpoint: options.endpoint }) },
      ...(options.connections !== undefined && { connections: options.connections }),
      tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: boss, role: admin, token: ${adminToken} }, { name: looker, role: viewer, token: ${viewerToken} }]`,
      more: [options.github === null ? "" : sectionOf(github, app, options.github ?? ""), options.more ?? ""].join(
        "\n",
      ),
    },
  );
  const log: string[] = [];
  const gateway = await startReplicas({
    file: scene.file,
    env: {},
    log: pino({ level: "debug" }, { write: (line: string) => log.push(line) }),
    patience: 1_000,
    trialPatience: options.trialPatience,
  });
  app.webhook_url = `${gateway.url}/webhooks/github`;
  const visitor = visit(gateway.url, scene.issuer);
  const browser = (): Browser => new Browser({ hosts: { [home]: gateway.url } });
  const approval = async (id: string): Promise<ApprovalJson> =>
    (await (await visitor.read(`/v1/approvals/${id}`)).json()) as ApprovalJson;
  return {
    ...visitor,
    github,
    app,
    repository,
    scene,
    gateway,
    log,
    browser,
    approval,
    as: async (login) => {
      const one = browser();
      await signIn(one, github, { login, to: "/approvals" });
      return one;
    },
    ask: async ({ method = "DELETE", path = "/api/v1/monitor/4212", body, repository: where, actor = "mona" } = {}) => {
      const session = await openJob(github, gateway.url, { repository: where ?? repository, actor });
      const answer = sendCall(gateway.url, session, { method, path, body });
      // Most tests ask and never answer: the gateway's end is the answer's.
      const ends: string[] = [];
      answer.then(
        ({ status, body }) => ends.push(`${status} ${body.toString()}`),
        (error: unknown) => ends.push(String(error)),
      );
      const asked = await eventually(async () => {
        const [end] = ends;
        const { items } = (await (await visitor.read("/v1/approvals?limit=200")).json()) as { items: ApprovalJson[] };
        const found = items.find(({ session_id }) => session_id === session.session_id);
        // The call is noted with its question a moment after it asked.
        if (found !== undefined && found.call_id !== null) return found;
        if (end !== undefined) throw new Error(`it ended before it was asked about: ${end}`);
        return null;
      });
      return { approval: asked, answer };
    },
    close: async () => {
      await gateway.close();
      await github.close();
      await scene.close();
    },
  };
}

const sectionOf = ({ apiUrl }: GitHubStandin, app: App, more: string): string =>
  `github:\n  apiUrl: ${apiUrl}\n  appId: ${app.id}\n  privateKey: ${JSON.stringify(app.pem)}\n  webhookSecret: ${app.webhook_secret}\n  clientId: ${app.client_id}\n  clientSecret: ${app.client_secret}\n${more}`;

/** Through GitHub's page, as whoever the visitor is there. */
export async function signIn(
  browser: Browser,
  github: GitHubStandin,
  { login, to }: { readonly login: string; readonly to: string },
): Promise<Visited> {
  github.visitors.preset(login);
  try {
    return await browser.open(`${home}/sign-in/github?to=${encodeURIComponent(to)}`);
  } finally {
    github.visitors.preset(null);
  }
}

export const signInWithToken = async (browser: Browser, token: string): Promise<Visited> =>
  browser.submit(await browser.open(`${home}/sign-in`), /\/sign-in /, { token });

export async function openJob(
  github: GitHubStandin,
  url: string,
  {
    repository,
    actor,
    connection,
  }: { readonly repository: Repository; readonly actor: string; readonly connection?: string },
): Promise<TokenAnswer> {
  const pull = github.pulls.open(repository, { author: actor, files: ["README.md"] });
  return openRun(github, url, github.runs.start(repository, { actor, pull }), connection);
}

export async function openRun(github: GitHubStandin, url: string, run: Run, connection?: string): Promise<TokenAnswer> {
  const access = github.grant(github.runs.claims(run));
  const response = await fetch(`${access.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${home}`, {
    headers: { authorization: `Bearer ${access.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` },
  });
  const { value } = (await response.json()) as { value: string };
  return exchange(url, value, connection === undefined ? {} : { connection });
}

export const sendCall = (
  url: string,
  { access_token }: TokenAnswer,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string | undefined },
): Promise<Received> =>
  send(url, {
    method,
    target: path,
    headers: [
      ["DD-API-KEY", access_token],
      ...(body === undefined ? [] : ([["Content-Type", "application/json"]] as const)),
    ],
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });

/** The first thing that is not null; rejects when the tests' patience is over. */
export async function eventually<T>(look: () => T | null | Promise<T | null>): Promise<T> {
  // Pages are limited by address: who asks too often is told to wait, and waits for the limit and not for what it looks for.
  for (const end = performance.now() + 60_000; ; await sleep(400)) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error("it did not happen within a minute");
  }
}

/** For `expect.poll`: of what was asked elsewhere a moment ago another gateway may remember for a minute what GitHub said before. */
export const remembered = { timeout: isReplicated ? 75_000 : 30_000, interval: 250 };
