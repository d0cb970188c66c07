/** Sessions that are held, and connections that keep longer: what stays is whole and as it was, what goes beside it is gone. */

import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { epochOf } from "../../server/store/epochs.ts";
import { retain } from "../../server/store/retention.ts";
import { openRows, type Rows } from "../../server/store/rows.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, closing, lieFallow, opening, readAll, sessionOfOld } from "./specimens.ts";

const day = 86_400_000;
const retention = { bodies: 90 * day, receipts: 400 * day };
const by = { by: "boss (admin)", reason: "INC-4711" };
const value = "AAAAAAAAAAAAAAAAAAAAAA";

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

const onConnection = (id: string, connection: string): Promise<unknown> =>
  database.query("UPDATE sessions SET connection = $2 WHERE id = $1", [id, connection]);

/** With a body of its own, one that every session has, and a large one; as old as it says. */
const recorded = async (daysAgo: number, connection = "prod"): Promise<string> => {
  const id = await sessionOfOld(database, daysAgo);
  await onConnection(id, connection);
  const own = { headers: [], body: bodyOf(`own of ${id}`) };
  const shared = { headers: [], body: bodyOf("everybody's") };
  await store.sink.record(opening(id, { request: own, masked_hashes: [value] }), () => closing({ response: shared }));
  const bytes = Buffer.alloc(600_000, id);
  const spill = store.bodies.spill(id);
  await spill.write(bytes);
  const large = { ...bodyOf(bytes), bytes: null, ...(await spill.finish()) };
  await store.sink.record(opening(id), () => closing({ response: { headers: [], body: large } }));
  await lieFallow(database, id, daysAgo);
  return id;
};

const receiptsOf = (id: string) =>
  database.query("SELECT * FROM calls c JOIN closings e USING (session_id, n) WHERE session_id = $1 ORDER BY n", [id]);

/** Everything that a reader gets, byte by byte. */
const wholeOf = async (id: string): Promise<unknown> => {
  const page = await store.receipts.calls(id, { limit: 10 });
  if (!("items" in page)) throw new Error(page.message);
  const bodies: (string | null)[] = [];
  for (const { n } of page.items)
    for (const side of ["request", "response"] as const) {
      const body = await store.receipts.body(id, n, side);
      bodies.push(body === null || body.stream === null ? null : (await readAll(body.stream)).toString("base64"));
    }
  return { calls: page.items, bodies, salt: (await store.seals.salt(id))?.toString("hex") };
};

const areExpired = async (id: string): Promise<boolean> => {
  const page = await store.receipts.calls(id, { limit: 10 });
  if (!("items" in page)) throw new Error(page.message);
  const bodies = page.items.flatMap(({ request, response }) => [request.body, response?.body ?? null]);
  const expired = bodies.flatMap((body) => (body === null ? [] : [body.expired]));
  expect(new Set(expired).size).toBe(1);
  return expired[0] === true;
};

