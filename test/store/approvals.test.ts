/** Approvals: asked once, answered under a lock, used once, whichever gateways ask, answer and use. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { startChild } from "./child.ts";
import { no, question, yes } from "./questions.ts";
import { closing, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
let line: DatabaseLine;
let store: Store;
let other: Store;

beforeAll(async () => {
  database = await freshDatabase();
  line = await DatabaseLine.to(database.connectionString);
  const open = (connectionString: string) => openStore({ connectionString, log: quietLog, clock: () => new Date() });
  [store, other] = await Promise.all([open(database.connectionString), open(line.connectionString)]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await line.close();
  await database.drop();
});

/** A call that waits for people. */
const held = async (session_id: string, approval_id: string) =>
  store.sink.open(opening(session_id, { access: "destructive", approval_id }));

const asked = async (changes: Parameters<typeof question>[1] = {}) => {
  const { id } = await openSession(store.sessions);
  const { approval } = await store.approvals.ask(question(id, changes));
  return { session_id: id, approval, call: await held(id, approval.id) };
};

const approved = async (changes: Parameters<typeof question>[1] = {}) => {
  const found = await asked(changes);
  await store.approvals.answer(found.approval.id, { key: "comment:1", answer: yes("github:ana") });
  return found;
};

const once = { grant: null };

test("those that wait are counted for who sees them: of any number of repositories, or that ask a group", async () => {
  const count = store.approvals.countPending;
  const before = await count();
  const repositories = Array.from({ length: 30 }, (_, n) => String(9_000 + n));
  for (const repository_id of repositories) {
    const { id } = await openSession(store.sessions);
    const { approval } = await store.approvals.ask({
      ...question(id),
      run: {
        repository: "acme/app",
        repository_id,
        run_id: "1",
        run_attempt: "1",
        pull: null,
        own_people: [],
        head_sha: "a".repeat(40),
      },
    });
    if (repository_id === "9000") await store.approvals.answer(approval.id, { key: "1", answer: no("github:ana") });
  }
  const { id } = await openSession(store.sessions);
  const asked = question(id);
  await store.approvals.ask({
    ...asked,
    binding: { ...asked.binding, repository_id: null },
    terms: { ...asked.terms, approvers: { ...asked.terms.approvers, groups: ["sre"] } },
  });
  expect(await count()).toBe(before + 30);
  expect(await count({ kind: "repositories", repositories })).toBe(29);
  expect(await count({ kind: "repositories", repositories: ["9001", "9000"] })).toBe(1);
  expect(await count({ kind: "groups", groups: ["sre", "others"] })).toBe(1);
  expect(await count({ kind: "groups", groups: ["others"] })).toBe(0);
});

test("what was asked comes back as it was", async () => {
  const { approval, session_id } = await asked();
  const { id: _, ...expected } = question(session_id, { request: "x" });
  expect(approval).toMatchObject({
    state: "pending",
    question: expected.question,
    binding: expected.binding,
    terms: expected.terms,
    where: [],
    answers: [],
    call: null,
  });
  expect(approval.expires_at.getTime() - approval.asked_at.getTime()).toBe(30 * 60_000);
  expect(await other.approvals.get(approval.id)).toEqual(approval);
});

test.each(["", "x", randomUUID(), "' OR true --"])("there is no approval %j", async (id) => {
  expect(await store.approvals.get(id)).toBeNull();
});

test("of fifty identical questions at two gateways one is new, and all join it", async () => {
  const { id } = await openSession(store.sessions);
  const asks = Array.from({ length: 50 }, (_, i) =>
    (i % 2 === 0 ? store : other).approvals.ask(question(id, { request: "same" })),
  );
  const answers = await Promise.all(asks);
  expect(answers.filter(({ how }) => how === "new")).toHaveLength(1);
  expect(new Set(answers.map(({ approval }) => approval.id)).size).toBe(1);
});

test("another session asks for itself, and so does another request", async () => {
  const [one, two] = await Promise.all([openSession(store.sessions), openSession(store.sessions)]);
  const ids = await Promise.all(
    [question(one.id, { request: "a" }), question(two.id, { request: "a" }), question(one.id, { request: "b" })].map(
      async (asked) => (await store.approvals.ask(asked)).approval.id,
    ),
  );
  expect(new Set(ids).size).toBe(3);
});

test("a session that has ended asks nobody, and its end cancels what was asked", async () => {
  const { session_id, approval } = await asked();
  const waiting = await approved();
  await other.sessions.close(session_id, "closed");
  await other.sessions.close(waiting.session_id, "expired");
  for (const id of [approval.id, waiting.approval.id])
    expect(await store.approvals.get(id)).toMatchObject({
      state: "cancelled",
      reason: "the session that asked has ended",
    });
  await expect(store.approvals.ask(question(session_id))).rejects.toMatchObject({ code: "session_closed" });
  expect(await store.approvals.consume(waiting.approval.id, { call: waiting.call, ...once })).toBe(false);
});

