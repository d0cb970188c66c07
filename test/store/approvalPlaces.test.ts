/** Where questions stand, what was heard, and which question somebody means: the same at every gateway. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunContext } from "../../server/model/approval.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { no, question, yes } from "./questions.ts";
import { openSession } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;
let other: Store;

beforeAll(async () => {
  database = await freshDatabase();
  const open = () => openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  [store, other] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await database.drop();
});

const run: RunContext = {
  repository: "acme/app",
  repository_id: "42",
  run_id: "9001",
  run_attempt: "1",
  pull: { number: 7, head_sha: "a".repeat(40), url: "https://github.com/acme/app/pull/7" },
  own_people: ["mona"],
  head_sha: "a".repeat(40),
};

let codes = 0;
const asked = async (changes: { readonly repository_id?: string; readonly pull?: number } = {}, count = 1) => {
  const { id } = await openSession(store.sessions);
  const { repository_id = "42", pull = 7 } = changes;
  const fresh = question(id, { count });
  const { approval } = await store.approvals.ask({
    ...fresh,
    code: `CODE${String((codes += 1)).padStart(4, "0")}`,
    binding: { ...fresh.binding, repository_id, pull_request: pull },
    run: { ...run, repository_id },
  });
  return approval;
};

test("of two gateways that begin to create the same, one is the first, until it is certain that nothing was created", async () => {
  const { id } = await asked();
  const { approvals } = store;
  expect(await approvals.hasBegun(id, "thread")).toBe(false);
  const both = await Promise.all([approvals.beginCreating(id, "thread"), other.approvals.beginCreating(id, "thread")]);
  expect(both.filter(Boolean)).toHaveLength(1);
  expect(await approvals.beginCreating(id, "check_run")).toBe(true);
  await other.approvals.takeBack(id, "thread");
  expect(await approvals.hasBegun(id, "thread")).toBe(false);
  expect(await other.approvals.hasBegun(id, "check_run")).toBe(true);
  expect(await approvals.beginCreating(id, "thread")).toBe(true);
});

test("a question is found where it stands, in its own repository only", async () => {
  const [review, issue] = [await asked(), await asked()];
  await store.approvals.addPlace(review.id, { kind: "review_comment", url: "https://x/1", id: 2 ** 33, number: 7 });
  await store.approvals.addPlace(issue.id, { kind: "issue", url: "https://x/2", id: 5, number: 8 });
  const at = other.approvals.at;
  expect(await at({ repository_id: "42", kind: "review_comment", id: 2 ** 33 })).toMatchObject({ id: review.id, run });
  expect(await at({ repository_id: "42", kind: "issue", number: 8 })).toMatchObject({ id: issue.id });
  expect(await at({ repository_id: "43", kind: "review_comment", id: 2 ** 33 })).toBeNull();
  expect(await at({ repository_id: "42", kind: "comment", id: 2 ** 33 })).toBeNull();
  expect(await at({ repository_id: "42", kind: "issue", number: 7 })).toBeNull();
});

test("a question is found by its CODE, and those of a pull request by its number", async () => {
  const [first, second, elsewhere] = [
    await asked({ pull: 70 }),
    await asked({ pull: 70 }),
    await asked({ pull: 70, repository_id: "43" }),
  ];
  const ids = async (found: Promise<readonly { readonly id: string }[]>) => (await found).map(({ id }) => id);
  expect(await ids(other.approvals.withCode(first.code))).toEqual([first.id]);
  expect(await ids(other.approvals.withCode(elsewhere.code))).toEqual([elsewhere.id]);
  expect(await ids(other.approvals.withCode("' OR true"))).toEqual([]);
  expect(await ids(other.approvals.ofPull({ repository_id: "42", number: 70 }))).toEqual([second.id, first.id]);
  expect(await ids(other.approvals.ofPull({ repository_id: "42", number: 71 }))).toEqual([]);
});

test("what is open is watched, and what has ended for some minutes more", async () => {
  const [open, ended, long] = [await asked(), await asked(), await asked()];
  const { id } = await openSession(store.sessions);
  const elsewhere = (await store.approvals.ask(question(id))).approval;
  await store.approvals.answer(ended.id, { key: randomUUID(), answer: no("github:ana") });
  await store.approvals.end(long.id, "cancelled", "long ago");
  // An end is not changed any more, whoever asks; only a superuser can make it look older.
  await database.query(
    `BEGIN; SET LOCAL session_replication_role = replica;
     UPDATE approvals SET decided_at = now() - interval '6 minutes' WHERE id = '${long.id}'; COMMIT`,
  );
  const watched = (await other.approvals.watched()).map((one) => one.id);
  expect(watched).toEqual(expect.arrayContaining([open.id, ended.id]));
  expect(watched).not.toContain(long.id);
  // Nobody asks GitHub about a caller that is no job of it.
  expect(watched).not.toContain(elsewhere.id);
});

test("an end is noted once, and only when it is one", async () => {
  const { id } = await asked();
  expect(await store.approvals.noteEnd(id)).toBe(false);
  await store.approvals.answer(id, { key: randomUUID(), answer: yes("github:ana") });
  expect(await store.approvals.noteEnd(id)).toBe(false);
  await store.approvals.end(id, "stale", "for this test");
  const noted = await Promise.all([store.approvals.noteEnd(id), other.approvals.noteEnd(id)]);
  expect(noted.filter(Boolean)).toHaveLength(1);
});

test("what is shown is told for what it shows: more answers, and a place that is new, have to be shown again", async () => {
  const { id } = await asked({}, 2);
  const isTold = async () => !(await store.approvals.untold()).includes(id);
  await store.approvals.told(id, { state: "pending", accepted: 0, sealed: false });
  expect(await isTold()).toBe(true);
  await other.approvals.answer(id, { key: randomUUID(), answer: yes("github:ana") });
  expect(await isTold()).toBe(false);
  await store.approvals.told(id, { state: "pending", accepted: 0, sealed: false });
  expect(await isTold()).toBe(false);
  await store.approvals.told(id, { state: "pending", accepted: 1, sealed: false });
  expect(await isTold()).toBe(true);
  const place = { kind: "check_run", url: "https://x/3", id: 3, number: null } as const;
  await other.approvals.addPlace(id, place);
  expect(await isTold()).toBe(false);
  await store.approvals.told(id, { state: "pending", accepted: 1, sealed: false });
  await other.approvals.addPlace(id, place);
  expect(await isTold()).toBe(true);
});

test("what was heard and what was said to it is known by its name", async () => {
  const { id } = await asked();
  const key = `review_comment:${randomUUID()}`;
  expect([await store.approvals.isHeard(key), await store.approvals.answerTo(key)]).toEqual([false, null]);
  await store.approvals.answer(id, { key, answer: yes("github:ana", { accepted: false, reason: "may not" }) });
  expect(await other.approvals.isHeard(key)).toBe(false);
  expect(await other.approvals.answerTo(key)).toMatchObject({
    approval_id: id,
    answer: { by: "github:ana", accepted: false, reason: "may not" },
  });
  expect([await other.approvals.hear(key), await store.approvals.hear(key)]).toEqual([true, false]);
  expect(await store.approvals.isHeard(key)).toBe(true);
});
