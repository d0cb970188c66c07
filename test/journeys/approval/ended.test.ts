/** What ends a question before anybody answered, and answers that come after its end. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApprovalScene, type Asked, inThread, openJob, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({ approve: { DeleteMonitor: "", DeleteSLO: "expires: 8s" } });
});
afterAll(() => scene?.close());

const say = (login: string) => scene.github.as(login);
let next = 100;
const path = (api: "monitor" | "slo" = "monitor"): string => `/api/v1/${api}/${(next += 1)}`;

/** The waiting caller, the comment and the check run hear that nobody is asked any more. */
async function isCancelled(asked: Asked, reason: RegExp): Promise<void> {
  const answer = await asked.answer;
  expect(answer.header("dogwatch-error")).toBe("approval_cancelled");
  expect(answer.errors?.[0]).toMatch(reason);
  expect(await asked.now()).toMatchObject({ state: "cancelled", answers: [] });
  const body = () => scene.github.comments.get(asked.question.id).body;
  await expect.poll(body, patient).toMatch(/\*\*Not asked any more\*\*/);
  await expect.poll(() => asked.check, patient).toMatchObject({ conclusion: "cancelled", actions: [] });
}

describe("a question is cancelled", () => {
  test("when the pull request is closed", patient, async () => {
    const job = await scene.job();
    const asked = await job.ask(path());
    scene.github.pulls.close(job.pull!, "mona");
    await isCancelled(asked, /the pull request is closed/);
  });

  test("when there is a new commit", patient, async () => {
    const job = await scene.job();
    const asked = await job.ask(path());
    scene.github.pulls.push(job.pull!, { by: "mona" });
    await isCancelled(asked, /there are new commits since the question was asked/);
  });

  test("when the job ends", patient, async () => {
    const job = await scene.job();
    const asked = await job.ask(path());
    await fetch(`${scene.url}/v1/sessions/${job.session.session_id}/close`, {
      method: "POST",
      headers: { authorization: `Bearer ${job.session.access_token}` },
    });
    await isCancelled(asked, /the session that asked has ended/);
  });

  test("when the run was started again, or has ended, and nothing told of it", { timeout: 120_000 }, async () => {
    const [again, ended] = [await scene.job(), await scene.job()];
    const asked = [await again.ask(path()), await ended.ask(path())] as const;
    scene.github.runs.rerun(again.run, "mona");
    scene.github.runs.end(ended.run, "success");
    await isCancelled(asked[0], /the run was started again/);
    await isCancelled(asked[1], /the run has ended/);
  });
});

test("a delivery is not believed: what it tells of is asked", patient, async () => {
  const job = await scene.job();
  const asked = await job.ask(path());
  scene.github.deliveries.hold({ event: "pull_request" });
  scene.github.pulls.close(job.pull!, "mona");
  scene.github.pulls.reopen(job.pull!, "mona");
  await scene.github.deliveries.release("reversed");
  await scene.github.deliveries.settled();
  expect((await asked.now()).state).toBe("pending");
  say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  expect((await asked.answer).status).toBe(200);
});

describe("an answer that comes too late is refused, recorded, and told why", () => {
  test("after the time is over", patient, async () => {
    const job = await scene.job();
    const asked = await job.ask(path("slo"));
    const answer = await asked.answer;
    expect(answer.header("dogwatch-error")).toBe("approval_expired");
    const late = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
    expect(await asked.reply(late)).toMatch(/The time for an answer is over/);
    expect(await asked.until("expired")).toMatchObject({
      answers: [{ by: "github:octocat", accepted: false, reason: expect.stringMatching(/time for an answer is over/) }],
    });
    expect(scene.changes().filter(({ url }) => url.includes("/slo/"))).toEqual([]);
  });

  test("after somebody else's", patient, async () => {
    const target = path();
    const job = await scene.job();
    const asked = await job.ask(target);
    say("octocat").reply(inThread(asked.question), `/deny ${asked.code}`);
    expect((await asked.answer).header("dogwatch-error")).toBe("approval_denied");
    const late = say("hubot").reply(inThread(asked.question), `/approve ${asked.code}`);
    expect(await asked.reply(late)).toMatch(/This question was denied before, and that is final/);
    expect((await asked.now()).answers.map(({ by, accepted }) => [by, accepted])).toEqual([
      ["github:octocat", true],
      ["github:hubot", false],
    ]);
    expect(scene.changes(target)).toEqual([]);
  });

  test("after it was used", patient, async () => {
    const target = path();
    const job = await scene.job();
    const asked = await job.ask(target);
    say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
    expect((await asked.answer).status).toBe(200);
    const late = say("hubot").reply(inThread(asked.question), `/deny ${asked.code}`);
    expect(await asked.reply(late)).toMatch(/This question was approved before/);
    const edited = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
    await asked.reply(edited);
    expect((await asked.now()).state).toBe("consumed");
    expect(scene.changes(target)).toHaveLength(1);
  });

  test.each<[string, (asked: Asked) => void, RegExp]>([
    ["closed", (asked) => scene.github.pulls.close(pullOf(asked), "mona"), /pull request is closed/],
    ["changed", (asked) => void scene.github.pulls.push(pullOf(asked), { by: "mona" }), /new commits since/],
  ])("after the pull request was %s and before anybody noticed", patient, async (_what, change, reason) => {
    const target = path();
    const job = await scene.job();
    const asked = await job.ask(target, { prefer: "respond-async" });
    scene.github.deliveries.lose({ event: "pull_request" });
    change(asked);
    const late = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
    const reply = await asked.reply(late);
    const after = await asked.now();
    // Unless a poll was faster.
    expect(`${reply} ${after.reason}`).toMatch(reason);
    expect(after.answers).toMatchObject([{ accepted: false }]);
    await scene.github.deliveries.release();
    expect(scene.changes(target)).toEqual([]);
  });
});