test("of twenty answers at the same time the first that is final counts, and every one is kept with its reason", async () => {
  const { approval } = await asked();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? store : other).approvals.answer(approval.id, {
        key: `comment:${i}`,
        answer: i % 3 === 0 ? no(`github:p${i}`) : yes(`github:p${i}`),
      }),
    ),
  );
  const accepted = answers.filter(({ answer }) => answer.accepted);
  expect(accepted).toHaveLength(1);
  const after = await store.approvals.get(approval.id);
  expect(after?.state).toBe(accepted[0]?.answer.verdict === "deny" ? "denied" : "approved");
  expect(after?.answers).toHaveLength(20);
  expect(
    after?.answers.filter(({ reason }) => /^the question is (approved|denied) already$/.test(reason)),
  ).toHaveLength(19);
});

test("the same comment heard twice is one answer", async () => {
  const { approval } = await asked({ count: 2 });
  const attempt = { key: "comment:9", answer: yes("github:ana") };
  const both = await Promise.all([
    store.approvals.answer(approval.id, attempt),
    other.approvals.answer(approval.id, attempt),
  ]);
  expect(both.map(({ how }) => how).toSorted()).toEqual(["new", "repeated"]);
  expect((await store.approvals.get(approval.id))?.state).toBe("pending");
});

test("people are counted, not answers", async () => {
  const { approval } = await asked({ count: 2 });
  await store.approvals.answer(approval.id, { key: "comment:1", answer: yes("github:ana") });
  await store.approvals.answer(approval.id, { key: "comment:2", answer: yes("github:Ana") });
  await store.approvals.answer(approval.id, {
    key: "comment:3",
    answer: yes("github:bob", { accepted: false, reason: "may not" }),
  });
  expect((await store.approvals.get(approval.id))?.state).toBe("pending");
  const { approval: after } = await store.approvals.answer(approval.id, {
    key: "page:4",
    answer: yes("github:cid", { via: "page" }),
  });
  expect(after).toMatchObject({ state: "approved", reason: "approved by github:ana, github:cid" });
});

test("deny is final, with the words of who said it", async () => {
  const { approval } = await asked({ count: 3 });
  await store.approvals.answer(approval.id, { key: "comment:1", answer: yes("github:ana") });
  const { approval: after } = await store.approvals.answer(approval.id, {
    key: "comment:2",
    answer: no("github:bob", "not today"),
  });
  expect(after).toMatchObject({ state: "denied", reason: "denied by github:bob: not today" });
  const { answer } = await store.approvals.answer(approval.id, { key: "comment:3", answer: yes("github:cid") });
  expect(answer).toMatchObject({ accepted: false, reason: "the question is denied already" });
});

test("fifty calls at two gateways use an approval up once, and its session counts one", async () => {
  const { approval, session_id } = await approved();
  const calls = await Promise.all(Array.from({ length: 50 }, () => held(session_id, approval.id)));
  const used = await Promise.all(
    calls.map((call, i) => (i % 2 === 0 ? store : other).approvals.consume(approval.id, { call, ...once })),
  );
  expect(used.filter(Boolean)).toHaveLength(1);
  const after = await store.approvals.get(approval.id);
  expect(after).toMatchObject({ state: "consumed", consumed_by: calls[used.indexOf(true)] });
  expect((await store.sessions.get(session_id))?.approved).toBe(1);
  expect(await database.query(`SELECT n FROM departures WHERE session_id = '${session_id}'`)).toHaveLength(1);
});

test("a call that is pending, of another session, or not in flight any more uses nothing up", async () => {
  const pending = await asked();
  expect(await store.approvals.consume(pending.approval.id, { call: pending.call, ...once })).toBe(false);
  const { approval, call } = await approved();
  expect(await store.approvals.consume(approval.id, { call: pending.call, ...once })).toBe(false);
  await store.sink.close(call, closing({ state: "refused" }));
  expect(await store.approvals.consume(approval.id, { call, ...once })).toBe(false);
  expect((await store.approvals.get(approval.id))?.state).toBe("approved");
});

test("what expired is not used, not answered, and does not keep an identical request from asking again", async () => {
  const { approval, session_id, call } = await asked({ request: "late", expires: 1 });
  await database.query("SELECT pg_sleep(0.01)");
  const { answer } = await store.approvals.answer(approval.id, { key: "comment:1", answer: yes("github:ana") });
  expect(answer).toMatchObject({ accepted: false, reason: "the question has expired" });
  expect(await store.approvals.consume(approval.id, { call, ...once })).toBe(false);
  const again = await other.approvals.ask(question(session_id, { request: "late" }));
  expect(again.how).toBe("new");
  expect(await store.approvals.get(approval.id)).toMatchObject({ state: "expired", reason: "nobody answered in time" });
});

