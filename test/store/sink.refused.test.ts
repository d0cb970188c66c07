/** What the database refuses for reasons of one partition: whoever writes into others goes on, and the gateway can end. */

import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { closing, opening, openSession, sessionOfOld } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;

const open = (): Promise<Store> =>
  openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });

beforeAll(async () => {
  database = await freshDatabase();
  store = await open();
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const refused = { code: "recording_unavailable" };

const partitionOf = async (id: string): Promise<string> => {
  const [row] = await database.query<{ name: string }>(
    "SELECT partition_name('closings', epoch_of($1) - epoch_of($1) % 7) AS name",
    [id],
  );
  return row?.name ?? "";
};

/** A few at a time, as agents call. */
const othersAreRecorded = async (into = store): Promise<void> => {
  const { id } = await openSession(into.sessions);
  for (let round = 0; round < 4; round++)
    await Promise.all(Array.from({ length: 5 }, () => into.sink.record(opening(id), () => closing())));
  expect((await into.sessions.get(id))?.calls).toBe(20);
};

const breakPartition = async (id: string): Promise<() => Promise<unknown>> => {
  await database.query(`
    CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'data_corrupted'; END $$`);
  await database.query(
    `CREATE TRIGGER broken BEFORE INSERT ON ${await partitionOf(id)} FOR EACH ROW EXECUTE FUNCTION broken()`,
  );
  return () => database.query("DROP FUNCTION IF EXISTS broken CASCADE");
};

test("while a partition is broken, calls of other weeks are recorded; the ends that it did not take are written when it is mended", async () => {
  const old = await sessionOfOld(database, 60);
  const calls = [await store.sink.open(opening(old)), await store.sink.open(opening(old))];
  const mend = await breakPartition(old);
  onTestFinished(async () => void (await mend()));
  const ends = Promise.allSettled(calls.map((call) => store.sink.close(call, closing())));
  await othersAreRecorded();
  for (const end of await ends) expect(end).toMatchObject({ status: "rejected", reason: refused });
  await othersAreRecorded();
  await expect.poll(() => performance.now() - store.sink.lastCommitAt()).toBeLessThan(1_000);
  await mend();
  for (const { n } of calls)
    await expect.poll(async () => (await store.receipts.call(old, n))?.state).toBe("indeterminate");
});

test("while somebody locks a partition, calls of other weeks are recorded", async () => {
  const old = await sessionOfOld(database, 80);
  const call = await store.sink.open(opening(old));
  const holder = new pg.Client({ connectionString: database.connectionString });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query(`BEGIN; LOCK TABLE ${await partitionOf(old)}`);
  await expect(store.sink.close(call, closing())).rejects.toMatchObject(refused);
  await othersAreRecorded();
  await othersAreRecorded();
  await holder.query("ROLLBACK");
  await expect.poll(async () => (await store.receipts.call(old, call.n))?.state).toBe("indeterminate");
});

test("a gateway that cannot write the end of a call ends all the same", async () => {
  const third = await open();
  const old = await sessionOfOld(database, 100);
  const call = await third.sink.open(opening(old));
  const mend = await breakPartition(old);
  onTestFinished(async () => void (await mend()));
  await expect(third.sink.close(call, closing())).rejects.toMatchObject(refused);
  await othersAreRecorded(third);
  await third.close();
  await mend();
  // Others speak for it, as for any gateway that is gone.
  await expect.poll(async () => (await store.receipts.call(old, call.n))?.state).toBe("indeterminate");
});
