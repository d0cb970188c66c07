/** Runs without a pull request where the App may open issues: asked in an issue, answered below it. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApprovalScene, eventually, isOurs, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({ github: "  issues: true", permissions: { issues: "write" } });
});
afterAll(() => scene?.close());

const say = (login: string) => scene.github.as(login);

test("the question is an issue, a comment there answers it, and the issue becomes the answer", patient, async () => {
  const path = "/api/v1/monitor/1";
  scene.monitors.set(path, { id: 1, name: "Disk @acme/sre" });
  const job = await scene.job({ pull: null });
  const sent = job.send("DELETE", path);
  const issue = await eventually(
    () => scene.github.pulls.issues(scene.repository).find(({ author }) => author.login === "dogwatch[bot]") ?? null,
  );
  expect(issue.title).toBe("Approval needed: Delete monitor 1 “Disk @acme/sre”");
  const code = /\/approve ([A-Z0-9]{8})/.exec(issue.body)?.[1] ?? "";
  const wrong = say("octocat").comment(issue, "/approve ZZZZZZZZ");
  const replies = () => scene.github.comments.on(issue).filter(isOurs);
  await expect.poll(() => replies().at(-1)?.body ?? "", patient).toContain(`comment:${wrong.id} `);
  expect(replies().at(-1)?.body).toContain("The CODE is not that of this question");
  expect(scene.changes(path)).toEqual([]);
  say("octocat").comment(issue, `/approve ${code}`);
  expect((await sent).status).toBe(200);
  await expect.poll(() => issue.body, patient).toContain("**and sent**");
  await expect.poll(() => replies().at(-1)?.body ?? "", patient).toContain("**Approved.**");
});

test("a lost answer opens no second issue", async () => {
  const job = await scene.job({ pull: null });
  scene.github.faults.next("issues/create", { kind: "lost" });
  const before = scene.github.pulls.issues(scene.repository).length;
  const answer = await job.send("DELETE", "/api/v1/monitor/2", { prefer: "respond-async" });
  const id = answer.header("dogwatch-approval") ?? "";
  await eventually(async () => {
    const { where } = (await (await scene.read(`/v1/approvals/${id}`)).json()) as { where: { kind: string }[] };
    return where.some(({ kind }) => kind === "issue") ? true : null;
  });
  expect(scene.github.pulls.issues(scene.repository)).toHaveLength(before + 1);
});

test("with all deliveries lost, a comment in the issue is found", async () => {
  scene.github.deliveries.lose();
  const job = await scene.job({ pull: null });
  const sent = job.send("DELETE", "/api/v1/monitor/3");
  const issue = await eventually(
    () => scene.github.pulls.issues(scene.repository).find(({ title }) => title.includes("monitor 3")) ?? null,
  );
  const code = /\/approve ([A-Z0-9]{8})/.exec(issue.body)?.[1] ?? "";
  say("octocat").comment(issue, `/approve ${code}`);
  expect((await sent).status).toBe(200);
});
