/** What is written on pull requests and issues, and what GitHub does not take. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Acme, workflow } from "./acme.ts";

let acme: Acme;
beforeAll(async () => {
  acme = await Acme.open();
});
afterAll(() => acme.close());

const repo = "/repos/acme/checkout";
const post = (path: string, body: unknown) => acme.ask("POST", `${repo}${path}`, { token: acme.token(), body });
const get = (path: string) => acme.ask("GET", `${repo}${path}`, { token: acme.token() });

const asking = (more: object = {}) => ({
  commit_id: acme.pull.head_sha,
  path: workflow,
  subject_type: "file",
  body: "Question",
  ...more,
});

describe("a comment on a file", () => {
  test("begins a thread, and replies to it stand in it, replies to replies too", async () => {
    const { github } = acme;
    const asked = (await post("/pulls/7/comments", asking())).body;
    expect(asked).toMatchObject({
      subject_type: "file",
      path: workflow,
      user: { login: "dogwatch[bot]", type: "Bot" },
    });
    expect(asked.in_reply_to_id).toBeUndefined();
    const answer = github.as("mona").reply(asked.id, "/approve K7M2Q9XZ");
    const more = github.as("rita").reply(answer, "Me too");
    expect((await get(`/pulls/comments/${answer.id}`)).body).toMatchObject({
      in_reply_to_id: asked.id,
      user: { login: "mona", type: "User" },
      created_at: "2026-01-02T03:04:05Z",
      updated_at: "2026-01-02T03:04:05Z",
    });
    expect(more.in_reply_to).toBe(asked.id);
    expect(github.comments.thread(more).map(({ id }) => id)).toEqual([asked.id, answer.id, more.id]);
    const replied = await post(`/pulls/7/comments/${asked.id}/replies`, { body: "Approved" });
    expect(replied.body.in_reply_to_id).toBe(asked.id);
    expect((await post("/pulls/7/comments", { ...asking(), in_reply_to: asked.id })).body.in_reply_to_id).toBe(
      asked.id,
    );
  });

  test("stands on files of the diff and commits of the pull request only", async () => {
    expect(await post("/pulls/7/comments", asking({ path: "src/other.ts" }))).toMatchObject({
      status: 422,
      body: { message: "Validation Failed", errors: [{ field: "pull_request_review_thread.path", code: "invalid" }] },
    });
    expect(await post("/pulls/7/comments", asking({ commit_id: "0".repeat(40) }))).toMatchObject({ status: 422 });
    expect((await post("/pulls/7/comments", asking({ subject_type: "line" }))).status).toBe(422);
    expect((await post("/pulls/7/comments", asking({ subject_type: "line", line: 1 }))).status).toBe(201);
    expect((await post("/pulls/8/comments", asking())).status).toBe(404);
    acme.findings.length = 0;
  });
});

test("a comment has at most 65,536 characters, and some", async () => {
  expect((await post("/issues/7/comments", { body: "😀".repeat(65_536) })).status).toBe(201);
  for (const path of ["/issues/7/comments", "/pulls/7/comments"]) {
    const refused = await post(path, asking({ body: "x".repeat(65_537) }));
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ message: expect.stringContaining("is too long") }] },
    });
    expect((await post(path, asking({ body: " " }))).status).toBe(422);
  }
  // What comments on files are made of is no part of a comment on the timeline.
  acme.findings.length = 0;
});

test("edits keep the author and move the time; what is deleted is gone", async () => {
  const { github, pull } = acme;
  const said = github.as("mona").comment(pull, "Not now");
  const look = () => get(`/issues/comments/${said.id}`);
  acme.later(999);
  github.as("octocat").edit(said, "/approve K7M2Q9XZ");
  acme.later(61_000);
  github.as("octocat").edit(said, "/approve K7M2Q9XZ!");
  expect((await look()).body).toMatchObject({ user: { login: "mona" }, body: "/approve K7M2Q9XZ!" });
  expect((await look()).body.updated_at).not.toBe((await look()).body.created_at);
  expect(() => github.as("rita").edit(said, "x")).toThrow("rita may not change what mona wrote");
  github.as("mona").remove(said);
  expect((await look()).status).toBe(404);
  expect((await get(`/pulls/comments/${said.id}`)).status).toBe(404);
});

test("an edit within the second of writing does not show in the times, as at GitHub", async () => {
  const { github, pull } = acme;
  acme.clock.now = new Date("2026-01-02T05:00:00.100Z");
  const said = github.as("mona").comment(pull, "Not now");
  acme.later(500);
  github.as("octocat").edit(said, "/approve K7M2Q9XZ");
  const { created_at, updated_at } = (await get(`/issues/comments/${said.id}`)).body;
  expect(updated_at).toBe(created_at);
});

test("lists know since when, in which order and how many", async () => {
  const { github } = acme;
  const other = github.pulls.open(acme.checkout, { author: "octocat", number: 30 });
  const mona = github.as("mona");
  acme.clock.now = new Date("2026-01-03T00:00:00.000Z");
  const [first, second, third] = ["one", "two", "three"].map((text) => {
    acme.later(60_000);
    return mona.comment(other, text);
  });
  acme.later(60_000);
  mona.edit(first!, "one, again");
  const list = async (query: string) =>
    ((await get(`/issues/comments?since=2026-01-03T00:00:00Z&${query}`)).body as { id: number }[]).map(({ id }) => id);
  expect(await list("")).toEqual([first!.id, second!.id, third!.id]);
  expect(await list("sort=updated&direction=desc")).toEqual([first!.id, third!.id, second!.id]);
  expect(await list("sort=created&direction=desc")).toEqual([third!.id, second!.id, first!.id]);
  const page = await get("/issues/comments?since=2026-01-03T00:00:00Z&per_page=2");
  expect(page.headers.get("link")).toContain('page=2>; rel="next"');
  expect(await list("per_page=2&page=2")).toEqual([third!.id]);
  const since = await get("/issues/30/comments?since=2026-01-03T00:03:00Z");
  expect(since.body.map(({ id }: { id: number }) => id)).toEqual([first!.id, third!.id]);
});

describe("a pull request", () => {
  test("has its head, its author and its files; pushes move the head", async () => {
    const { github, checkout } = acme;
    const pull = github.pulls.open(checkout, { author: "octocat", files: ["a.ts"] });
    const before = pull.head_sha;
    const pushed = github.pulls.push(pull, {
      by: "mona",
      authoredBy: "octocat",
      committer: null,
      files: ["a.ts", "b.ts"],
    });
    const seen = (await get(`/pulls/${pull.number}`)).body;
    expect(seen).toMatchObject({ state: "open", head: { sha: pushed.sha }, user: { login: "octocat" }, commits: 2 });
    expect(seen.merge_commit_sha).not.toBe(pushed.sha);
    const files = (await get(`/pulls/${pull.number}/files`)).body.map(({ filename }: { filename: string }) => filename);
    expect(files).toEqual(["a.ts", "b.ts"]);
    for (const sha of [before, pushed.sha])
      expect((await get(`/commits/${sha}/pulls`)).body).toMatchObject([{ number: pull.number }]);
    github.pulls.close(pull, "mona");
    expect((await get(`/commits/${pushed.sha}/pulls`)).body).toEqual([]);
    expect((await get("/pulls")).body.map(({ number }: { number: number }) => number)).not.toContain(pull.number);
  });

  test("from a fork is not listed with its run, and its commits lead to it", async () => {
    const { github, checkout } = acme;
    const fork = github.repositories.add("octocat/checkout");
    const pull = github.pulls.open(checkout, { author: "octocat", from: fork });
    const run = github.runs.start(checkout, { actor: "octocat", pull });
    expect((await get(`/actions/runs/${run.id}`)).body).toMatchObject({
      pull_requests: [],
      head_sha: pull.head_sha,
      head_repository: { full_name: "octocat/checkout" },
    });
    expect((await get(`/commits/${pull.head_sha}/pulls`)).body).toMatchObject([{ number: pull.number }]);
  });
});

test("a run has its people and attempts", async () => {
  const { github, run } = acme;
  const look = async () => (await get("/actions/runs/9001")).body;
  expect(await look()).toMatchObject({
    run_attempt: 1,
    status: "in_progress",
    actor: { login: "octocat" },
    triggering_actor: { login: "octocat" },
    path: workflow,
    pull_requests: [{ number: 7 }],
  });
  github.runs.rerun(run, "mona");
  expect(await look()).toMatchObject({
    run_attempt: 2,
    actor: { login: "octocat" },
    triggering_actor: { login: "mona" },
  });
  github.runs.end(run, "success");
  expect(await look()).toMatchObject({ status: "completed", conclusion: "success" });
});

describe("a check run", () => {
  const create = (more: object) =>
    post("/check-runs", { name: "Dogwatch", head_sha: acme.pull.head_sha, conclusion: "action_required", ...more });
  const action = { label: "Approve", description: "Let it pass", identifier: "approve:K7M2Q9XZ" };

  test("is within GitHub's limits", async () => {
    const output = { title: "x", summary: "x".repeat(65_535), text: "x".repeat(65_535) };
    expect((await create({ output, actions: [action, action, action] })).status).toBe(201);
    for (const more of [
      { actions: [action, action, action, action] },
      { actions: [{ ...action, label: "x".repeat(21) }] },
      { actions: [{ ...action, description: "x".repeat(41) }] },
      { actions: [{ ...action, identifier: "x".repeat(21) }] },
      { output: { ...output, summary: "x".repeat(65_536) } },
      { output: { ...output, text: "x".repeat(65_536) } },
      { head_sha: "0".repeat(40) },
      { details_url: "javascript:alert(1)" },
    ])
      expect((await create(more)).status, JSON.stringify(more).slice(0, 60)).toBe(422);
    // GitHub describes these limits, but not that it answers 422.
    acme.findings.length = 0;
  });

  test("shows its buttons while it is completed, to people who may write", async () => {
    const { github, checkout } = acme;
    const { id } = (await create({ actions: [action] })).body;
    const check = github.checks.get(id);
    expect(() => github.as("rita").press(check, action.identifier)).toThrow("rita sees no buttons");
    expect(() => github.as("mona").press(check, "deny:K7M2Q9XZ")).toThrow("shows no button");
    github.as("mona").press(check, action.identifier);
    await acme.ask("PATCH", `${repo}/check-runs/${id}`, { token: acme.token(), body: { status: "in_progress" } });
    expect(() => github.as("mona").press(check, action.identifier)).toThrow("shows no button");
    await acme.ask("PATCH", `${repo}/check-runs/${id}`, {
      token: acme.token(),
      body: { conclusion: "success", actions: [] },
    });
    expect(() => github.as("mona").press(check, action.identifier)).toThrow("shows no button");
    expect(github.checks.in(checkout).find((each) => each.id === id)).toMatchObject({ conclusion: "success" });
  });
});

test("somebody answers the newest question by its CODE", async () => {
  const { github, checkout } = acme;
  const asked = (await post("/pulls/7/comments", asking({ body: "Say `/approve K7M2Q9XZ` or not" }))).body;
  const denied = github.as("mona").answer(checkout, "deny", "not today");
  expect(denied).toMatchObject({ body: "/deny K7M2Q9XZ not today", in_reply_to: asked.id });
  await post("/issues/7/comments", { body: "Say `/approve AAAABBBB`" });
  expect(github.as("mona").answer(checkout, "approve")).toMatchObject({
    kind: "issue_comment",
    body: "/approve AAAABBBB",
  });
});
