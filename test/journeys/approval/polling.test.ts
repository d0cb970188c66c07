/** What looking for answers costs of GitHub's hourly limit: a hundred open questions in twenty repositories of one owner, quiet and busy. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { Installation, Pull, Repository } from "../../../server/demo/github/state.ts";
import { createGitHub, type GitHubApp } from "../../../server/github/client.ts";
import { createDirectory } from "../../../server/journeys/approval/directory.ts";
import { CommentPoll } from "../../../server/journeys/approval/poll/comments.ts";
import { pollEvery, type PollParts } from "../../../server/journeys/approval/poll/parts.ts";
import { PressPoll } from "../../../server/journeys/approval/poll/presses.ts";
import { RunPoll } from "../../../server/journeys/approval/poll/runs.ts";
import { Spending } from "../../../server/journeys/approval/poll/spending.ts";
import type { Outline } from "../../../server/model/approval.ts";
import { Secret } from "../../../server/model/connection.ts";
import type { Heard } from "../../../server/model/github.ts";
import { quietLog } from "../../standins/database.ts";
import { question } from "../../store/questions.ts";

let github: GitHubStandin;
let client: GitHubApp;
let installation: Installation;
let watched: Outline[];
let pulls: Pull[];
let heard: Heard[];
let ended: string[];
/** The gateway's clock: rounds come as fast as they can, and are ten seconds apart all the same. */
let now: Date;

const repositories = 20;
const questions = 100;

beforeEach(async () => {
  github = await startGitHub({ clock: () => new Date() });
  now = new Date();
  [watched, pulls, heard, ended] = [[], [], [], []];
  github.accounts.add("mona");
  const app = await github.apps.register({ owner: "acme" });
  installation = github.apps.install(app, { account: "acme" });
  client = createGitHub({
    apiUrl: github.apiUrl,
    appId: String(app.id),
    privateKey: new Secret(app.pem),
    log: quietLog,
    clock: () => now,
    issues: false,
  });
});
afterEach(() => github.close());

const ask = (repository: Repository): void => {
  const pull = github.pulls.open(repository, { author: "mona" });
  const run = github.runs.start(repository, { actor: "mona", pull });
  pulls.push(pull);
  const asked = question("0199f0a0-0000-7000-8000-000000000001");
  const where = { repository_id: String(repository.id), run_id: String(run.id), run_attempt: "1" };
  watched.push({
    ...asked,
    state: "pending",
    binding: { ...asked.binding, ...where, pull_request: pull.number, head_sha: pull.head_sha },
    run: {
      ...where,
      repository: `acme/${repository.name}`,
      pull: { number: pull.number, head_sha: pull.head_sha, url: "https://github.test/acme" },
      own_people: ["mona"],
      head_sha: pull.head_sha,
    },
    asked_at: new Date(now.getTime() - 1_000),
    where: [{ kind: "check_run", url: "https://github.test/runs/1", id: 1, number: null }],
  });
};

const askAll = (): void => {
  const all = Array.from({ length: repositories }, (_, i) => github.repositories.add(`acme/repo-${i}`));
  for (let i = 0; i < questions; i++) ask(all[i % repositories] as Repository);
};

const partsOf = (): PollParts => ({
  store: { end: (id: string) => Promise.resolve(void ended.push(id)) } as unknown as PollParts["store"],
  show: () => undefined,
  log: quietLog,
  now: () => now,
  github: client,
  directory: createDirectory({ github: client, apiUrl: github.apiUrl, log: quietLog }),
  hear: (one) => {
    heard.push(one);
    return Promise.resolve("ignored");
  },
  holder: "0199f0a0-0000-7000-8000-0000000000ff",
});

/** What so many rounds cost the installation, and how many requests they were. */
async function costOf(rounds: number, happen: (round: number) => void): Promise<{ counted: number; asked: number }> {
  const parts = partsOf();
  const polls = [new CommentPoll(parts), new PressPoll(parts), new RunPoll(parts)];
  const before = github.limits.left(installation.id);
  const first = github.requests.length;
  for (let round = 0; round < rounds; round++) {
    happen(round);
    await Promise.all(polls.map((poll) => poll.poll(watched)));
    now = new Date(now.getTime() + pollEvery);
  }
  const own = github.requests.slice(first).filter(({ by }) => by.startsWith("installation"));
  return { counted: before - github.limits.left(installation.id), asked: own.length };
}

const tenMinutes = 600_000 / pollEvery;
const perHour = (counted: number): number => counted * 6;

