/** What `npm start` shows: everything that makes up Dogwatch, on this machine, and one workflow job that goes through it. */

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative, resolve } from "node:path";
import { pino } from "pino";
import { type Gateway, startGateway } from "../app.ts";
import { createSandbox } from "../datadog/sandbox/sandbox.ts";
import { type Claim, claimFolder } from "./claim.ts";
import { demoConfiguration } from "./configuration.ts";
import { startGitHub } from "./github/standin.ts";
import { JobLog } from "./jobLog.ts";
import { Runner } from "./runner.ts";
import { furnish } from "./furnish.ts";
import { type Style, summaryText } from "./summaryText.ts";

export type Stage = {
  readonly dataDir: string;
  readonly print: (line: string) => void;
  readonly style: Style;
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

const sandboxKeys = { apiKey: "sandbox-api-key", appKey: "sandbox-app-key" };

const root = resolve(import.meta.dirname, "../..");

/** What GitHub would say of the sample job. */
const job = {
  repository: "acme/checkout",
  repository_id: "70",
  repository_owner: "acme",
  repository_owner_id: "1234",
  workflow: "agent",
  event_name: "pull_request",
  ref: "refs/pull/7/merge",
  actor: "octocat",
  run_id: "9001",
  run_attempt: "1",
  job_workflow_ref: "acme/checkout/.github/workflows/agent.yml@refs/pull/7/merge",
};

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

async function setUp(stage: Stage, claim: Claim): Promise<Scene> {
  const { dataDir, print, style } = stage;
  const clock = (): Date => new Date();
  const github = await startGitHub({ clock });
  const sandbox = await createSandbox({ clock, keys: sandboxKeys }).listen();
  await furnish(sandbox.url, sandboxKeys);
  const gateway = await openGateway(dataDir, { issuer: github.issuer, sandbox: sandbox.url });
  claim.tell(gateway.url);
  print(style("bold", `Dogwatch is up: ${gateway.url}`));
  print(`  rules and everything else  ${join(relative(".", dataDir), "demo.yaml")}`);
  print(`  Datadog, built in          ${sandbox.url}`);
  print(`  stand-in for GitHub        ${github.issuer}`);
  print(`  log                        ${join(relative(".", dataDir), "gateway.log")}`);

  let playing: { readonly runner: Runner; readonly ended: Promise<Played> } | null = null;
  return {
    play: async () => {
      const lines = new JobLog();
      const runner = await Runner.start({
        workspace: root,
        temp: join(dataDir, "runner"),
        trackingId: `dogwatch-demo-${createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16)}`,
        env: { ...github.grant(job), ...runnerVariables },
        print: (line) => {
          const shown = lines.show(line);
          if (shown !== null) print(`  ${shown}`);
        },
      });
      playing = { runner, ended: playJob(runner, { gateway, stage }).finally(() => runner.close()) };
      return playing.ended;
    },
    close: async () => {
      playing?.runner.cancel();
      await playing?.ended.catch(() => undefined);
      await gateway.close();
      await Promise.all([sandbox.close(), github.close()]);
      claim.release();
    },
  };
}

type Neighbours = { readonly issuer: string; readonly sandbox: string };

const usualPort = 8080;
const mostTries = 5;

/** A port that is free when it is looked at may be another program's a moment later: then another one is taken. */
async function openGateway(dataDir: string, neighbours: Neighbours): Promise<Gateway> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await openOn(await freePort(tried === 1 ? usualPort : 0), dataDir, neighbours);
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || tried === mostTries) throw error;
    }
  }
}

function openOn(port: number, dataDir: string, { issuer, sandbox }: Neighbours): Promise<Gateway> {
  const file = join(dataDir, "demo.yaml");
  const publicUrl = `http://127.0.0.1:${port}`;
  writeFileSync(file, demoConfiguration({ publicUrl, port, dataDir: resolve(dataDir), issuer, sandbox }));
  const log = pino({ level: "warn" }, pino.destination(join(dataDir, "gateway.log")));
  return startGateway({ file, env: { DOGWATCH_DEMO_TOKEN: tokenIn(join(dataDir, "demo-token")) }, log });
}

/** main, one step, post: as the runner would. */
async function playJob(
  runner: Runner,
  { gateway, stage }: { readonly gateway: Gateway; readonly stage: Stage },
): Promise<Played> {
  const { print, style } = stage;
  const step = (what: string): void => print(`\n${style("cyan", `● ${what}`)}`);
  print("\nA workflow job in acme/checkout, pull request 7:");
  step("uses: acme/dogwatch@v1");
  const action = await runner.uses(root, { "gateway-url": gateway.url, intercept: "off" });
  let agent = 1;
  if (action.code === 0) {
    step("run: node server/demo/sampleAgent.mjs");
    agent = await runner.run([process.execPath, join(import.meta.dirname, "sampleAgent.mjs")]);
  }
  step("uses: acme/dogwatch@v1 (when the job ends)");
  const post = await action.post();
  if (runner.cancelled) return { exitCode: 1, links: [] };
  print(`\n${style("cyan", "● The job's summary")}\n`);
  print(summaryText(runner.summary, style).replaceAll(/^(?=.)/gm, "  "));
  return { exitCode: action.code || agent || post, links: linksTo(runner.summary, { gateway, stage }) };
}

function linksTo(summary: string, { gateway, stage }: { readonly gateway: Gateway; readonly stage: Stage }): string[] {
  const { dataDir, style } = stage;
  const session = /\/sessions\/[0-9a-f-]{36}/.exec(summary)?.[0] ?? "/sessions";
  const token = join(relative(".", dataDir), "demo-token");
  return [
    `${style("bold", "Look at the recording")} (the link signs you in; it works once, for ten minutes):`,
    `  ${style("bold", `${gateway.url}${gateway.invite("you", session)}`)}`,
    `  its page from then on: ${gateway.url}${session}`,
    `  as JSON: curl -H "Authorization: Bearer $(cat ${token})" ${gateway.url}/v1${session}/calls`,
  ];
}

const runnerVariables = {
  GITHUB_ACTIONS: "true",
  GITHUB_REPOSITORY: job.repository,
  GITHUB_RUN_ID: job.run_id,
  GITHUB_WORKFLOW: job.workflow,
  GITHUB_JOB: "agent",
  GITHUB_WORKSPACE: root,
  RUNNER_ENVIRONMENT: "self-hosted",
  RUNNER_OS: "Linux",
  DD_SITE: "datadoghq.com",
};

/** Kept between starts, so that a page that is open stays signed in. */
function tokenIn(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600 });
  chmodSync(file, 0o600);
  return readFileSync(file, "utf8");
}

/** The wanted port, or any other one when somebody listens there. */
function freePort(wanted: number): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wanted !== 0) freePort(0).then(found, failed);
      else failed(error);
    });
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted;
      probe.close(() => found(port));
    });
  });
}
