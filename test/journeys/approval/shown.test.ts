/** Where a question is put when it cannot be put where it belongs, and that nothing is put twice when GitHub's answers are lost. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ApprovalScene, eventually, inThread, isOurs, openJob, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({
    approve: { DeleteMonitor: "", DeleteSLO: "via: [comment]", DeleteDashboard: "via: [page]" },
  });
});
afterAll(() => scene?.close());
afterEach(async () => {
  scene.github.faults.clear();
  await scene.github.deliveries.release();
});

const say = (login: string) => scene.github.as(login);
let next = 100;
const path = (api = "monitor"): string => `/api/v1/${api}/${(next += 1)}`;

const questionsOf = (id: string) =>
  scene.github.comments
    .in(scene.repository)
    .filter((one) => isOurs(one) && one.body.includes(`dogwatch:approval:${id}`));
const checksOf = (id: string) =>
  scene.github.checks.in(scene.repository).filter(({ external_id }) => external_id === id);

describe("the question stands", () => {
  test("on the first changed file when the workflow's is not in the diff", patient, async () => {
    const asked = await (await scene.job({ files: ["src/a.ts", "src/b.ts"] })).ask(path());
    expect(asked.question).toMatchObject({ kind: "review_comment", path: "src/a.ts", subject_type: "file" });
  });

  test("on the timeline when no file can be commented on, and is answered below", patient, async () => {
    const job = await scene.job({ files: [] });
    const target = path();
    const before = say("octocat").comment(job.pull!, "Earlier.");
    const asked = await job.ask(target);
    expect(asked.approval.where.map(({ kind }) => kind)).toEqual(["check_run", "comment", "page"]);
    expect(asked.question.kind).toBe("issue_comment");
    expect(asked.question.id).toBeGreaterThan(before.id);
    const wrong = say("octocat").comment(job.pull!, "/approve ZZZZZZZZ");
    expect(await asked.reply(wrong)).toMatch(/CODE is not that of this question/);
    const none = say("octocat").comment(job.pull!, "/approve");
    expect(await asked.reply(none)).toMatch(/CODE is missing/);
    say("octocat").comment(job.pull!, `/approve ${asked.code}`);
    expect((await asked.answer).status).toBe(200);
    expect(scene.changes(target)).toHaveLength(1);
  });

  test("in the check run of the commit and on the page when there is no pull request", patient, async () => {
    const job = await scene.job({ pull: null });
    const target = path();
    const asked = await job.ask(target);
    expect(asked.approval.where.map(({ kind }) => kind)).toEqual(["check_run", "page"]);
    expect(asked.check).toMatchObject({ head_sha: job.run.head_sha });
    say("octocat").press(asked.check!, `approve:${asked.code}`);
    expect((await asked.answer).status).toBe(200);
    expect(scene.changes(target)).toHaveLength(1);
  });

  test("in the pull request that has the commit of a pushed run as its head", patient, async () => {
    const first = await scene.job();
    const run = scene.github.runs.start(scene.repository, {
      actor: "mona",
      event: "workflow_dispatch",
      head_sha: first.pull!.head_sha,
    });
    const dispatched = await openJob(scene, run, first.pull);
    const asked = await dispatched.ask(path(), { prefer: "respond-async" });
    expect(asked.question).toMatchObject({ kind: "review_comment", number: first.pull?.number });
  });

  test("on the page alone where the rule takes answers there only, and the thread says so", patient, async () => {
    const asked = await (await scene.job()).ask(path("dashboard"), { prefer: "respond-async" });
    expect(asked.approval.where.map(({ kind }) => kind)).toEqual(["page", "review_comment"]);
    expect(asked.question.body).toContain("A comment does not count for it.");
  });
});

test("nobody is asked who could not answer", patient, async () => {
  const job = await scene.job({ pull: null });
  const answer = await job.send("DELETE", path("slo"));
  expect(answer.header("dogwatch-error")).toBe("approval_required");
  expect(answer.errors?.[0]).toMatch(/takes answers by comment only, and this run has no pull request/);
});

describe("an answer of GitHub that is lost", () => {
  test("to the question: it is looked for, and stands once", async () => {
    const target = path();
    const job = await scene.job();
    scene.github.faults.next("pulls/create-review-comment", { kind: "lost" });
    const sent = job.send("DELETE", target);
    const question = await eventually(
      () =>
        scene.github.comments.in(scene.repository).find((one) => isOurs(one) && one.number === job.pull?.number) ??
        null,
    );
    const code = /\/approve ([A-Z0-9]{8})/.exec(question.body)?.[1] ?? "";
    const id = /dogwatch:approval:([0-9a-f-]+)/.exec(question.body)?.[1] ?? "";
    await eventually(async () => {
      const { where } = (await (await scene.read(`/v1/approvals/${id}`)).json()) as { where: { kind: string }[] };
      return where.some(({ kind }) => kind === "review_comment") ? true : null;
    });
    expect(questionsOf(id)).toHaveLength(1);
    expect(checksOf(id)).toHaveLength(1);
    say("octocat").reply(inThread(question), `/approve ${code}`);
    expect((await sent).status).toBe(200);
    expect(questionsOf(id)).toHaveLength(1);
  });

  test("to the question: an answer below it counts before we know that it stands", async () => {
    const job = await scene.job();
    scene.github.faults.next("pulls/create-review-comment", { kind: "lost" });
    const sent = job.send("DELETE", path());
    const question = await eventually(
      () =>
        scene.github.comments.in(scene.repository).find((one) => isOurs(one) && one.number === job.pull?.number) ??
        null,
    );
    const code = /\/approve ([A-Z0-9]{8})/.exec(question.body)?.[1] ?? "";
    say("octocat").reply(inThread(question), `/approve ${code}`);
    expect((await sent).status).toBe(200);
  });

  test("to the check run: it is not created again, GitHub's delivery tells where it is", async () => {
    const job = await scene.job();
    scene.github.deliveries.hold({ event: "check_run" });
    scene.github.faults.next("checks/create", { kind: "lost" });
    const asked = await job.ask(path());
    expect(asked.approval.where.map(({ kind }) => kind)).toEqual(["page", "review_comment"]);
    await scene.github.deliveries.release();
    await eventually(async () => ((await asked.now()).where.some(({ kind }) => kind === "check_run") ? true : null));
    const [check] = checksOf(asked.id);
    say("octocat").press(check!, `approve:${asked.code}`);
    expect((await asked.answer).status).toBe(200);
    await expect.poll(() => check?.conclusion, patient).toBe("success");
    expect(checksOf(asked.id)).toHaveLength(1);
  });

  test("to the check run, and the delivery too: it is found in the App's deliveries", async () => {
    const job = await scene.job();
    scene.github.deliveries.lose({ event: "check_run" });
    scene.github.faults.next("checks/create", { kind: "lost" });
    const asked = await job.ask(path());
    const check = await eventually(() => checksOf(asked.id)[0] ?? null);
    say("octocat").press(check, `deny:${asked.code}`);
    expect((await asked.answer).header("dogwatch-error")).toBe("approval_denied");
    expect(checksOf(asked.id)).toHaveLength(1);
  });

  test("to a reply: it is looked for, and said once", async () => {
    const asked = await (await scene.job()).ask(path(), { prefer: "respond-async" });
    scene.github.faults.next("pulls/create-reply-for-review-comment", { kind: "lost" });
    const said = say("reader").reply(inThread(asked.question), `/approve ${asked.code}`);
    await asked.reply(said);
    const heard = async () => scene.database.query("SELECT FROM heard WHERE key = $1", [`review_comment:${said.id}`]);
    await expect.poll(heard, patient).toHaveLength(1);
    expect(asked.replies().filter(({ body }) => body.includes(`:${said.id} `))).toHaveLength(1);
    expect((await asked.now()).answers).toHaveLength(1);
  });
});

describe("a GitHub that is in trouble", () => {
  test("does not hold up the call: people answer elsewhere, and the question is shown when it is over", async () => {
    const target = path();
    const job = await scene.job();
    scene.github.faults.next("pulls/list-files", { kind: "status", status: 502 }, 3);
    const sent = job.send("DELETE", target);
    const question = await eventually(
      () =>
        scene.github.comments.in(scene.repository).find((one) => isOurs(one) && one.number === job.pull?.number) ??
        null,
    );
    const code = /\/approve ([A-Z0-9]{8})/.exec(question.body)?.[1] ?? "";
    expect(scene.log.some((line) => line.includes("GitHub does not show a question yet"))).toBe(true);
    say("octocat").reply(inThread(question), `/approve ${code}`);
    expect((await sent).status).toBe(200);
  });

  test("by its limits is not asked before it says so", async () => {
    const job = await scene.job();
    scene.github.faults.next("pulls/create-review-comment", {
      kind: "status",
      status: 403,
      message: "You have exceeded a secondary rate limit",
      headers: { "retry-after": "4" },
    });
    const from = performance.now();
    const asked = await job.ask(path(), { prefer: "respond-async" });
    await eventually(() => (questionsOf(asked.id).length > 0 ? true : null));
    expect(performance.now() - from).toBeGreaterThan(3_500);
    expect(questionsOf(asked.id)).toHaveLength(1);
  });

  test("refuses: it is said in the log what to mend", async () => {
    const job = await scene.job();
    scene.github.faults.next("checks/create", {
      kind: "status",
      status: 403,
      message: "Resource not accessible by integration",
      headers: { "x-accepted-github-permissions": "checks=write" },
    });
    const sent = job.send("DELETE", path(), { prefer: "respond-async" });
    expect((await sent).status).toBe(202);
    await eventually(() =>
      scene.log.some((line) => line.includes("the App needs the permission checks: write")) ? true : null,
    );
    const question = await eventually(
      () =>
        scene.github.comments.in(scene.repository).find((one) => isOurs(one) && one.number === job.pull?.number) ??
        null,
    );
    // Where it stands it becomes its answer, though the check run is still missing.
    const code = /\/approve ([A-Z0-9]{8})/.exec(question.body)?.[1] ?? "";
    say("octocat").reply(inThread(question), `/deny ${code}`);
    await expect.poll(() => scene.github.comments.get(question.id).body, patient).toContain("**Denied** by `octocat`");
  });
});

test("a question whose comment was deleted still ends", patient, async () => {
  const asked = await (await scene.job()).ask(path());
  scene.github.repositories.permit(scene.repository, "mona", "admin");
  say("mona").remove(asked.question);
  say("octocat").press(asked.check!, `approve:${asked.code}`);
  expect((await asked.answer).status).toBe(200);
  await expect.poll(() => asked.check?.conclusion, patient).toBe("success");
  const told = () => scene.database.query("SELECT told FROM approvals WHERE id = $1", [asked.id]);
  await expect.poll(told, patient).toEqual([{ told: "consumed" }]);
});
