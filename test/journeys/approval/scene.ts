/** A gateway between a recording Datadog and the stand-in for GitHub, with a job whose deletions people are asked about. */

import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { Gateway } from "../../../server/app.ts";
import { startReplicas } from "../../standins/replicas.ts";
import type { ApprovalJson, TokenAnswer } from "../../../server/contract.ts";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type {
  App,
  CheckRun,
  Comment,
  Installation,
  Permissions,
  Pull,
  Repository,
  ReviewComment,
  Run,
} from "../../../server/demo/github/state.ts";
import { forTeams, forWork } from "../../../server/github/permissions.ts";
import type { FreshDatabase } from "../../standins/database.ts";
import { type Received, send } from "../../standins/send.ts";
import type { ReceivedRequest, Upstream } from "../../standins/upstream.ts";
import { exchange, startScene, type Visit, visit } from "../../standins/world.ts";

export type ApprovalScene = Visit & {
  readonly github: GitHubStandin;
  readonly app: App;
  readonly installation: Installation;
  readonly repository: Repository;
  /** Every one that had a job. */
  readonly repositories: Set<Repository>;
  readonly upstream: Upstream;
  readonly database: FreshDatabase;
  readonly file: string;
  /** What Datadog shows at a path now; left out: nothing is there. */
  readonly monitors: Map<string, object>;
  /** Everything the gateways logged. */
  readonly log: readonly string[];
  gateway: Gateway;
  /** Another gateway beside it, or in its place: deliveries and requests go to it from now on. */
  start(): Promise<Gateway>;
  /** A job of a pull request of its own. */
  job(more?: JobOptions): Promise<Job>;
  /** Changes of Datadog that arrived there. */
  changes(path?: string): readonly ReceivedRequest[];
  close(): Promise<void>;
};

export type SceneOptions = {
  /** A rule for each operation that asks, in YAML's flow style: `DeleteSLO: "approvers: { count: 2 }"`; default: `DeleteMonitor` with nothing said. */
  readonly approve?: Readonly<Record<string, string>>;
  /** More of `github:`, lines of YAML. */
  readonly github?: string;
  /** Beside those of the App. */
  readonly permissions?: Permissions;
  /** More top level keys. */
  readonly more?: string;
};

export type JobOptions = {
  readonly repository?: Repository;
  readonly actor?: string;
  readonly triggering_actor?: string;
  readonly author?: string;
  readonly committer?: string;
  readonly files?: readonly string[];
  /** Null: a run without a pull request. */
  readonly pull?: Pull | null;
  readonly event?: string;
};

/** A session with its run, and what it asks. */
export type Job = {
  readonly run: Run;
  readonly pull: Pull | null;
  readonly session: TokenAnswer;
  send(method: string, path: string, more?: SentBy): Promise<Received>;
  /** Sends, and gives the question when it stands on GitHub. */
  ask(path: string, more?: SentBy & { readonly method?: string }): Promise<Asked>;
};

/** `prefer: "respond-async"` waits elsewhere. */
export type SentBy = { readonly body?: string; readonly prefer?: string };

export type Asked = {
  readonly id: string;
  readonly code: string;
  readonly answer: Promise<Received>;
  /** As it was when it stood there. */
  readonly approval: ApprovalJson;
  /** The comment in which it is asked. */
  readonly question: Comment;
  readonly check: CheckRun | null;
  now(): Promise<ApprovalJson>;
  /** Once it is in this state. */
  until(state: ApprovalJson["state"]): Promise<ApprovalJson>;
  /** What we replied to a comment, or what a reply says whose first line fits. */
  reply(to: Comment | RegExp): Promise<string>;
  replies(): readonly Comment[];
};

/** Patience of the tests, ms: nothing is decided by it. */
export const patient = { timeout: 110_000, interval: 50 };

const rulesOf = ({ approve = { DeleteMonitor: "" } }: SceneOptions): string =>
  [
    `    - { name: reads, effect: allow, when: 'operation.access == "read"' }`,
    ...Object.entries(approve).map(
      ([operation, more]) =>
        `    - { name: humans-for-${operation.toLowerCase()}, effect: approve, when: 'operation.name == "${operation}"'${more === "" ? "" : `, ${more}`} }`,
    ),
  ].join("\n");

