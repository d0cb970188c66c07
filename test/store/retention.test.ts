/** Retention: what is old goes as a whole, what is in use stays, nobody who records waits for it, and a clock that is wrong deletes nothing. */

import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { epochOf } from "../../server/store/epochs.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { question, yes } from "./questions.ts";
import { bodyOf, closing, lieFallow, opening, readAll, sessionOfOld } from "./specimens.ts";

const day = 86_400_000;
const retention = { bodies: 90 * day, receipts: 400 * day };

let database: FreshDatabase;
let store: Store;
let other: Store;

const open = (clock = () => new Date()): Promise<Store> =>
  openStore({ connectionString: database.connectionString, log: quietLog, clock });

beforeAll(async () => {
  database = await freshDatabase();
  [store, other] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await database.drop();
});

/** A session with a small body each way and a large one. */
const recorded = async (daysAgo: number): Promise<string> => {
  const id = await sessionOfOld(database, daysAgo);
  const small = { headers: [], body: bodyOf(`small of ${id}`) };
  await store.sink.record(opening(id, { request: small, masked_hashes: ["AAAAAAAAAAAAAAAAAAAAAA"] }), () =>
    closing({ response: small }),
  );
  const bytes = Buffer.alloc(300_000, id);
  const spill = store.bodies.spill(id);
  await spill.write(bytes);
  const large = { ...bodyOf(bytes), bytes: null, ...(await spill.finish()) };
  await store.sink.record(opening(id), () => closing({ response: { headers: [], body: large } }));
  return id;
};

const bodiesOf = async (id: string) => {
  const page = await store.receipts.calls(id, { limit: 10 });
  if (!("items" in page)) throw new Error(page.message);
  return page.items.flatMap(({ request, response }) =>
    [request.body, response?.body ?? null].filter((body) => body !== null),
  );
};