describe("a hundred questions in twenty repositories", () => {
  test("cost at most half of the limit while nobody writes, and every list is read every time", {
    timeout: 240_000,
  }, async () => {
    askAll();
    const { counted, asked } = await costOf(tenMinutes, () => undefined);
    const lists = github.requests.filter(({ operation }) => operation?.includes("comments-for-repo"));
    expect(lists).toHaveLength(tenMinutes * repositories * 2);
    expect(lists.filter(({ status }) => status === 304).length).toBeGreaterThanOrEqual(
      (tenMinutes - 2) * repositories * 2,
    );
    expect(asked).toBeGreaterThan(counted);
    expect(perHour(counted)).toBeLessThan(2_500);
    // Every run was asked about in turn.
    const runs = new Set(
      github.requests.flatMap(({ operation, path }) => (operation === "actions/get-workflow-run" ? [path] : [])),
    );
    expect(runs.size).toBe(questions);
  });

  test("stay within the limit while somebody writes in every repository all the time", {
    timeout: 240_000,
  }, async () => {
    askAll();
    const { counted } = await costOf(tenMinutes, () => {
      for (const pull of pulls.slice(0, repositories)) {
        github.as("mona").comment(pull, "Something.");
        github.as("mona").startThread(pull, "README.md", "Something else.");
      }
    });
    // What is left is for questions, answers, and whatever else the App does there.
    expect(perHour(counted)).toBeLessThan(4_500);
  });
});

test("one question is looked at in every round, and its run once a minute", async () => {
  ask(github.repositories.add("acme/app"));
  const { counted } = await costOf(13, () => undefined);
  const runs = github.requests.filter(({ operation }) => operation === "actions/get-workflow-run");
  expect(runs).toHaveLength(3);
  expect(counted).toBeLessThan(20);
});

test("a comment that was dealt with is not told again; one that was not, is", async () => {
  ask(github.repositories.add("acme/app"));
  const parts = partsOf();
  const outcomes = ["later", "later", "done", "done"] as const;
  const poll = new CommentPoll({
    ...parts,
    hear: (one) => {
      heard.push(one);
      return Promise.resolve(outcomes[heard.length - 1] ?? "done");
    },
  });
  github.as("mona").comment(pulls[0]!, "/approve AAAAAAAA");
  for (let i = 0; i < 5; i++) await poll.poll(watched);
  expect(heard).toHaveLength(3);
  expect(heard[0]).toMatchObject({ kind: "comment", action: "created", place: "comment" });
});

test("whoever begins to poll looks back to before the oldest question", async () => {
  ask(github.repositories.add("acme/app"));
  github.as("mona").comment(pulls[0]!, "/deny AAAAAAAA");
  github.as("mona").startThread(pulls[0]!, "README.md", "/approve AAAAAAAA");
  await new CommentPoll(partsOf()).poll(watched);
  expect(heard.map((one) => one.kind === "comment" && one.place)).toEqual(
    expect.arrayContaining(["comment", "review_comment"]),
  );
});

test("a run that has ended, and a pull request that was closed or changed, cancel their questions", async () => {
  const repository = github.repositories.add("acme/app");
  for (let i = 0; i < 4; i++) ask(repository);
  github.pulls.close(pulls[1]!, "mona");
  github.pulls.push(pulls[2]!, { by: "mona" });
  const run = github.runs.find(repository, Number(watched[3]!.run?.run_id));
  github.runs.end(run!, "cancelled");
  const poll = new RunPoll(partsOf());
  for (let i = 0; i < 2; i++) await poll.poll(watched);
  expect(ended.toSorted()).toEqual([1, 2, 3].map((i) => watched[i]!.id).toSorted());
});

test("GitHub's own word on when to ask again is kept, and the pause grows with what was spent", () => {
  const spending = new Spending(() => now);
  const at = (seconds: number) => {
    now = new Date(now.getTime() + seconds * 1_000);
  };
  spending.asked("acme", { every: pollEvery, notBefore: null });
  at(10);
  expect(spending.mayAsk("acme")).toBe(true);
  spending.spend("acme", 130);
  spending.asked("acme", { every: pollEvery, notBefore: null });
  at(20);
  expect([spending.mayAsk("acme"), spending.mayAsk("other")]).toEqual([false, true]);
  at(10);
  expect(spending.mayAsk("acme")).toBe(true);
  at(600);
  spending.asked("acme", { every: pollEvery, notBefore: new Date(now.getTime() + 3_600_000) });
  at(3_500);
  expect(spending.mayAsk("acme")).toBe(false);
  at(100);
  expect(spending.mayAsk("acme")).toBe(true);
});