export async function startApprovalScene(options: SceneOptions = {}): Promise<ApprovalScene> {
  const github = await startGitHub({ clock: () => new Date() });
  const { accounts, repositories, apps } = github;
  accounts.add("acme", { id: 1234, type: "Organization" });
  for (const login of ["mona", "octocat", "hubot", "ana", "ben", "reader", "stranger"]) accounts.add(login);
  const repository = repositories.add("acme/app");
  for (const login of ["mona", "octocat", "hubot", "ana", "ben"]) repositories.permit(repository, login, "write");
  repositories.permit(repository, "reader", "read");
  const app = await apps.register({
    owner: "acme",
    permissions: { ...forWork({ issues: false }), ...forTeams, ...options.permissions },
  });
  const installation = apps.install(app, { account: "acme" });
  const monitors = new Map<string, object>();
  const scene = await startScene((request) => datadog(monitors, request), {
    rules: rulesOf(options),
    instead: { issuer: github.issuer },
    more: [
      `github:\n  apiUrl: ${github.apiUrl}\n  appId: ${app.id}\n  privateKey: ${JSON.stringify(app.pem)}\n  webhookSecret: ${app.webhook_secret}`,
      options.github ?? "",
      options.more ?? "",
    ].join("\n"),
  });
  const log: string[] = [];
  const gateways: Gateway[] = [];
  const joined: { scene?: ApprovalScene } = {};
  const start = async (): Promise<Gateway> => {
    const gateway = await startReplicas({
      file: scene.file,
      env: {},
      log: pino({ level: "info" }, { write: (line: string) => log.push(line) }),
      patience: 1_000,
    });
    gateways.push(gateway);
    if (joined.scene !== undefined) Object.assign(joined.scene, visit(gateway.url, scene.issuer), { gateway });
    app.webhook_url = `${gateway.url}/webhooks/github`;
    return gateway;
  };
  const gateway = await start();
  const visitor = visit(gateway.url, scene.issuer);
  const whole: ApprovalScene = {
    ...visitor,
    github,
    app,
    installation,
    repository,
    repositories: new Set([repository]),
    upstream: scene.upstream,
    database: scene.database,
    file: scene.file,
    monitors,
    log,
    gateway,
    start,
    job: (more = {}) => startJob(whole, more),
    changes: (path) =>
      scene.upstream.requests.filter(
        ({ method, url }) => method !== "GET" && (path === undefined || url.split("?")[0] === path),
      ),
    close: async () => {
      for (const one of gateways.toReversed()) await one.close();
      await github.close();
      await scene.close();
    },
  };
  joined.scene = whole;
  return whole;
}

function datadog(monitors: ReadonlyMap<string, object>, { method, url }: ReceivedRequest) {
  const headers = [["content-type", "application/json"]] as const;
  const path = url.split("?")[0] ?? "";
  if (method !== "GET") return { status: 200, headers, body: `{"done":"${method} ${path}"}` };
  const found = monitors.get(path);
  return found === undefined
    ? { status: 404, headers, body: '{"errors":["not found"]}' }
    : { status: 200, headers, body: JSON.stringify(found) };
}

async function startJob(scene: ApprovalScene, more: JobOptions): Promise<Job> {
  const { github } = scene;
  const repository = more.repository ?? scene.repository;
  scene.repositories.add(repository);
  const { actor = "mona", author = actor } = more;
  const files = more.files ?? ["README.md", ".github/workflows/agent.yml"];
  const { committer = author } = more;
  const pull =
    more.pull === undefined
      ? github.pulls.open(repository, { author, files, committer, authoredBy: committer })
      : more.pull;
  const run = github.runs.start(repository, {
    actor,
    ...(pull === null ? { head_sha: github.pulls.commitTo(repository, { by: author }).sha } : { pull }),
    ...(more.triggering_actor === undefined ? {} : { triggering_actor: more.triggering_actor }),
    ...(more.event === undefined ? {} : { event: more.event }),
  });
  return openJob(scene, run, pull);
}