const count = async (table: string, where: string, id: string): Promise<number> => {
  const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${table} WHERE ${where}`, [id]);
  return Number(row?.count);
};

test("bodies that are too old are gone with their salt, and their receipts say so and say no more", async () => {
  const [old, young] = [await recorded(120), await recorded(80)];
  await lieFallow(database, old, 91);
  await lieFallow(database, young, 79);
  const before = await database.query(
    "SELECT * FROM calls c JOIN closings e USING (session_id, n) WHERE session_id = $1",
    [old],
  );
  await store.retain(retention);

  expect(await bodiesOf(old)).toMatchObject([
    { size: 45, sha256: null, expired: true },
    { size: 45, sha256: null, expired: true },
    { size: 300_000, sha256: null, expired: true },
  ]);
  expect((await store.receipts.body(old, 1, "request"))?.stream).toBeNull();
  expect((await store.receipts.body(old, 2, "response"))?.stream).toBeNull();
  for (const table of ["epochs", "bodies"]) expect(await count(table, "epoch = epoch_of($1)", old)).toBe(0);
  expect(await count("spills", "epoch_of(id) = epoch_of($1)", old)).toBe(0);
  expect(await count("body_chunks", "epoch_of(spill) = epoch_of($1)", old)).toBe(0);
  // No byte of the receipts is different.
  expect(
    await database.query("SELECT * FROM calls c JOIN closings e USING (session_id, n) WHERE session_id = $1", [old]),
  ).toEqual(before);

  const kept = await store.receipts.body(young, 2, "response");
  expect(kept !== null && (await readAll(kept.stream)).equals(Buffer.alloc(300_000, young))).toBe(true);
  const events = await database.query<{ what: string }>(
    "SELECT what FROM audit_events WHERE kind = 'recordings_expired'",
  );
  expect(events.map(({ what }) => what)).toContain(
    `bodies of the sessions of ${new Date(epochOf(old) * day).toISOString().slice(0, 10)}`,
  );
});

test("an old session that is open, was used lately, or has a call in flight keeps its bodies until it is over", async () => {
  const id = await recorded(130);
  await store.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([false, false, false]);
  await lieFallow(database, id, 5);
  await store.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([false, false, false]);
  // What has ended stays ended, but for whoever turns that off.
  await database.query(`
    SET session_replication_role = replica;
    UPDATE sessions SET state = 'open', closed_at = NULL WHERE id = '${id}';
    RESET session_replication_role`);
  const call = await store.sink.open(opening(id));
  await lieFallow(database, id, 100);
  await store.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([false, false, false]);
  await store.sink.close(call, closing({ response: null }));
  await lieFallow(database, id, 100);
  await store.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([true, true, true]);
});

test("receipts that are too old are gone with their sessions and everything that was asked and answered in them", async () => {
  const [old, young] = [await recorded(450), await recorded(300)];
  const { approval } = await store.approvals.ask(question(old));
  await store.approvals.answer(approval.id, { key: `comment:${randomUUID()}`, answer: yes("github:ana") });
  const call = await store.sink.open(opening(old, { access: "destructive", approval_id: approval.id }));
  expect(await store.approvals.consume(approval.id, { call, grant: null })).toBe(true);
  await store.approvals.addPlace(approval.id, {
    kind: "page",
    url: "https://dogwatch.example.com",
    id: null,
    number: null,
  });
  await store.sink.close(call, closing());
  await lieFallow(database, old, 410);
  await lieFallow(database, young, 299);
  await store.retain(retention);

  expect(await store.sessions.get(old)).toBeNull();
  expect(await store.approvals.get(approval.id)).toBeNull();
  for (const table of ["calls", "closings", "masked_values", "departures", "session_tokens"])
    expect(await count(table, "session_id = $1", old)).toBe(0);
  const [week] = await database.query<{ gone: boolean }>(
    "SELECT to_regclass(partition_name('calls', epoch_of($1) - epoch_of($1) % 7)) IS NULL AS gone",
    [old],
  );
  expect(week).toEqual({ gone: true });
  expect(await store.sessions.get(young)).not.toBeNull();
  expect((await bodiesOf(young)).map(({ expired }) => expired)).toEqual([true, true, true]);
});

test.each(["approvals", "approval_answers", "departures"])("nobody but retention deletes from %s", async (table) => {
  await expect(database.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only/);
  await expect(database.query(`TRUNCATE ${table} CASCADE`)).rejects.toThrow(/append-only/);
});

test("five hundred sessions of a week go, whichever gateways are at it", async () => {
  await database.query(
    `INSERT INTO sessions (id, connection, caller, binding, state, opened_at, closed_at, last_used_at)
     SELECT (left(first_id_of(15000)::text, 24) || lpad(i::text, 12, '0'))::uuid, 'prod', '{}', '{}', 'closed', $1, $1, $1 FROM generate_series(1, 500) i`,
    [new Date(15_000 * day)],
  );
  const results = await Promise.allSettled([store.retain(retention), other.retain(retention), store.retain(retention)]);
  // Whoever found another one at it and gave up comes back in the next round.
  if (results.some(({ status }) => status === "rejected")) await store.retain(retention);
  expect(await count("sessions", "epoch_of(id) = 15000 AND $1 <> ''", "x")).toBe(0);
});

test("while somebody reads, retention gives way and receipts are written; afterwards it goes on", async () => {
  const id = await recorded(140);
  await lieFallow(database, id, 100);
  const reader = new pg.Client({ connectionString: database.connectionString });
  await reader.connect();
  onTestFinished(() => reader.end());
  await reader.query("BEGIN");
  await reader.query("SELECT count(*) FROM bodies");
  const dropping = store.retain(retention).catch((error: unknown) => error);
  const fresh = await sessionOfOld(database, 0);
  for (let i = 1; i <= 20; i++)
    await expect(other.sink.record(opening(fresh), () => closing())).resolves.toMatchObject({ n: i });
  expect(await dropping).toMatchObject({ code: "recording_unavailable" });
  // It is decided that they go, and nobody is shown them any more; their bytes are still there.
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([true, true, true]);
  expect(await count("bodies", "epoch = epoch_of($1)", id)).toBeGreaterThan(0);
  await reader.query("ROLLBACK");
  await store.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([true, true, true]);
  for (const table of ["bodies", "epochs"]) expect(await count(table, "epoch = epoch_of($1)", id)).toBe(0);
});

test("a gateway whose clock is years ahead deletes nothing", async () => {
  const id = await recorded(10);
  await lieFallow(database, id, 9);
  const ahead = await open(() => new Date(Date.now() + 2_000 * day));
  onTestFinished(() => ahead.close());
  await ahead.retain(retention);
  expect((await bodiesOf(id)).map(({ expired }) => expired)).toEqual([false, false, false]);
});

test("bodies that are kept longer than receipts go with them", async () => {
  const id = await recorded(40);
  await lieFallow(database, id, 35);
  await store.retain({ bodies: 90 * day, receipts: 20 * day });
  expect(await store.sessions.get(id)).toBeNull();
  expect(await count("epochs", "epoch = epoch_of($1)", id)).toBe(0);
});

test.each(["nestloop", "hashjoin", "mergejoin"])(
  "however the database looks for what is old: with %s as the only join",
  async (only) => {
    const id = await recorded(440);
    await lieFallow(database, id, 430);
    const { database: name } = new pg.Client(database.connectionString);
    for (const join of ["nestloop", "hashjoin", "mergejoin"])
      await database.query(`ALTER DATABASE ${name} SET enable_${join} = ${join === only ? "on" : "off"}`);
    const third = await open();
    onTestFinished(() => third.close());
    await third.retain(retention);
    expect(await store.sessions.get(id)).toBeNull();
  },
);

test("a day and a week that cannot be dropped keep no other from going, and it is said which they are", async () => {
  const stuck = { bodies: await recorded(160), receipts: await recorded(470) };
  const after = { bodies: await recorded(150), receipts: await recorded(430) };
  for (const id of [stuck.bodies, after.bodies]) await lieFallow(database, id, 100);
  for (const id of [stuck.receipts, after.receipts]) await lieFallow(database, id, 420);
  const nameIn = async (parent: string, id: string, week: string): Promise<string> => {
    const [row] = await database.query<{ name: string }>(
      `SELECT partition_name('${parent}', epoch_of($1)${week}) AS name`,
      [id],
    );
    return row?.name ?? "";
  };
  await database.query(`CREATE VIEW report_of_bodies AS SELECT FROM ${await nameIn("bodies", stuck.bodies, "")}`);
  await database.query(
    `CREATE VIEW report_of_calls AS SELECT FROM ${await nameIn("calls", stuck.receipts, " - epoch_of($1) % 7")}`,
  );
  const drop = () => database.query("DROP VIEW IF EXISTS report_of_bodies, report_of_calls");
  onTestFinished(async () => void (await drop()));
  const said = await store.retain(retention).catch((error: unknown) => error);
  const day_of = (id: string): string => new Date(epochOf(id) * day).toISOString().slice(0, 10);
  expect(said).toMatchObject({
    code: "recording_unavailable",
    message: `not dropped: bodies of the sessions of ${day_of(stuck.bodies)}, and 1 more days or weeks`,
    cause: { message: "the database did not answer" },
  });
  expect(await count("epochs", "epoch = epoch_of($1)", after.bodies)).toBe(0);
  expect(await store.sessions.get(after.receipts)).toBeNull();
  expect(
    await count("pg_class", "relname = partition_name('calls', epoch_of($1) - epoch_of($1) % 7)", after.receipts),
  ).toBe(0);
  // Nobody is shown what waits to be dropped.
  expect((await bodiesOf(stuck.bodies)).map(({ expired }) => expired)).toEqual([true, true, true]);
  expect(await store.sessions.get(stuck.receipts)).toBeNull();
  await drop();
  await store.retain(retention);
  expect(await count("epochs", "epoch = epoch_of($1)", stuck.bodies)).toBe(0);
});

test("a partition that somebody else made is nobody's week", async () => {
  await database.query("CREATE TABLE calls_of_nobody PARTITION OF calls DEFAULT");
  onTestFinished(async () => void (await database.query("DROP TABLE calls_of_nobody")));
  const id = await recorded(435);
  await lieFallow(database, id, 420);
  await store.retain(retention);
  expect(await store.sessions.get(id)).toBeNull();
});

test("whoever deletes what others name finds them by an index", async () => {
  expect(
    await database.query(`
      SELECT c.conrelid::regclass::text AS of, pg_get_constraintdef(c.oid) AS names FROM pg_constraint c
      WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])`),
  ).toEqual([]);
});

test("where the database lets go of a few at a time only, they go a few at a time", async () => {
  await database.query(
    `INSERT INTO sessions (id, connection, caller, binding, state, opened_at, closed_at, last_used_at)
     SELECT (left(first_id_of(15007)::text, 24) || lpad(i::text, 12, '0'))::uuid, 'prod', '{}', '{}', 'closed', $1, $1, $1 FROM generate_series(1, 100) i`,
    [new Date(15_007 * day)],
  );
  // As it is where so many would take longer than a statement may.
  await database.query(`
    CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM gone) > 50 THEN RAISE EXCEPTION 'canceling statement due to statement timeout'; END IF;
      RETURN NULL;
    END $$`);
  await database.query(`
    CREATE TRIGGER at_most_fifty AFTER DELETE ON sessions REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_many()`);
  onTestFinished(async () => void (await database.query("DROP FUNCTION refuse_many CASCADE")));
  await store.retain(retention);
  expect(await count("sessions", "epoch_of(id) = 15007 AND $1 <> ''", "x")).toBe(0);
});