test("whoever sends again has some minutes to use a late answer", async () => {
  const { approval } = await approved({ expires: 60_000 });
  const after = await store.approvals.get(approval.id);
  expect((after?.expires_at.getTime() ?? 0) - (after?.decided_at?.getTime() ?? 0)).toBeGreaterThanOrEqual(
    5 * 60_000 - 1,
  );
});

test("sweeping ends what is over, and leaves the rest", async () => {
  const [over, going] = [await asked({ expires: 1 }), await asked()];
  await database.query("SELECT pg_sleep(0.01)");
  const ended = [...(await store.approvals.expire()), ...(await other.approvals.expire())];
  expect(ended).toContain(over.approval.id);
  expect(ended).not.toContain(going.approval.id);
  expect((await store.approvals.live()).map(({ id }) => id)).toContain(going.approval.id);
});

test("a question that the database does not let end keeps no other one from its end", async () => {
  const [bad, over] = [await asked({ expires: 1 }), await asked({ expires: 1 })];
  await database.query("SELECT pg_sleep(0.01)");
  await database.query(
    `ALTER TABLE approvals ADD CONSTRAINT not_this_one CHECK (id <> '${bad.approval.id}' OR state <> 'expired') NOT VALID`,
  );
  expect(await store.approvals.expire()).toContain(over.approval.id);
  await expect(store.approvals.expire()).rejects.toMatchObject({ code: "recording_unavailable" });
  await database.query("ALTER TABLE approvals DROP CONSTRAINT not_this_one");
  expect(await store.approvals.expire()).toContain(bad.approval.id);
});

test("a grant lets the calls of its session pass until it ends, each with a departure of its own", async () => {
  const { approval, session_id, call } = await approved();
  const grant = { operation: approval.operation, rule: "r", policy: "p", by: "github:ana", lasts: null };
  expect(await store.approvals.consume(approval.id, { call, grant })).toBe(true);
  const sought = { session_id, operation: approval.operation, rule: "r", policy: "p" };
  const found = await other.approvals.findGrant(sought);
  expect(found).toMatchObject({ approval_id: approval.id, by: "github:ana", expires_at: null });
  if (found === null) return;
  const [next, another] = [await held(session_id, approval.id), await asked()];
  expect(await other.approvals.useGrant(found, next)).toBe(true);
  expect(await other.approvals.useGrant(found, another.call)).toBe(false);
  expect((await store.sessions.get(session_id))?.approved).toBe(2);
  for (const wrong of [{ operation: "x" }, { rule: "x" }, { policy: "x" }, { session_id: another.session_id }])
    expect(await store.approvals.findGrant({ ...sought, ...wrong })).toBeNull();
});

test("a grant of a millisecond is over", async () => {
  const { approval, session_id, call } = await approved();
  const grant = { operation: approval.operation, rule: "r", policy: "p", by: "github:ana", lasts: 1 };
  await store.approvals.consume(approval.id, { call, grant });
  await database.query("SELECT pg_sleep(0.01)");
  expect(
    await store.approvals.findGrant({ session_id, operation: approval.operation, rule: "r", policy: "p" }),
  ).toBeNull();
});

test("a commit whose answer is lost while an approval is used up: used and known, or refused, and never twice", async () => {
  for (const fault of ["cut before commit", "cut after commit", "cut before commit", "cut after commit"] as const) {
    const { approval, call } = await approved();
    // It may be the heartbeat's commit that it strikes: what must hold holds all the same.
    void line.arm(fault);
    const outcome = await other.approvals.consume(approval.id, { call, ...once }).catch(() => "unknown" as const);
    const state = (await store.approvals.get(approval.id))?.state;
    if (outcome === true) expect(state).toBe("consumed");
    if (outcome === false) expect(state).toBe("approved");
    expect(await store.approvals.consume(approval.id, { call, ...once })).toBe(state === "approved");
  }
});

test("whoever waits hears of every change, wherever it is made, and after a lost connection that some may be missing", async () => {
  const heard: (string | null)[] = [];
  const stop = other.approvals.onChanged((id) => heard.push(id));
  const { approval } = await asked();
  await expect.poll(() => heard.includes(approval.id)).toBe(true);
  heard.length = 0;
  await store.approvals.answer(approval.id, { key: "comment:1", answer: no("github:ana") });
  await expect.poll(() => heard.includes(approval.id)).toBe(true);
  line.cut();
  line.mend();
  await expect.poll(() => heard.includes(null)).toBe(true);
  stop();
  await expect.poll(() => other.approvals.get(approval.id).catch(() => null)).not.toBeNull();
});

