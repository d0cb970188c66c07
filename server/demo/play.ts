/** What `npm start` shows: everything that makes up Dogwatch, on this machine, and one workflow job that goes through it. */

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Gateway } from "../app.ts";
import { createSandbox, type ListeningSandbox } from "../datadog/sandbox/sandbox.ts";
import { type Claim, claimFolder } from "./claim.ts";
import { Conversation, type Reply } from "./conversation.ts";
import { furnish } from "./furnish.ts";
import { openGateway } from "./gateway.ts";
import { fullNameOf } from "./github/repositories.ts";
import type { Run } from "./github/state.ts";
import { type GitHubStandin, startGitHub } from "./github/standin.ts";
import { JobLog } from "./jobLog.ts";
import { Runner } from "./runner.ts";
import { people, settle, type Settled } from "./settle.ts";
import { type Style, summaryText } from "./summaryText.ts";

export type Stage = {
  readonly dataDir: string;
  readonly print: (line: string) => void;
  readonly style: Style;
  /** What the reviewer does when the job asks. */
  readonly reply: Reply;
};

export type Scene = {
  /** Plays the sample job, once more. */
  play(): Promise<Played>;
  /** Ends the job that plays, as a cancelled one ends, then everything else. */
  close(): Promise<void>;
};

export type Played = {
  /** 0 when the job went as it should. */
  readonly exitCode: number;
  /** Where the recording can be seen, for people to read. */
  readonly links: readonly string[];
};

const nothingPlayed: Played = { exitCode: 1, links: [] };

const sandboxKeys = { apiKey: "sandbox-api-key", appKey: "sandbox-app-key" };

const root = resolve(import.meta.dirname, "../..");

/** @throws FolderTaken when another scene plays there, and what startGateway throws */
export async function openScene(stage: Stage): Promise<Scene> {
  mkdirSync(stage.dataDir, { recursive: true });
  const claim = await claimFolder(stage.dataDir);
  try {
    return await setUp(stage, claim);
  } catch (error) {
    claim.release();
    throw error;
  }
}

/** Everything that the job meets. */
type Set = Settled & {
  readonly stage: Stage;
  readonly github: GitHubStandin;
  readonly sandbox: ListeningSandbox;
  readonly gateway: Gateway;
};

async function setUp(stage: Stage, claim: Claim): Promise<Scene> {
  const set = await build(stage);
  const { github, sandbox, gateway } = set;
  claim.tell(gateway.url);
  introduce(set);
  let runner: Runner | null = null;
  let playing: Promise<Played> | null = null;
  let isClosing = false;
  const perform = async (): Promise<Played> => {
    await furnish(sandbox.url, sandboxKeys);
    if (isClosing) return nothingPlayed;
    const run = github.runs.start(set.repository, { actor: people.author, pull: set.pull });
    const hired = await startRunner(set, run);
    runner = hired;
    if (isClosing) hired.cancel();
    return playJob(hired, set).finally(async () => {
      github.runs.end(run, hired.cancelled ? "cancelled" : "success");
      await hired.close();
    });
  };
  return {
    play: () => {
      playing = perform();
      return playing;
    },
    close: async () => {
      isClosing = true;
      claim.end();
      runner?.cancel();
      await playing?.catch(() => undefined);
      await gateway.close();
      await Promise.all([sandbox.close(), github.close()]);
      claim.release();
    },
  };
}

async function build(stage: Stage): Promise<Set> {
  const clock = (): Date => new Date();
  const conversation = new Conversation(stage);
  const github = await startGitHub({ clock, onHappening: conversation.hear });
  const settled = await settle(github);
  conversation.follow(github);
  const sandbox = await createSandbox({ clock, keys: sandboxKeys }).listen();
  const gateway = await openGateway(stage.dataDir, { github, app: settled.app, sandbox: sandbox.url });
  return { ...settled, stage, github, sandbox, gateway };
}

function introduce({ stage, gateway, sandbox, github }: Set): void {
  const { dataDir, print, style } = stage;
  print(style("bold", `Dogwatch is up: ${gateway.url}`));
  print(`  rules and everything else  ${join(relative(".", dataDir), "demo.yaml")}`);
  print(`  Datadog, built in          ${sandbox.url}`);
  print(`  stand-in for GitHub        ${github.url}`);
  print(`  log                        ${join(relative(".", dataDir), "gateway.log")}`);
}

function startRunner({ stage, github }: Set, run: Run): Promise<Runner> {
  const { dataDir, print } = stage;
  const lines = new JobLog();
  return Runner.start({
    workspace: root,
    temp: join(dataDir, "runner"),
    trackingId: `dogwatch-demo-${createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16)}`,
    env: { ...github.grant(github.runs.claims(run)), ...runnerVariables(run, github) },
    print: (line) => {
      const shown = lines.show(line);
      if (shown !== null) print(`  ${shown}`);
    },
  });
}

/** main, one step, post: as the runner would. */
async function playJob(runner: Runner, set: Set): Promise<Played> {
  const { gateway, stage, pull } = set;
  const { print, style } = stage;
  const step = (what: string): void => print(`\n${style("cyan", `● ${what}`)}`);
  print(`\nA workflow job in acme/checkout, pull request ${pull.number}:`);
  step("uses: acme/dogwatch@v1");
  const action = await runner.uses(root, { "gateway-url": gateway.url, intercept: "off" });
  let agent = 1;
  if (action.code === 0) {
    step("run: node server/demo/sampleAgent.mjs");
    agent = await runner.run([process.execPath, join(import.meta.dirname, "sampleAgent.mjs")]);
  }
  step("uses: acme/dogwatch@v1 (when the job ends)");
  const post = await action.post();
  if (runner.cancelled) return nothingPlayed;
  print(`\n${style("cyan", "● The job's summary")}\n`);
  print(summaryText(runner.summary, style).replaceAll(/^(?=.)/gm, "  "));
  return { exitCode: action.code || agent || post, links: linksTo(runner.summary, set) };
}

function linksTo(summary: string, { gateway, stage, github, pull }: Set): string[] {
  const { dataDir, style } = stage;
  const session = /\/sessions\/[0-9a-f-]{36}/.exec(summary)?.[0] ?? "/sessions";
  const token = join(relative(".", dataDir), "demo-token");
  return [
    `${style("bold", "Look at the recording")} (the link signs you in; it works once, for ten minutes):`,
    `  ${style("bold", `${gateway.url}${gateway.invite("you", session)}`)}`,
    `  its page from then on: ${gateway.url}${session}`,
    `  the pull request: ${github.url}/acme/checkout/pull/${pull.number}`,
    `  as JSON: curl -H "Authorization: Bearer $(cat ${token})" ${gateway.url}/v1${session}/calls`,
  ];
}

const runnerVariables = (run: Run, { url, apiUrl }: GitHubStandin): Record<string, string> => ({
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: url,
  GITHUB_API_URL: apiUrl,
  GITHUB_REPOSITORY: fullNameOf(run.repository),
  GITHUB_RUN_ID: String(run.id),
  GITHUB_RUN_ATTEMPT: String(run.attempt),
  GITHUB_WORKFLOW: run.name,
  GITHUB_JOB: run.name,
  GITHUB_WORKSPACE: root,
  RUNNER_ENVIRONMENT: "self-hosted",
  RUNNER_OS: "Linux",
  DD_SITE: "datadoghq.com",
});