const pullOf = ({ question }: Asked) => scene.github.pulls.numbered(scene.repository, question.number);

test("a comment that was edited after it counted is an attempt of its own, refused once", patient, async () => {
  const target = path();
  const job = await scene.job();
  const asked = await job.ask(target);
  const said = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  expect((await asked.answer).status).toBe(200);
  await asked.reply(said);
  say("octocat").edit(said, "Never mind.");
  const reply = await asked.reply(new RegExp(`dogwatch:reply:review_comment:${said.id}:edited`));
  expect(reply).toMatch(/\*\*This does not count\.\*\* This question was approved before/);
  say("octocat").edit(said, "Really.");
  await scene.github.deliveries.settled();
  expect((await asked.now()).answers.map(({ accepted }) => accepted)).toEqual([true, false]);
  expect(asked.replies().filter(({ body }) => body.includes(`:${said.id}:edited`))).toHaveLength(1);
  expect(scene.changes(target)).toHaveLength(1);
});

test("an answer for another attempt of the run is none", patient, async () => {
  const target = path();
  const first = await scene.job();
  const asked = await first.ask(target, { prefer: "respond-async" });
  scene.github.runs.rerun(first.run, "hubot");
  const second = await openJob(scene, first.run, first.pull);
  const again = await second.ask(target, { prefer: "respond-async" });
  expect(again.id).not.toBe(asked.id);
  const late = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  const reply = await asked.reply(late);
  expect(`${reply} ${(await asked.now()).reason}`).toMatch(/run was started again/);
  expect((await again.now()).state).toBe("pending");
  const own = say("hubot").reply(inThread(again.question), `/approve ${again.code}`);
  expect(await again.reply(own)).toMatch(/Nobody answers for their own run/);
  say("octocat").reply(inThread(again.question), `/approve ${again.code}`);
  await again.until("approved");
  expect((await second.send("DELETE", target)).status).toBe(200);
  expect(scene.changes(target)).toHaveLength(1);
});

test("a repository that only has the name is not the one that asked", patient, async () => {
  const { repositories } = scene.github;
  const twin = repositories.add("acme/twin");
  repositories.permit(twin, "mona", "write");
  const target = path();
  const job = await scene.job({ repository: twin });
  const asked = await job.ask(target, { prefer: "respond-async" });
  repositories.remove(twin);
  const other = repositories.add("acme/twin");
  scene.repositories.add(other);
  repositories.permit(other, "octocat", "admin");
  const pull = scene.github.pulls.open(other, { author: "mona" });
  const said = say("octocat").comment(pull, `/approve ${asked.code}`);
  expect(await asked.reply(said)).toMatch(/It came from another repository than the one that asks/);
  expect(await asked.now()).toMatchObject({
    state: "pending",
    answers: [{ by: "github:octocat", accepted: false, reason: expect.stringMatching(/another repository/) }],
  });
  expect(scene.changes(target)).toEqual([]);
});

test.each([
  ["a session's", async () => (await scene.job()).session.access_token],
  ["an auditor's", () => Promise.resolve("auditor-token-of-the-tests-0123456789")],
])("no token answers: not %s", patient, async (_whose, token) => {
  const job = await scene.job();
  const asked = await job.ask(path(), { prefer: "respond-async" });
  const response = await fetch(`${scene.url}/v1/approvals/${asked.id}/answer`, {
    method: "POST",
    headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
    body: JSON.stringify({ verdict: "approve" }),
  });
  expect(response.status).toBe(403);
  expect(await response.text()).toContain("a token does not answer");
  expect(await asked.now()).toMatchObject({ state: "pending", answers: [] });
});