/** A session of a run's job as it is now. */
export async function openJob(scene: ApprovalScene, run: Run, pull: Pull | null): Promise<Job> {
  const session = await exchange(scene.gateway.url, await identityOf(scene.github, run));
  const sendIt: Job["send"] = (method, path, { body, prefer } = {}) =>
    send(scene.gateway.url, {
      method,
      target: path,
      headers: [
        ["DD-API-KEY", session.access_token],
        ["DD-APPLICATION-KEY", session.access_token],
        ...(body === undefined ? [] : ([["Content-Type", "application/json"]] as const)),
        ...(prefer === undefined ? [] : ([["Prefer", prefer]] as const)),
      ],
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
  return {
    run,
    pull,
    session,
    send: sendIt,
    ask: async (path, { method = "DELETE", ...sent } = {}) => {
      const before = new Set((await approvalsOf(scene, session)).map(({ id }) => id));
      const answer = sendIt(method, path, sent);
      const [fresh] = await eventually(async () => {
        const asked = (await approvalsOf(scene, session)).filter(({ id }) => !before.has(id));
        return asked.length === 0 ? null : asked;
      });
      return questionOf(scene, fresh as ApprovalJson, answer);
    },
  };
}

/** A fresh identity token of the run's job. */
export async function identityOf(github: GitHubStandin, run: Run): Promise<string> {
  const access = github.grant(github.runs.claims(run));
  const response = await fetch(`${access.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=http://gateway.test`, {
    headers: { authorization: `Bearer ${access.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` },
  });
  return ((await response.json()) as { value: string }).value;
}

export const approvalsOf = async (scene: Visit, session?: TokenAnswer): Promise<readonly ApprovalJson[]> => {
  const all = ((await (await scene.read("/v1/approvals?limit=200")).json()) as { items: ApprovalJson[] }).items;
  return session === undefined ? all : all.filter(({ session_id }) => session_id === session.session_id);
};

export const approvalOf = async (scene: Visit, id: string): Promise<ApprovalJson> =>
  (await (await scene.read(`/v1/approvals/${id}`)).json()) as ApprovalJson;

/** The first thing that is not null; rejects when the tests' patience is over. */
export async function eventually<T>(look: () => T | null | Promise<T | null>): Promise<T> {
  for (const end = performance.now() + patient.timeout; ; await sleep(patient.interval)) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`it did not happen within ${patient.timeout} ms`);
  }
}

export const isOurs = ({ author }: Comment): boolean => author.type === "Bot" && author.login === "dogwatch[bot]";

/** Resolves when the question stands wherever it will. */
export async function questionOf(
  scene: ApprovalScene,
  { id, code }: ApprovalJson,
  answer: Promise<Received>,
): Promise<Asked> {
  const { github } = scene;
  const comments = () => [...scene.repositories].flatMap((each) => github.comments.in(each)).filter(isOurs);
  const approval = await eventually(async () => {
    const untold = await scene.database.query("SELECT FROM approvals WHERE id = $1 AND told IS NULL", [id]);
    return untold.length === 0 ? approvalOf(scene, id) : null;
  });
  const question = comments().find(({ body }) => body.includes(`dogwatch:approval:${id}`));
  return {
    id,
    code,
    answer,
    approval,
    question: question as Comment,
    check:
      [...scene.repositories].flatMap((each) => github.checks.in(each)).find(({ external_id }) => external_id === id) ??
      null,
    now: () => approvalOf(scene, id),
    until: (state) =>
      eventually(async () => {
        const found = await approvalOf(scene, id);
        return found.state === state ? found : null;
      }),
    replies: () => comments().filter(({ body }) => body.startsWith("<!-- dogwatch:reply:")),
    reply: (to) =>
      eventually(() => {
        const key = to instanceof RegExp ? to : new RegExp(`dogwatch:reply:\\w+:${to.id}\\b`);
        const found = comments().find(({ body }) => body.startsWith("<!-- dogwatch:reply:") && key.test(body));
        return found === undefined ? null : (found.body.split("\n").slice(1).join("\n") ?? null);
      }),
  };
}

export const inThread = (question: Comment): ReviewComment => {
  if (question.kind !== "review_comment") throw new Error("the question begins no thread");
  return question;
};