const rowsIn = async (table: string, where: string, id: string): Promise<number> => {
  const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${table} WHERE ${where}`, [id]);
  return Number(row?.count);
};

test("a held session keeps its bodies, and nothing else of its day stays but the salt", async () => {
  const [held, beside] = [await recorded(100), await recorded(100)];
  expect(epochOf(held)).toBe(epochOf(beside));
  const before = await wholeOf(held);
  expect(await store.sessions.hold(held, by)).toMatchObject({ session: { id: held, hold: by }, bodies: "kept" });
  await store.retain(retention);
  expect(await wholeOf(held)).toEqual(before);
  expect(await areExpired(beside)).toBe(true);
  expect(await store.seals.salt(beside)).toBeNull();
  // Its own and everybody's; the large one of the other is gone.
  expect(await rowsIn("bodies", "epoch = epoch_of($1)", held)).toBe(2);
  expect(await rowsIn("spills", "epoch_of(id) = epoch_of($1)", held)).toBe(1);
  expect(await rowsIn("body_chunks", "epoch_of(spill) = epoch_of($1)", held)).toBe(3);
  expect(await receiptsOf(beside)).toHaveLength(2);
  // Nothing is left behind, and nothing is done twice.
  expect(await rowsIn("pg_class", "relkind = 'r' AND relname LIKE 'rest%' AND $1 <> ''", held)).toBe(0);
  const where = "SELECT tableoid::int AS oid FROM bodies WHERE epoch = epoch_of($1) LIMIT 1";
  const [place] = await database.query(where, [held]);
  await store.retain(retention);
  expect(await database.query(where, [held])).toEqual([place]);
});

test("a held session outlives its receipts' time; released, it goes like any other", async () => {
  const [held, beside] = [await recorded(450), await recorded(450)];
  await store.sessions.hold(held, by);
  const before = await wholeOf(held);
  const receipts = await receiptsOf(held);
  await store.retain(retention);
  expect(await wholeOf(held)).toEqual(before);
  expect(await receiptsOf(held)).toEqual(receipts);
  expect(await store.sessions.get(beside)).toBeNull();
  for (const table of ["calls", "closings", "masked_values"])
    expect(await rowsIn(table, "session_id = $1", beside)).toBe(0);
  // It is found by its masked value, and the other one is not.
  const found = await store.receipts.withValue([Buffer.from(value, "base64url")], { limit: 50 });
  expect("items" in found && found.items.map(({ session_id }) => session_id)).toContain(held);
  expect("items" in found && found.items.map(({ session_id }) => session_id)).not.toContain(beside);
  expect(await store.sessions.release(held)).toMatchObject({ hold: null });
  await store.retain(retention);
  expect(await store.sessions.get(held)).toBeNull();
  expect(await rowsIn("calls", "session_id = $1", held)).toBe(0);
  expect(await rowsIn("epochs", "epoch = epoch_of($1)", held)).toBe(0);
  expect(await rowsIn("to_thin", "first >= epoch_of($1) - 7", held)).toBe(0);
});

test("what stays is copied once more in each round that cannot put it in place, and no copy is left behind", async () => {
  const [held, beside] = [await recorded(110), await recorded(110)];
  await store.sessions.hold(held, by);
  const reader = new pg.Client({ connectionString: database.connectionString });
  await reader.connect();
  onTestFinished(() => reader.end());
  await reader.query("BEGIN");
  await reader.query("SELECT count(*) FROM bodies");
  for (let round = 0; round < 2; round++) {
    await expect(store.retain(retention)).rejects.toMatchObject({ code: "recording_unavailable" });
    expect(await rowsIn("pg_class", "relkind = 'r' AND relname LIKE 'rest%' AND $1 <> ''", held)).toBe(0);
  }
  await reader.query("ROLLBACK");
  await store.retain(retention);
  expect(await rowsIn("spills", "epoch_of(id) = epoch_of($1)", held)).toBe(1);
  expect(await areExpired(beside)).toBe(true);
});

test("what is let go of while another gateway copies what stays does not come back with the copy", async () => {
  const [held, released, beside] = [await recorded(115), await recorded(115), await recorded(115)];
  for (const id of [held, released]) await store.sessions.hold(id, by);
  const rows = await openRows(database.connectionString);
  onTestFinished(() => rows.close());
  /** Dies as soon as it has let go of it. */
  const unlessGone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (await areExpired(released)) throw new Error("killed");
    return work();
  };
  const killed: Rows = {
    ...rows,
    ask: (question) => unlessGone(() => rows.ask(question)),
    transact: (work) => unlessGone(() => rows.transact(work)),
  };
  let copied = false;
  const meanwhile: Rows = {
    ...rows,
    transact: async (work) => {
      // Everything is copied and about to be put in its place.
      const copies = await rowsIn(
        "pg_class",
        "relkind = 'r' AND relname LIKE concat('rest_bodies_', epoch_of($1), '_%')",
        held,
      );
      if (copies > 0 && !copied) {
        copied = true;
        await store.sessions.release(released);
        await retain(killed, () => new Date(), retention).catch(() => undefined);
      }
      return rows.transact(work);
    },
  };
  await retain(meanwhile, () => new Date(), retention);
  expect(copied).toBe(true);
  await store.retain(retention);
  for (const id of [released, beside]) expect(await areExpired(id)).toBe(true);
  expect(await areExpired(held)).toBe(false);
  expect(await rowsIn("spills", "epoch_of(id) = epoch_of($1)", held)).toBe(1);
  expect(await rowsIn("pg_class", "relkind = 'r' AND relname LIKE 'rest%' AND $1 <> ''", held)).toBe(0);
});

test("a week of many calls goes from beside a held session a few at a time, also out of the index", async () => {
  const [held, beside] = [await recorded(475), await recorded(475)];
  await store.sessions.hold(held, by);
  await database.query("INSERT INTO search_places SELECT epoch_of($1), i, $1, i FROM generate_series(10, 7_009) i", [
    beside,
  ]);
  // As it is where so many would take longer than a statement may.
  await database.query(`
    CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM gone) > 5000 THEN RAISE EXCEPTION 'canceling statement due to statement timeout'; END IF;
      RETURN NULL;
    END $$`);
  await database.query(`
    CREATE TRIGGER at_most_some AFTER DELETE ON search_places REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_many()`);
  onTestFinished(async () => void (await database.query("DROP FUNCTION refuse_many CASCADE")));
  await store.retain(retention);
  expect(await rowsIn("search_places", "session_id = $1", beside)).toBe(0);
  expect(await rowsIn("calls", "session_id = $1", beside)).toBe(0);
  expect(await receiptsOf(held)).toHaveLength(2);
});

test("what is put in a partition's place refuses changes as the partition did, and takes receipts of nobody else", async () => {
  const [held] = [await recorded(460), await recorded(460)];
  await store.sessions.hold(held, by);
  await store.retain(retention);
  for (const table of ["calls", "closings", "phrases"])
    for (const place of [table, `${table}_${weekOf(held)}`]) {
      await expect(database.query(`DELETE FROM ${place}`)).rejects.toThrow(/append-only|refused/);
      await expect(database.query(`TRUNCATE ${place}`)).rejects.toThrow(/append-only|refused/);
    }
  await expect(database.query("UPDATE bodies SET bytes = ''")).rejects.toThrow(/refused|append-only/);
  expect(await rowsIn("calls", "session_id = $1", held)).toBe(2);
});

test("a hold that comes too late says that the bodies had expired, and keeps the receipts", async () => {
  const late = await recorded(120);
  await store.retain(retention);
  expect(await store.sessions.hold(late, by)).toMatchObject({ bodies: "expired" });
  await expect(database.query("UPDATE sessions SET bodies_expired = false WHERE id = $1", [late])).rejects.toThrow(
    /do not come back/,
  );
  await database.query("SET session_replication_role = replica");
  await store.retain({ bodies: 10 * day, receipts: 20 * day });
  expect(await store.sessions.get(late)).toMatchObject({ hold: by });
  expect(await receiptsOf(late)).toHaveLength(2);
});

test("one that is held stays as it was held, and one that is not there is not held", async () => {
  const id = await recorded(1);
  await store.sessions.hold(id, by);
  expect(await other.sessions.hold(id, { by: "other (admin)", reason: "later" })).toMatchObject({
    session: { hold: by },
  });
  expect(await store.sessions.hold("0199c3a1-5f00-7000-8000-000000000001", by)).toBeNull();
  expect(await store.sessions.release("0199c3a1-5f00-7000-8000-000000000001")).toBeNull();
});

test("of a hold and of retention that come at once one is first, and what the hold was told is true", async () => {
  for (let round = 0; round < 6; round++) {
    const ids = await Promise.all(Array.from({ length: 6 }, () => recorded(200 + round * 3)));
    const contents = new Map(await Promise.all(ids.map(async (id) => [id, await wholeOf(id)] as const)));
    const dropping = Promise.allSettled([store.retain(retention), other.retain(retention)]);
    const told = await Promise.all(ids.map((id, i) => (i % 2 === 0 ? store : other).sessions.hold(id, by)));
    await dropping;
    // Whatever gave way comes back.
    await store.retain(retention);
    for (const [i, id] of ids.entries()) {
      if (told[i]?.bodies === "kept") expect(await wholeOf(id)).toEqual(contents.get(id));
      else expect(await areExpired(id)).toBe(true);
    }
    for (const id of ids) await store.sessions.release(id);
  }
});

test("a hold that is decided while retention waits for the row is seen by it", async () => {
  const id = await recorded(150);
  const before = await wholeOf(id);
  const holder = new pg.Client({ connectionString: database.connectionString });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query("BEGIN");
  await holder.query(`UPDATE sessions SET hold = '{"by":"x","at":"2026-01-01T00:00:00Z","reason":"x"}' WHERE id = $1`, [
    id,
  ]);
  const dropping = store.retain(retention).catch((error: unknown) => error);
  await holder.query("COMMIT");
  await dropping;
  await store.retain(retention);
  expect(await wholeOf(id)).toEqual(before);
});

test("receipts of a session that somebody holds while they are deleted stay, or the hold finds no session", async () => {
  for (let round = 0; round < 6; round++) {
    const id = await recorded(500 + round * 14);
    await store.retain({ bodies: 90 * day, receipts: 4_000 * day });
    const receipts = await receiptsOf(id);
    const [held] = await Promise.all([
      other.sessions.hold(id, by),
      store.retain(retention).catch((error: unknown) => error),
    ]);
    await store.retain(retention);
    if (held === null) expect(await store.sessions.get(id)).toBeNull();
    else expect(await receiptsOf(id)).toEqual(receipts);
  }
});

test("connections keep as long as they say: the short one's go, the long one's of the same day stay whole, and go later", async () => {
  const own = { ...retention, connections: [{ name: "sandbox", bodies: 7 * day, receipts: 14 * day }] };
  const [short, long] = [await recorded(40, "sandbox"), await recorded(40, "prod")];
  const before = await wholeOf(long);
  const receipts = await receiptsOf(long);
  await store.retain(own);
  expect(await store.sessions.get(short)).toBeNull();
  expect(await wholeOf(long)).toEqual(before);
  expect(await receiptsOf(long)).toEqual(receipts);
  await store.retain({ ...own, bodies: 30 * day });
  expect(await areExpired(long)).toBe(true);
  expect(await rowsIn("epochs", "epoch = epoch_of($1)", long)).toBe(0);
});

test("a session that is in use keeps the day's bodies of all together, also beside one that is held", async () => {
  const [held, used, beside] = [await recorded(170), await recorded(170), await recorded(170)];
  await store.sessions.hold(held, by);
  await lieFallow(database, used, 3);
  await store.retain(retention);
  expect(await areExpired(beside)).toBe(false);
  await lieFallow(database, used, 100);
  await store.retain(retention);
  expect(await Promise.all([held, used, beside].map(areExpired))).toEqual([false, true, true]);
});

test("an attempt that was cut off leaves nothing that counts", async () => {
  const [held, beside] = [await recorded(180), await recorded(180)];
  await store.sessions.hold(held, by);
  const before = await wholeOf(held);
  // Half a copy of an attempt before.
  const rest = `rest_bodies_${epochOf(held)}_deadbeef`;
  await database.query(`CREATE TABLE ${rest} (LIKE bodies INCLUDING ALL)`);
  await store.retain(retention);
  expect(await wholeOf(held)).toEqual(before);
  expect(await areExpired(beside)).toBe(true);
  expect(await rowsIn("pg_class", "relkind = 'r' AND relname LIKE 'rest%' AND $1 <> ''", held)).toBe(0);
});

const weekOf = (id: string): string => {
  const first = epochOf(id) - (epochOf(id) % 7);
  return new Date(first * day).toISOString().slice(0, 10).replaceAll("-", "_");
};
