/** A gateway that was away: what was asked before stays asked, and what was answered meanwhile counts. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApprovalScene, approvalOf, eventually, inThread, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene();
});
afterAll(() => scene?.close());

const say = (login: string) => scene.github.as(login);

test("an answer that was given while no gateway ran is found at the start, and passes its call once", {
  timeout: 120_000,
}, async () => {
  const path = "/api/v1/monitor/1";
  const job = await scene.job();
  const asked = await job.ask(path, { prefer: "respond-async" });
  await scene.gateway.close();
  const said = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  await scene.github.deliveries.settled();
  await scene.start();
  await eventually(async () => ((await approvalOf(scene, asked.id)).state === "approved" ? true : null));
  expect((await job.send("DELETE", path)).status).toBe(200);
  expect(await asked.reply(said)).toMatch(/\*\*Approved\.\*\*/);
  expect(scene.changes(path)).toHaveLength(1);
  expect(
    scene.github.comments.in(scene.repository).filter(({ body }) => body.includes(`dogwatch:approval:${asked.id}`)),
  ).toHaveLength(1);
});

test("a button that was pressed meanwhile counts too", { timeout: 120_000 }, async () => {
  const job = await scene.job();
  const asked = await job.ask("/api/v1/monitor/2", { prefer: "respond-async" });
  await scene.gateway.close();
  say("octocat").press(asked.check!, `deny:${asked.code}`);
  await scene.github.deliveries.settled();
  await scene.start();
  await eventually(async () => ((await approvalOf(scene, asked.id)).state === "denied" ? true : null));
  await expect.poll(() => asked.check?.conclusion, patient).toBe("failure");
});

test("what ended meanwhile is shown at the start", { timeout: 120_000 }, async () => {
  const job = await scene.job();
  const asked = await job.ask("/api/v1/monitor/3", { prefer: "respond-async" });
  await scene.gateway.close();
  await scene.database.query("UPDATE sessions SET state = 'expired', closed_at = now() WHERE id = $1", [
    job.session.session_id,
  ]);
  await scene.start();
  await expect
    .poll(() => scene.github.comments.get(asked.question.id).body, patient)
    .toContain("**Not asked any more**");
  await expect.poll(() => asked.check?.conclusion, patient).toBe("cancelled");
});
