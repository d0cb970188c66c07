/** A job that wants to delete a monitor, end to end: the bundled action, the official client, the pull request, and one story told in five places. */

import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../../server/app.ts";
import type { ApprovalJson } from "../../../server/contract.ts";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { ReviewComment } from "../../../server/demo/github/state.ts";
import { type Job, newJob } from "../../standins/job.ts";
import { type Reviewed, startReviewed } from "../../standins/reviewed.ts";
import { realKeys, visit } from "../../standins/world.ts";

const script = fileURLToPath(new URL("../../clients/deleteMonitor.mjs", import.meta.url));
const keys = { "dd-api-key": realKeys.api, "dd-application-key": realKeys.app, "content-type": "application/json" };

let sandbox: { readonly url: string; close(): Promise<void> };
let scene: Reviewed;
let gateway: Gateway;
let job: Job;
const log: string[] = [];
/** No call waits for what is shown on GitHub, so neither does a job's end. */
const soon = { timeout: 60_000 };

beforeAll(async () => {
  sandbox = await createSandbox({
    clock: () => new Date(),
    keys: { apiKey: realKeys.api, appKey: realKeys.app },
  }).listen();
  scene = await startReviewed(() => "hang up", { identity: "github", instead: { endpoint: sandbox.url } });
  gateway = await startGateway({
    file: scene.file,
    env: {},
    log: pino({ level: "debug" }, { write: (line) => log.push(line) }),
    patience: 1_000,
  });
  scene.deliverTo(gateway.url);
  job = newJob({
    ...scene.github.grant({
      repository: "acme/app",
      repository_id: "70",
      repository_owner_id: "1234",
      run_id: "9001",
      run_attempt: "1",
      event_name: "pull_request",
      ref: "refs/pull/7/merge",
      head_ref: scene.pull.branch,
      actor: "octocat",
    }),
    GITHUB_REPOSITORY: "acme/app",
    RUNNER_ENVIRONMENT: "self-hosted",
  });
});

afterAll(async () => {
  job?.dispose();
  await gateway?.close();
  await scene?.close();
  await sandbox?.close();
});

const createMonitor = async (name: string): Promise<number> => {
  const body = JSON.stringify({ name, type: "metric alert", query: "avg(last_5m):avg:checkout.latency{*} > 2" });
  const answer = await fetch(`${sandbox.url}/api/v1/monitor`, { method: "POST", headers: keys, body });
  return ((await answer.json()) as { id: number }).id;
};

const isThere = async (id: number): Promise<boolean> =>
  (await fetch(`${sandbox.url}/api/v1/monitor/${id}`, { headers: keys })).status === 200;

const agentDeletes = async (id: number): Promise<{ deleted?: number; refused?: string[] }> => {
  const { code, out } = await job.step(process.execPath, [script, String(id)]);
  expect(code, out).toBe(0);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as { deleted?: number; refused?: string[] };
};

const questionOf = ({ id }: ApprovalJson): ReviewComment => {
  const found = scene.github.comments.in(scene.repository).find(({ body }) => body.includes(`dogwatch:approval:${id}`));
  if (found?.kind !== "review_comment") throw new Error("the question is no review comment");
  return found;
};

const nextAsked = async (seen: ReadonlySet<string>): Promise<ApprovalJson> => {
  for (;;) {
    const asked = await scene.asked(gateway.url, job.outputs["session-id"] ?? "");
    if (!seen.has(asked.id)) return asked;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

test("the delete waits, a reply in the pull request lets exactly that request pass once, and every place says so", async () => {
  const main = await job.main({
    "gateway-url": gateway.url,
    audience: "http://gateway.test",
    connection: "prod",
    intercept: "off",
  });
  expect(main.code, main.out).toBe(0);
  const monitor = await createMonitor("Checkout latency p99");

  const deleting = agentDeletes(monitor);
  const asked = await nextAsked(new Set());
  const question = questionOf(asked);
  expect(question).toMatchObject({ subject_type: "file", path: ".github/workflows/agent.yml", in_reply_to: null });
  expect(question.body).toContain("Checkout latency p99");
  expect(question.body).toContain(`/approve ${asked.code}`);
  expect(asked.title).toBe(`Delete monitor ${monitor} “Checkout latency p99”`);
  await expect
    .poll(
      () => scene.github.checks.in(scene.repository).map(({ status, conclusion }) => ({ status, conclusion })),
      soon,
    )
    .toEqual([{ status: "completed", conclusion: "action_required" }]);
  expect(await isThere(monitor)).toBe(true);

  scene.github.as("mona").reply(question, `/approve ${asked.code}`);
  expect(await deleting).toEqual({ deleted: monitor });
  expect(await isThere(monitor)).toBe(false);

  // The same request once more is another question, whatever was answered before.
  const again = agentDeletes(monitor);
  const second = await nextAsked(new Set([asked.id]));
  scene.github.as("mona").reply(questionOf(second), `/deny ${second.code} it is gone already`);
  expect((await again).refused?.join()).toMatch(/was not sent: denied by github:mona: it is gone already/);

  const post = await job.post();
  expect(post.code, post.out).toBe(0);
  await theStoryIsTheSame(asked, second);
  const everything =
    JSON.stringify(scene.github.comments.in(scene.repository)) + log.join("") + post.out + job.summary();
  for (const secret of [realKeys.api, realKeys.app, scene.app.pem.slice(40, 120), scene.app.webhook_secret])
    expect(everything).not.toContain(secret);
}, 120_000);

async function theStoryIsTheSame(first: ApprovalJson, second: ApprovalJson): Promise<void> {
  const visitor = visit(gateway.url, scene.issuer);
  const session = job.outputs["session-id"] ?? "";
  const calls = await visitor.endedCalls(session);
  const deletes = calls.filter(({ method, status }) => method === "DELETE" && status !== 202);
  expect(
    deletes.map(({ state, status, approval_id, error_code }) => ({ state, status, approval_id, error_code })),
  ).toEqual([{ state: "closed", status: 200, approval_id: first.id, error_code: null }]);
  const passed = deletes[0]?.id;
  const approvals = await scene.approvals(gateway.url);
  expect(approvals.map(({ id, state, consumed_by }) => ({ id, state, consumed_by }))).toEqual([
    { id: second.id, state: "denied", consumed_by: null },
    { id: first.id, state: "consumed", consumed_by: passed },
  ]);
  expect(approvals[1]?.answers).toMatchObject([
    { by: "github:mona", via: "comment", verdict: "approve", accepted: true },
  ]);

  await expect.poll(() => questionOf(first).body, soon).toMatch(/\*\*Approved\*\* by `mona`[^\n]*\*\*and sent\*\*/);
  expect(questionOf(first).body).toContain(`/sessions/${session}/calls/${passed?.split("/")[1]}`);
  await expect.poll(() => questionOf(second).body, soon).toMatch(/\*\*Denied\*\* by `mona`[^\n]*it is gone already/);
  await expect
    .poll(
      () => scene.github.checks.in(scene.repository).map(({ conclusion, actions }) => ({ conclusion, actions })),
      soon,
    )
    .toEqual([
      { conclusion: "success", actions: [] },
      { conclusion: "failure", actions: [] },
    ]);

  const summary = job.summary();
  expect(summary).toContain(`/sessions/${session}`);
  expect(summary).toContain("mona");
  expect(summary).toContain("it is gone already");
  expect(await visitor.session(session)).toMatchObject({ state: "closed", approved: 1 });
}
