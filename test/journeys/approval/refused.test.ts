/** Everything that is no answer: refused, recorded, and answered in the thread with the reason; the question stays, and Datadog hears nothing. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Comment, ReviewComment } from "../../../server/demo/github/state.ts";
import { type ApprovalScene, type Asked, inThread, type Job, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
/** Its actor, triggering actor, author and committer are four people. */
let job: Job;
let asked: Asked;
let thread: ReviewComment;

const path = "/api/v1/monitor/4212";

beforeAll(async () => {
  scene = await startApprovalScene();
  scene.monitors.set(path, { id: 4212, name: "Checkout latency p99" });
  job = await scene.job({ actor: "mona", triggering_actor: "hubot", author: "ana", committer: "ben" });
  asked = await job.ask(path, { prefer: "respond-async" });
  thread = inThread(asked.question);
});
afterAll(() => scene?.close());

type Attempt = {
  write(login: string): Comment;
  /** Default: somebody who may, and whose comment alone is wrong. */
  readonly by?: string;
  readonly reason: RegExp;
};

const say = (login: string) => scene.github.as(login);
/** Somebody new who may write: nobody is answered without end. */
let people = 0;
const somebody = (): string => {
  const login = `reviewer-${(people += 1)}`;
  scene.github.accounts.add(login);
  scene.github.repositories.permit(scene.repository, login, "write");
  return login;
};
const approve = () => `/approve ${asked.code}`;

/** Recorded as refused, said so where it was written, and nothing else happened. */
async function isRefused({ write, by = somebody(), reason }: Attempt): Promise<void> {
  const before = (await asked.now()).answers.length;
  const comment = write(by);
  const reply = await asked.reply(comment);
  expect(reply).toMatch(/^\*\*This does not count\.\*\* /);
  expect(reply.replaceAll("\\", "")).toMatch(reason);
  const after = await asked.now();
  expect(after.state).toBe("pending");
  expect(after.answers).toHaveLength(before + 1);
  expect(after.answers.at(-1)).toMatchObject({ by: `github:${by}`, via: "comment", accepted: false });
  expect(after.answers.at(-1)?.reason).toMatch(reason);
  expect(scene.changes()).toEqual([]);
}

describe("a comment that is none", () => {
  test.each<[string, Attempt]>([
    [
      "has a wrong CODE",
      { write: (login) => say(login).reply(thread, "/approve ZZZZZZZZ"), reason: /CODE is not that of this question/ },
    ],
    ["has no CODE", { write: (login) => say(login).reply(thread, "/approve"), reason: /CODE is missing/ }],
    [
      "says more than a command",
      {
        write: (login) => say(login).reply(thread, `${approve()} if it is Friday`),
        reason: /After the CODE of an approval may stand nothing/,
      },
    ],
    [
      "wants a whole session, which the rule does not permit",
      {
        write: (login) => say(login).reply(thread, `${approve()} session`),
        reason: /permits no approval for a whole session/,
      },
    ],
    [
      "is the actor's",
      { write: (login) => say(login).reply(thread, approve()), by: "mona", reason: /Nobody answers for their own run/ },
    ],
    [
      "is the triggering actor's",
      {
        write: (login) => say(login).reply(thread, approve()),
        by: "hubot",
        reason: /Nobody answers for their own run/,
      },
    ],
    [
      "is the author's",
      { write: (login) => say(login).reply(thread, approve()), by: "ana", reason: /Nobody answers for their own run/ },
    ],
    [
      "is the last pusher's",
      { write: (login) => say(login).reply(thread, approve()), by: "ben", reason: /Nobody answers for their own run/ },
    ],
    [
      "is a read-only member's",
      {
        write: (login) => say(login).reply(thread, approve()),
        by: "reader",
        reason: /asks for the permission `write` or more.*yours is `read`/,
      },
    ],
    [
      "is a stranger's",
      { write: (login) => say(login).reply(thread, approve()), by: "stranger", reason: /yours is `none`/ },
    ],
    [
      "stands on the timeline",
      { write: (login) => say(login).comment(job.pull!, approve()), reason: /no reply to the question/ },
    ],
    [
      "begins a thread of its own",
      {
        write: (login) => say(login).startThread(job.pull!, "README.md", approve()),
        reason: /no reply to the question/,
      },
    ],
    [
      "replies in another thread",
      {
        write: (login) => say(login).reply(say("ana").startThread(job.pull!, "README.md", "What is this?"), approve()),
        reason: /no reply to the question/,
      },
    ],
  ])("%s", (_what, attempt) => isRefused(attempt));

  test("was edited before it was looked at", async () => {
    scene.github.deliveries.hold({ event: "pull_request_review_comment" });
    await isRefused({
      write: (login) => {
        const comment = say(login).reply(thread, approve());
        say(login).edit(comment, `${approve()}\n\nOr not?`);
        void scene.github.deliveries.release();
        return comment;
      },
      reason: /was edited, and an edited comment never counts/,
    });
    await scene.github.deliveries.settled();
    expect((await asked.now()).answers.filter(({ reason }) => /edited/.test(reason))).toHaveLength(1);
  });

  test("became one by an edit", async () => {
    await isRefused({
      write: (login) => {
        const comment = say(login).reply(thread, "Let me think.");
        say(login).edit(comment, approve());
        return comment;
      },
      reason: /Only a new comment counts, and this one was edited/,
    });
  });
});

