/** Between the answer and the use everything is looked at once more: what does not hold any more lets nothing pass. */

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isReplicated } from "../../standins/replicas.ts";
import { type ApprovalScene, type Asked, inThread, type Job, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({ approve: { DeleteMonitor: "", DeleteSLO: "approvers: { teams: [sre] }" } });
});
afterAll(() => scene?.close());

const say = (login: string) => scene.github.as(login);

type Approved = { readonly job: Job; readonly asked: Asked; readonly path: string };

let next = 100;
/** Approved by somebody new, and not used yet. */
const approved = async (api: "monitor" | "slo" = "monitor", by = "octocat"): Promise<Approved> => {
  const path = `/api/v1/${api}/${(next += 1)}`;
  scene.monitors.set(path, { id: next, name: "A monitor", query: "1 > 0" });
  const job = await scene.job();
  const asked = await job.ask(path, { prefer: "respond-async" });
  say(by).reply(inThread(asked.question), `/approve ${asked.code}`);
  await asked.until("approved");
  return { job, asked, path };
};

/** Its use is refused, for good, and the thread says why. */
async function isOver({ job, asked, path }: Approved, state: "stale" | "cancelled", reason: RegExp): Promise<void> {
  const answer = await job.send("DELETE", path);
  expect(answer.status).toBe(403);
  // Whoever looks first that the run is over may be a poll: then it would be asked again, and nobody can be.
  expect(state === "stale" ? [`approval_${state}`] : [`approval_${state}`, "approval_required"]).toContain(
    answer.header("dogwatch-error"),
  );
  if (state === "stale") expect(answer.errors?.[0]).toMatch(reason);
  expect(scene.changes(path)).toEqual([]);
  const after = await asked.now();
  expect(after).toMatchObject({ state, consumed_by: null });
  expect(after.reason).toMatch(reason);
  await expect
    .poll(() => scene.github.comments.get(asked.question.id).body, patient)
    .toMatch(/\*\*(Approved, and not valid any more|Not asked any more)\*\*/);
  await scene.audited(new RegExp(`approval_ended approval ${asked.id}`));
}

test("the approver left the team", patient, async () => {
  const { accounts } = scene.github;
  const team = accounts.addTeam("acme", "sre", ["octocat"]);
  const known = await approved("slo");
  accounts.leave(team, "octocat");
  await isOver(known, "stale", /github:octocat, who approved it, may not approve it any more/);
  accounts.join(team, "octocat");
});

test("the approver may not write any more", patient, async () => {
  const { repositories } = scene.github;
  const known = await approved("monitor", "hubot");
  repositories.permit(scene.repository, "hubot", "read");
  await isOver(known, "stale", /github:hubot, who approved it, may not approve it any more/);
});

test("the approver pushed the commit that is approved", patient, async () => {
  const known = await approved("monitor", "ben");
  const { pull, run } = known.job;
  // The same commit under somebody else's name: what GitHub says of it now is what counts.
  const commit = scene.github.pulls.commit(scene.repository, pull?.head_sha ?? "");
  Object.assign(commit ?? {}, { committer: scene.github.accounts.named("ben") });
  await isOver(known, "stale", /github:ben, who approved it, may not approve it any more/);
  expect(run.status).toBe("in_progress");
});

test("what is deleted is not any more as it was shown", patient, async () => {
  const known = await approved();
  scene.monitors.set(known.path, { id: 1, name: "A monitor", query: "2 > 0" });
  await isOver(known, "stale", /not any more as it was shown/);
});

test("what changes by itself is no change", patient, async () => {
  const known = await approved();
  const shown = scene.monitors.get(known.path);
  scene.monitors.set(known.path, { ...shown, overall_state: "Alert", modified: "2027-01-01T00:00:00Z" });
  expect((await known.job.send("DELETE", known.path)).status).toBe(200);
});

test("there is a new commit, whether or not it was told of", patient, async () => {
  const known = await approved();
  scene.github.deliveries.lose({ event: "pull_request" });
  scene.github.pulls.push(known.job.pull!, { by: "mona" });
  await isOver(known, "cancelled", /new commits since the question was asked/);
  await scene.github.deliveries.release();
});

test("the pull request was closed, whether or not it was told of", patient, async () => {
  const known = await approved();
  scene.github.deliveries.lose({ event: "pull_request" });
  scene.github.pulls.close(known.job.pull!, "mona");
  await isOver(known, "cancelled", /pull request is closed/);
  await scene.github.deliveries.release();
});

test("the run was started again", patient, async () => {
  const known = await approved();
  scene.github.runs.rerun(known.job.run, "mona");
  await isOver(known, "cancelled", /run was started again/);
});

test("the run has ended", patient, async () => {
  const known = await approved();
  scene.github.runs.end(known.job.run, "success");
  await isOver(known, "cancelled", /run has ended/);
});

test("GitHub does not answer: not now, and later it passes", patient, async () => {
  const known = await approved();
  const { path, job } = known;
  scene.github.faults.next("actions/get-workflow-run", { kind: "status", status: 500 }, 20);
  const answer = await job.send("DELETE", path);
  expect(answer.header("dogwatch-error")).toBe("approval_required");
  expect(answer.errors?.[0]).toMatch(/it was approved, and GitHub could not be asked about the pull request/);
  expect(scene.changes(path)).toEqual([]);
  scene.github.faults.clear();
  expect((await known.asked.now()).state).toBe("approved");
  expect((await job.send("DELETE", path)).status).toBe(200);
  expect(scene.changes(path)).toHaveLength(1);
});

test("the policy has changed while it waited", async ({ skip }) => {
  skip(isReplicated, "each gateway reads its file for itself, one of them a moment later");
  const path = "/api/v1/monitor/9000";
  scene.monitors.set(path, { id: 9000, name: "A monitor" });
  const job = await scene.job();
  const asked = await job.ask(path);
  const text = readFileSync(scene.file, "utf8");
  writeFileSync(
    scene.file,
    text.replace("policy:\n  rules:\n", "policy:\n  rules:\n    - { name: nothing, effect: deny, when: 'false' }\n"),
  );
  const loads = async () => (await scene.audit()).filter(({ kind }) => kind === "configuration_loaded").length;
  await expect.poll(loads, patient).toBe(2);
  say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  const answer = await asked.answer;
  expect(answer.header("dogwatch-error")).toBe("approval_stale");
  expect(answer.errors?.[0]).toMatch(/the policy changed after the question was asked/);
  expect(scene.changes(path)).toEqual([]);
  expect((await asked.now()).state).toBe("stale");
});
