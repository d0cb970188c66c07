/** The main job, end to end: the bundled action, Datadog's own clients, the gateway, the sandbox, and the session that stays behind. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSandbox } from "../../server/datadog/sandbox/sandbox.ts";
import { type GitHubStandin, startGitHub } from "../../server/demo/github/standin.ts";
import { findAnchors } from "../../server/stages/seal/verify/anchor.ts";
import { type Job, newJob } from "../standins/job.ts";
import { type World, realKeys, startWorld } from "../standins/world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rules = `
    - { name: no-monitor-deletes, effect: deny, when: 'operation.name == "DeleteMonitor" && request.params.monitor_id == "4212"' }
    - { name: everything-known, effect: allow, when: operation.known }`;

let sandbox: { readonly url: string; close(): Promise<void> };
let github: GitHubStandin;
let world: World;
let job: Job;

beforeAll(async () => {
  // It lets in nobody but the holder of the connection's real keys: a call that arrives with the caller's token fails.
  sandbox = await createSandbox({
    clock: () => new Date(),
    keys: { apiKey: realKeys.api, appKey: realKeys.app },
  }).listen();
  github = await startGitHub({ clock: () => new Date() });
  world = await startWorld(() => "hang up", { rules, instead: { issuer: github.issuer, endpoint: sandbox.url } });
  job = newJob({
    ...github.grant({
      repository: "acme/app",
      repository_id: "70",
      repository_owner_id: "1234",
      run_id: "9",
      actor: "octocat",
    }),
    GITHUB_REPOSITORY: "acme/app",
    RUNNER_ENVIRONMENT: "self-hosted",
  });
});
afterAll(async () => {
  job?.dispose();
  await world?.close();
  await Promise.all([github?.close(), sandbox?.close()]);
});

test("a job's clients, unchanged, do their work through the gateway, and the summary leads to what they did", async () => {
  const main = await job.main({
    "gateway-url": world.url,
    audience: "http://gateway.test",
    connection: "prod",
    intercept: "proxy",
  });
  expect(main.code, main.out).toBe(0);
  const session = job.outputs["session-id"] ?? "";

  const client = await job.step(process.execPath, [join(root, "test/clients/official.mjs")], {
    DATADOG_INTAKES: "proxy",
  });
  const operations = client.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { operation: string; ok: boolean });
  // The client sends no key with the one document that is public, and the relay serves nothing without its key.
  const sent = operations.filter(({ operation }) => operation !== "v1.IPRangesApi.GetIPRanges");
  expect(sent.filter(({ ok }) => !ok)).toEqual([]);
  expect(new Set(sent.map(({ operation }) => operation)).size).toBeGreaterThanOrEqual(60);

  const reports = join(job.directory, "reports");
  mkdirSync(reports);
  writeFileSync(
    join(reports, "junit.xml"),
    '<testsuites><testsuite name="s" tests="1"><testcase classname="c" name="t" time="0.1"/></testsuite></testsuites>',
  );
  const ci = await job.step(join(root, "node_modules/.bin/datadog-ci"), [
    "junit",
    "upload",
    "--service",
    "shop",
    "--skip-git-metadata-upload",
    reports,
  ]);
  expect(ci.code, ci.out).toBe(0);

  const denied = await job.step("curl", [
    "-sS",
    "-X",
    "DELETE",
    "-H",
    `DD-API-KEY: ${job.env["DD_API_KEY"]}`,
    `${job.env["DATADOG_HOST"]}/api/v1/monitor/4212`,
  ]);
  expect(denied.out).toMatch(
    /dogwatch: DeleteMonitor is denied by rule no-monitor-deletes .*\/sessions\/.*\/calls\/\d+/,
  );

  const post = await job.post();
  expect(post.code, post.out).toBe(0);
  const summary = job.summary();
  expect(summary).toContain(`http://gateway.test/sessions/${session}`);
  expect(summary).toContain("no-monitor-deletes");
  // The customer's anchor: the checkpoint, with the session whose seal it covers.
  const [anchor] = findAnchors("summary", summary);
  expect(anchor).toMatchObject({ sealed: { session_id: session, head: expect.stringMatching(/^[0-9a-f]{64}$/) } });

  const recorded = await world.session(session);
  const calls = await world.calls(session);
  expect(recorded).toMatchObject({
    state: "closed",
    calls: calls.length,
    denied: 1,
    caller: { repository: "acme/app", actor: "octocat" },
    seal: { calls: calls.length, head: anchor?.sealed?.head, log_index: 0, checkpoint: anchor?.note },
  });
  expect(calls.filter((call) => call.operation === "unknown")).toEqual([]);
  expect(calls.at(-1)).toMatchObject({
    state: "refused",
    error_code: "denied",
    decision: { effect: "deny", rules: [{ name: "no-monitor-deletes", effect: "deny" }, { name: "everything-known" }] },
  });
  expect(calls.some((call) => call.host === "cireport-intake.datadoghq.com")).toBe(true);
  expect(calls.every((call) => call.state === "closed" || call.state === "refused")).toBe(true);

  const everything = JSON.stringify(calls) + world.log.join("") + main.out + client.out + ci.out + post.out + summary;
  for (const secret of [realKeys.api, realKeys.app]) expect(everything).not.toContain(secret);
}, 120_000);