test("a bot hears so once, whatever it goes on writing", async () => {
  const token = scene.github.runs.token(job.run, { pull_requests: "write" });
  const write = async (): Promise<number> => {
    const response = await fetch(
      `${scene.github.apiUrl}/repos/acme/app/pulls/${job.pull?.number}/comments/${thread.id}/replies`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ body: approve() }),
      },
    );
    return ((await response.json()) as { id: number }).id;
  };
  const ids = [await write(), await write(), await write()];
  const byBot = async () => (await asked.now()).answers.filter(({ by }) => by === "github:github-actions[bot]");
  await expect.poll(byBot).toHaveLength(3);
  for (const answer of await byBot())
    expect(answer).toMatchObject({
      accepted: false,
      reason: "Only a person answers, and this account belongs to none.",
    });
  const replies = () => asked.replies().filter(({ body }) => ids.some((id) => body.includes(`:${id} `)));
  await expect.poll(replies).toHaveLength(1);
  // Whatever is said later is said after it.
  await asked.reply(say(somebody()).reply(thread, "/deny ZZZZZZZZ"));
  expect(replies()).toHaveLength(1);
  expect(replies()[0]?.body).toContain("Only a person answers");
});

test("what is no command is none of our business", async () => {
  const before = asked.replies().length;
  for (const body of [
    "LGTM",
    "> /approve",
    `Please write ${approve()}`,
    "<!-- /approve -->",
    "/lgtm",
    "@dogwatch approve",
  ])
    say("octocat").reply(thread, body);
  say("octocat").comment(job.pull!, "/approve no-issue");
  say("octocat").comment(job.pull!, "/deny");
  await scene.github.deliveries.settled();
  const told = say(somebody()).reply(thread, "/approve YYYYYYYY");
  await asked.reply(told);
  expect(asked.replies()).toHaveLength(before + 1);
});

test("a person who goes on and on is answered five times, and recorded every time", { timeout: 120_000 }, async () => {
  scene.github.accounts.add("nuisance");
  const comments = Array.from({ length: 7 }, () => say("nuisance").reply(thread, approve()));
  const recorded = async () => (await asked.now()).answers.filter(({ by }) => by === "github:nuisance");
  await expect.poll(recorded, { timeout: 60_000 }).toHaveLength(7);
  const replies = () => asked.replies().filter(({ body }) => comments.some(({ id }) => body.includes(`:${id} `)));
  await expect.poll(() => replies().length, { timeout: 60_000 }).toBe(5);
  await asked.reply(say(somebody()).reply(thread, "/approve XXXXXXXX"));
  expect(replies()).toHaveLength(5);
});

test("whoever was refused twenty times is recorded, and not looked up any more", { timeout: 120_000 }, async () => {
  scene.github.accounts.add("pest");
  const recorded = async () => (await asked.now()).answers.filter(({ by }) => by === "github:pest");
  const lookups = () => scene.github.requests.filter(({ path: asked }) => asked.includes("/pest")).length;
  for (let i = 0; i < 20; i++) say("pest").reply(thread, approve());
  await expect.poll(async () => (await recorded()).length, { timeout: 90_000 }).toBe(20);
  const before = lookups();
  for (let i = 0; i < 3; i++) say("pest").reply(thread, approve());
  await expect.poll(async () => (await recorded()).length, { timeout: 60_000 }).toBe(23);
  expect(lookups()).toBe(before);
  expect((await recorded()).filter(({ reason }) => /was refused too often/.test(reason))).toHaveLength(3);
});

test("after all that, a person who may answers, and it passes", async () => {
  const reply = say(somebody()).reply(thread, approve());
  await asked.until("approved");
  expect((await job.send("DELETE", path)).status).toBe(200);
  expect(await asked.reply(reply)).toBe("**Approved.** Exactly this request passes, once.");
  expect(scene.changes()).toHaveLength(1);
});
