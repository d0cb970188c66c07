/** When a job's session is over, the answered question in the pull request shows the checkpoint that covers its recording. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { findAnchors } from "../../../server/stages/seal/verify/anchor.ts";
import { type ApprovalScene, inThread, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({ approve: { DeleteMonitor: "" } });
});
afterAll(() => scene?.close());

test("the comment is an anchor: an auditor finds the checkpoint in it, and it is the seal's", patient, async () => {
  scene.monitors.set("/api/v1/monitor/71", { id: 71, name: "A monitor", query: "1 > 0" });
  const { session, ask } = await scene.job();
  const asked = await ask("/api/v1/monitor/71");
  scene.github.as("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  expect((await asked.answer).status).toBe(200);
  const comment = (): string => scene.github.comments.get(asked.question.id).body;
  expect(findAnchors("comment", comment())).toEqual([]);

  const closed = await fetch(`${scene.url}/v1/sessions/${session.session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${session.access_token}` },
  });
  expect(closed.status).toBe(200);
  await expect.poll(() => findAnchors("comment", comment()).length, patient).toBe(1);
  const { seal } = await scene.session(session.session_id);
  expect(seal?.checkpoint).toBeTruthy();
  expect(comment()).toContain(seal?.checkpoint?.trimEnd());
  expect(comment()).toContain(seal?.head);
  expect(comment()).toContain("and sent");
});