test("a session with a question does not idle out; without one it does", async () => {
  const { session_id } = await asked();
  const quiet = await openSession(store.sessions);
  await database.query("UPDATE sessions SET last_used_at = now() - interval '1 hour' WHERE id = ANY ($1)", [
    [session_id, quiet.id],
  ]);
  const waiting = (await store.receipts.calls(session_id, { limit: 10 })) as { items: readonly { n: number }[] };
  for (const { n } of waiting.items) await store.sink.close({ session_id, n }, closing({ state: "refused" }));
  await database.query("UPDATE sessions SET last_used_at = now() - interval '1 hour' WHERE id = ANY ($1)", [
    [session_id, quiet.id],
  ]);
  const idle = await store.sessions.closeIdle(new Date(Date.now() - 60_000));
  expect(idle).toContain(quiet.id);
  expect(idle).not.toContain(session_id);
});

test("what a killed gateway held was not sent; what it had let go may have been", async () => {
  const killed = await startChild(["held", database.connectionString]);
  await killed.end("SIGKILL");
  const session_id = killed.said.session ?? "";
  const states = async () => {
    await Promise.all([store.recover(), other.recover()]);
    const page = await store.receipts.calls(session_id, { limit: 10 });
    return "items" in page ? page.items.map(({ state, error_code }) => `${state} ${error_code}`) : [];
  };
  await expect.poll(states, { interval: 200 }).toEqual(["refused approval_required", "indeterminate outcome_unknown"]);
});

test("a comment or a press is heard once, work is leased to one, and keys are agreed on", async () => {
  const key = `comment:${randomUUID()}`;
  const heard = await Promise.all([store.approvals.hear(key), other.approvals.hear(key)]);
  expect(heard.filter(Boolean)).toHaveLength(1);
  const [a, b] = [randomUUID(), randomUUID()];
  const won = await Promise.all([store.approvals.lease("work", a, 60_000), other.approvals.lease("work", b, 60_000)]);
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(await store.approvals.lease("work", won[0] ? a : b, 1)).toBe(true);
  await database.query("SELECT pg_sleep(0.01)");
  expect(await other.approvals.lease("work", randomUUID(), 60_000)).toBe(true);
  // Set back by an hour, the clock would let a holder that is gone keep it until then.
  await database.query("UPDATE leases SET taken_at = taken_at + interval '1 hour', until = until + interval '1 hour'");
  expect(await other.approvals.lease("work", a, 60_000)).toBe(true);
  expect(await store.approvals.lease("work", b, 60_000)).toBe(false);
  const keys = await Promise.all([store.approvals.agreedKey("codes"), other.approvals.agreedKey("codes")]);
  expect(keys[0]).toEqual(keys[1]);
});

test("places are kept once a kind, and what they show is noted", async () => {
  const { approval } = await asked();
  const place = { kind: "check_run", url: "https://github.com/acme/app/runs/1", id: 2 ** 40, number: null } as const;
  await store.approvals.addPlace(approval.id, place);
  await other.approvals.addPlace(approval.id, { ...place, id: 2 });
  expect((await store.approvals.get(approval.id))?.where).toEqual([place]);
  const untold = async () => store.approvals.untold();
  expect(await untold()).toContain(approval.id);
  await store.approvals.told(approval.id, { state: "pending", accepted: 0, sealed: false });
  expect(await untold()).not.toContain(approval.id);
  await store.approvals.end(approval.id, "stale", "a new commit");
  expect(await untold()).toContain(approval.id);
});

test("lists page by page, by state and by session", async () => {
  const { id: session_id } = await openSession(store.sessions);
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.unshift((await store.approvals.ask(question(session_id))).approval.id);
  await store.approvals.end(ids[0] ?? "", "cancelled", "for this test");
  const first = await store.approvals.list({ limit: 3, session_id });
  if (!("items" in first)) throw new Error("refused");
  const second = await store.approvals.list({ limit: 3, session_id, cursor: first.next_cursor ?? "" });
  expect([...first.items, ...("items" in second ? second.items : [])].map(({ id }) => id)).toEqual(ids);
  expect(await store.approvals.list({ limit: 9, session_id, state: "cancelled" })).toMatchObject({
    items: [{ id: ids[0] }],
  });
  expect(await store.approvals.list({ limit: 9, cursor: "x" })).toMatchObject({ code: "request_malformed" });
});

test.each([
  "UPDATE approvals SET question = '{}'",
  "UPDATE approvals SET state = 'pending' WHERE state = 'consumed'",
  "UPDATE approvals SET state = 'approved' WHERE state = 'denied'",
  "DELETE FROM approvals",
  "UPDATE approval_answers SET accepted = true",
  "DELETE FROM departures",
])("nobody rewrites what was asked and answered: %s", async (statement) => {
  await expect(database.query(statement)).rejects.toThrow(/append-only|ends once/);
});
