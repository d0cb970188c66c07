/** What a killed gateway leaves in flight gets its end from the others, once, and what lives is left alone. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { Recovery, sweep } from "../../server/store/recover.ts";
import { openRows } from "../../server/store/rows.ts";
import { startChild } from "./child.ts";
import { closing, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
let stores: Store[];

beforeAll(async () => {
  database = await freshDatabase();
  const open = () => openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  stores = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await database.drop();
});

test("calls of a killed gateway end as indeterminate, once, with an audit event each; calls in flight elsewhere go on", async () => {
  const [store, other] = stores as [Store, Store];
  const own = await store.sink.open(opening((await openSession(store.sessions)).id));
  const killed = await startChild(["database", database.connectionString]);
  await killed.end("SIGKILL");
  const session = killed.said.session ?? "";
  // Both look all the time: the house-keeping of two stores, and these.
  await expect
    .poll(
      async () => {
        await Promise.all([store.recover(), other.recover(), store.recover(), other.recover()]);
        const page = await store.receipts.calls(session, { limit: 200 });
        return "items" in page ? page.items.map(({ state }) => state) : page;
      },
      { interval: 200 },
    )
    .toEqual(Array.from({ length: 20 }, () => "indeterminate"));
  expect(await store.receipts.call(session, 1)).toMatchObject({
    error_code: "outcome_unknown",
    error: expect.stringContaining("may have been applied"),
  });
  const events = await database.query("SELECT what FROM audit_events WHERE kind = 'call_indeterminate'");
  expect(events.map(({ what }) => String(what)).toSorted()).toEqual(
    Array.from({ length: 20 }, (_, i) => `call ${session}/${i + 1}`).toSorted(),
  );
  expect((await store.receipts.call(own.session_id, own.n))?.state).toBe("open");
  await store.sink.close(own, closing());
});

test("a frozen gateway's calls are not taken from it while its connection lives", async () => {
  const [store] = stores as [Store];
  const frozen = await startChild(["database", database.connectionString]);
  frozen.process.kill("SIGSTOP");
  await database.query("UPDATE replicas SET seen_at = seen_at - interval '1 hour'");
  expect(await store.recover()).toBe(0);
  frozen.process.kill("SIGCONT");
  await frozen.end("SIGKILL");
});

test("a killed gateway's calls get their end also where the database's clock was set back after its last sign of life", async () => {
  const [store] = stores as [Store];
  const killed = await startChild(["database", database.connectionString]);
  await killed.end("SIGKILL");
  // As it is when an hour of the clock has yet to come again.
  await database.query(
    "UPDATE replicas SET seen_at = seen_at + interval '1 hour' WHERE id IN (SELECT replica FROM calls_in_flight)",
  );
  await expect.poll(async () => (await store.receipts.call(killed.said.session ?? "", 1))?.state).toBe("indeterminate");
});

test("silence counts only while the database answers, and no pause between two looks counts for more than a second", async () => {
  const [store] = stores as [Store];
  // Nobody looks on, so that all depends on what this one sees.
  const lonely = await freshDatabase();
  const other = await openStore({ connectionString: lonely.connectionString, log: quietLog, clock: () => new Date() });
  const { id } = await openSession(other.sessions);
  await other.sink.open(opening(id));
  await other.close();
  let now = 0;
  const rows = await openRows(lonely.connectionString);
  let isAway = false;
  const line: typeof rows = {
    ...rows,
    ask: (question) => (isAway ? Promise.reject(new Error("the database is away")) : rows.ask(question)),
  };
  const recovery = new Recovery(line, () => now);
  const lookAfter = async (milliseconds: number): Promise<number> => {
    now += milliseconds;
    return recovery.recover();
  };
  // A fail-over may be in any of these pauses, and the other gateway as late as this one.
  expect([await lookAfter(0), await lookAfter(60_000), await lookAfter(60_000)]).toEqual([0, 0, 0]);
  isAway = true;
  await expect(lookAfter(1_000)).rejects.toThrow("away");
  isAway = false;
  const looks: number[] = [];
  for (const pause of [1_000, 1_000, 1_000, 900]) looks.push(await lookAfter(pause));
  expect(looks).toEqual([0, 0, 0, 0]);
  expect(await lookAfter(100)).toBe(1);
  await rows.close();
  await lonely.drop();
  expect(await store.recover()).toBe(0);
});

test("a call that cannot be given its end keeps no other call in flight, of the same gateway or of another one", async () => {
  const lonely = await freshDatabase();
  const open = () => openStore({ connectionString: lonely.connectionString, log: quietLog, clock: () => new Date() });
  const [first, second] = [await open(), await open()];
  const [bad, beside, elsewhere] = [
    await first.sink.open(opening((await openSession(first.sessions)).id)),
    await first.sink.open(opening((await openSession(first.sessions)).id)),
    await second.sink.open(opening((await openSession(second.sessions)).id)),
  ];
  await first.close();
  await second.close();
  await lonely.query(
    `ALTER TABLE closings ADD CONSTRAINT not_this_one CHECK (session_id <> '${bad.session_id}') NOT VALID`,
  );
  const rows = await openRows(lonely.connectionString);
  let now = 0;
  const recovery = new Recovery(rows, () => now);
  const look = async (): Promise<number> => {
    now += 1_000;
    return recovery.recover();
  };
  for (let looks = 0; looks < 3; looks++) expect(await look()).toBe(0);
  await expect(look()).rejects.toMatchObject({ code: "recording_unavailable" });
  const left = () => lonely.query("SELECT session_id FROM calls_in_flight");
  expect(await left()).toEqual([{ session_id: bad.session_id }]);
  const ended = await lonely.query<{ session_id: string }>(
    "SELECT session_id FROM closings WHERE state = 'indeterminate'",
  );
  expect(ended.map(({ session_id }) => session_id).toSorted()).toEqual(
    [beside.session_id, elsewhere.session_id].toSorted(),
  );
  await lonely.query("ALTER TABLE closings DROP CONSTRAINT not_this_one");
  expect(await look()).toBe(1);
  expect(await left()).toEqual([]);
  await rows.close();
  await lonely.drop();
});

test("what cannot be swept away keeps nothing else", async () => {
  const lonely = await freshDatabase();
  const rows = await openRows(lonely.connectionString);
  await lonely.query("INSERT INTO used_token_ids VALUES (decode(repeat('00', 32), 'hex'), now() - interval '2 days')");
  await lonely.query("INSERT INTO heard VALUES ('comment:1', now() - interval '40 days')");
  await lonely.query("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$");
  await lonely.query("CREATE TRIGGER no BEFORE DELETE ON used_token_ids FOR EACH ROW EXECUTE FUNCTION no()");
  await expect(sweep(rows)).rejects.toMatchObject({ code: "recording_unavailable" });
  expect(await lonely.query("SELECT FROM heard")).toEqual([]);
  await rows.close();
  await lonely.drop();
});
