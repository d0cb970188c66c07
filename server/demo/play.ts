/** What `npm start` shows: everything that makes up Dogwatch, on this machine, and one workflow job that goes through it. */

import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { type Gateway, startGateway } from "../app.ts";
import { createSandbox } from "../datadog/sandbox/sandbox.ts";
import { demoConfiguration } from "./configuration.ts";
import { type DemoGitHub, startDemoGitHub } from "./github.ts";
import { Runner } from "./runner.ts";

export type Stage = { readonly dataDir: string; readonly print: (line: string) => void };

export type Scene = { readonly exitCode: number; close(): Promise<void> };

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

export async function playDemo({ dataDir, print }: Stage): Promise<Scene> {
  mkdirSync(dataDir, { recursive: true });
  const log = pino({ level: "warn" }, pino.destination(join(dataDir, "gateway.log")));
  const github = await startDemoGitHub({ clock: () => new Date() });
  const sandbox = await createSandbox({ clock: () => new Date(), keys: sandboxKeys }).listen();
  const port = await freePort(8080);
  const file = join(dataDir, "demo.yaml");
  const publicUrl = `http://127.0.0.1:${port}`;
  writeFileSync(
    file,
    demoConfiguration({ publicUrl, port, dataDir: resolve(dataDir), issuer: github.issuer, sandbox: sandbox.url }),
  );
  const gateway = await startGateway({ file, env: { DOGWATCH_DEMO_TOKEN: tokenIn(join(dataDir, "demo-token")) }, log });
  print(`Gateway    ${gateway.url}   (configuration: ${file}, log: ${join(dataDir, "gateway.log")})`);
  print(`Datadog    ${sandbox.url}   (built-in sandbox)`);
  print(`Issuer     ${github.issuer}   (stands in for GitHub's)`);
  print("");
  const played = await playJob({ github, gateway, print });
  return {
    exitCode: played,
    close: async () => {
      await gateway.close();
      await Promise.all([sandbox.close(), github.close()]);
    },
  };
}

/** main, one step, post: as the runner would. Returns 0 when the job went as it should. */
async function playJob({
  github,
  gateway,
  print,
}: {
  github: DemoGitHub;
  gateway: Gateway;
  print: Stage["print"];
}): Promise<number> {
  const lines: string[] = [];
  const runner = await Runner.start({
    workspace: root,
    env: { ...github.grant(job), ...runnerVariables },
    print: (line) => {
      lines.push(line);
      const shown = readable(line);
      if (shown !== null) print(`  ${shown}`);
    },
  });
  try {
    print("Job: uses: acme/dogwatch@v1");
    const action = await runner.uses(root, { "gateway-url": gateway.url, intercept: "off" });
    print("Job: run: node sampleAgent.mjs");
    const agent =
      action.code === 0 ? await runner.run([process.execPath, join(import.meta.dirname, "sampleAgent.mjs")]) : 1;
    print("Job: post");
    await action.post();
    print("");
    print("The job summary:");
    print(runner.summary.replaceAll(/^/gm, "  ").trimEnd());
    print("");
    printLinks(gateway, { summary: runner.summary, print });
    return action.code || agent;
  } finally {
    await runner.close();
  }
}

function printLinks(
  gateway: Gateway,
  { summary, print }: { readonly summary: string; readonly print: Stage["print"] },
): void {
  const session = /\/sessions\/[0-9a-f-]{36}/.exec(summary)?.[0] ?? "/sessions";
  print(`Look at the recording (this link signs you in, once): ${gateway.url}${gateway.invite("you", session)}`);
  print(`Its page from then on:                               ${gateway.url}${session}`);
  print("The gateway stays up until Ctrl-C.");
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

/** A line of the job's log as GitHub shows it: commands are not text (`::group::` opens a group, `::add-mask::` shows nothing). */
function readable(line: string): string | null {
  const command = /^::([a-z-]+)[^:]*::(.*)$/.exec(line);
  if (command === null) return line;
  const [, name, text = ""] = command;
  switch (name) {
    case "group":
      return `▾ ${text}`;
    case "error":
    case "warning":
    case "notice":
      return `${name}: ${text}`;
    default:
      return null;
  }
}

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
