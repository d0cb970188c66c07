/** A question in the pull request, an answer there, and exactly one request that passes: comment, button, check run, audit and Datadog tell one story. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApprovalScene, inThread, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene();
});
afterAll(() => scene?.close());

test("a reply in the thread lets exactly that request pass once", async () => {
  const path = "/api/v1/monitor/4212";
  scene.monitors.set(path, { id: 4212, name: "Checkout latency p99" });
  const job = await scene.job();
  const asked = await job.ask(path);
  expect(asked.approval.state).toBe("pending");
  const question = inThread(asked.question);
  expect(question).toMatchObject({
    path: ".github/workflows/agent.yml",
    subject_type: "file",
    commit_id: job.pull?.head_sha,
  });
  expect(question.body).toContain("Delete monitor 4212 “Checkout latency p99”");
  expect(asked.check).toMatchObject({ conclusion: "action_required", head_sha: job.pull?.head_sha });
  expect(scene.changes(path)).toEqual([]);

  const reply = scene.github.as("octocat").reply(question, `/approve ${asked.code}\n\nLooks right.`);
  const answer = await asked.answer;
  expect(answer.status).toBe(200);
  expect(scene.changes(path)).toHaveLength(1);
  const after = await asked.until("consumed");
  expect(after.answers).toMatchObject([
    { verdict: "approve", by: "github:octocat", via: "comment", accepted: true, reason: "" },
  ]);
  expect(after.consumed_by).toBe(answer.header("dogwatch-call"));
  expect(await asked.reply(reply)).toBe("**Approved.** Exactly this request passes, once.");
  const call = `http://gateway.test/sessions/${(after.consumed_by ?? "").replace("/", "/calls/")}`;
  await expect
    .poll(() => scene.github.comments.get(question.id).body, { timeout: 60_000 })
    .toContain(`[see what it did](${call})`);
  await expect.poll(() => asked.check?.conclusion, { timeout: 60_000 }).toBe("success");
  expect(asked.check?.actions).toEqual([]);
  expect(await scene.audited(new RegExp(`approval_asked approval ${asked.id} Delete monitor 4212`))).toMatchObject({
    who: expect.stringContaining("acme/app"),
  });
  await scene.audited(new RegExp(`approval_answered approval ${asked.id} approve by comment: accepted`));
  await scene.audited(new RegExp(`approval_ended approval ${asked.id} .*consumed by call`));
});
