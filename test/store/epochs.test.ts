/** Epochs: partitions are there before they are needed, made when they are not, and salts make digests that say nothing without them. */

import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { epochOf } from "../../server/store/epochs.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, closing, opening, openSession, readAll, sessionOfOld } from "./specimens.ts";

const day = 86_400_000;

let database: FreshDatabase;
let store: Store;
let other: Store;

const open = (connectionString = database.connectionString, clock = () => new Date()): Promise<Store> =>
  openStore({ connectionString, log: quietLog, clock });

beforeAll(async () => {
  database = await freshDatabase();
  [store, other] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await database.drop();
});

const partitionsOf = async (table: string, { query } = database): Promise<string[]> =>
  (
    await query<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1",
      [table],
    )
  ).map(({ name }) => name);

const nameOf = (table: string, epoch: number): string =>
  `${table}_${new Date(epoch * day).toISOString().slice(0, 10).replaceAll("-", "_")}`;

const today = (): number => Math.floor(Date.now() / day);

const plain = (body: ReturnType<typeof bodyOf>) => ({ headers: [], body });

const saltOf = async (session_id: string): Promise<Buffer> => {
  const [row] = await database.query<{ salt: Buffer }>("SELECT salt FROM epochs WHERE epoch = $1", [
    epochOf(session_id),
  ]);
  if (row === undefined) throw new Error("the epoch is not open");
  return row.salt;
};

test("a session's epoch is the same day in SQL and here, and an epoch's first id is its first", async () => {
  for (const msecs of [0, 1, day - 1, day, Date.now(), Date.UTC(2099, 11, 31, 23, 59, 59, 999)]) {
    const id = uuidv7({ msecs });
    const [row] = await database.query<{ epoch: number; first: number; fits: boolean }>(
      "SELECT epoch_of($1) AS epoch, epoch_of(first_id_of(epoch_of($1))) AS first, $1 >= first_id_of(epoch_of($1)) AND $1 < first_id_of(epoch_of($1) + 1) AS fits",
      [id],
    );
    expect(row).toEqual({ epoch: Math.floor(msecs / day), first: Math.floor(msecs / day), fits: true });
    expect(epochOf(id)).toBe(Math.floor(msecs / day));
  }
});

test("two gateways that start together on an empty database make today's partitions and the next days' once", async () => {
  const week = (epoch: number) => epoch - (epoch % 7);
  const days = [today(), today() + 1, today() + 2];
  for (const table of ["bodies", "spills", "body_chunks"])
    expect(await partitionsOf(table)).toEqual(expect.arrayContaining(days.map((epoch) => nameOf(table, epoch))));
  for (const table of ["calls", "closings", "masked_values"])
    expect(await partitionsOf(table)).toEqual(expect.arrayContaining(days.map((epoch) => nameOf(table, week(epoch)))));
});

test("a gateway whose clock is ten days ahead makes its own days and the database's", async () => {
  const fresh = await freshDatabase();
  onTestFinished(() => fresh.drop());
  const ahead = await open(fresh.connectionString, () => new Date(Date.now() + 10 * day));
  await ahead.close();
  const epochs = (await fresh.query<{ epoch: number }>("SELECT epoch FROM epochs ORDER BY epoch")).map(
    ({ epoch }) => epoch,
  );
  expect(epochs).toEqual(expect.arrayContaining([today(), today() + 1, today() + 10, today() + 12]));
});

test("receipts of sessions for whose day nothing was made are written all the same, by two gateways at once", async () => {
  const sessions = await Promise.all([30, 31, 40, 200].map((daysAgo) => sessionOfOld(database, daysAgo)));
  const body = bodyOf("written on demand");
  const calls = await Promise.all(
    sessions.flatMap((id) =>
      [store, other, store, other].map(({ sink }) =>
        sink.record(opening(id, { request: plain(body), masked_hashes: ["AAAAAAAAAAAAAAAAAAAAAA"] }), () =>
          closing({ response: plain(body) }),
        ),
      ),
    ),
  );
  expect(calls.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]);
  for (const id of sessions) {
    const read = await other.receipts.body(id, 4, "response");
    expect(read !== null && (await readAll(read.stream)).toString()).toBe("written on demand");
  }
});

test("partitions that are gone behind a sink's back are made again, and no receipt is lost", async () => {
  const id = await sessionOfOld(database, 60);
  await store.sink.record(opening(id, { request: plain(bodyOf("before")) }), () => closing());
  const gone = await saltOf(id);
  await database.query("SELECT drop_bodies(epoch_of($1))", [id]);
  const call = await store.sink.record(opening(id, { request: plain(bodyOf("after")) }), () => closing());
  expect((await store.receipts.call(id, 1))?.request.body).toMatchObject({ expired: true, sha256: null, size: 6 });
  const read = await store.receipts.body(id, call.n, "request");
  expect(read !== null && (await readAll(read.stream)).toString()).toBe("after");
  expect((await saltOf(id)).equals(gone)).toBe(false);
  const [row] = await database.query<{ request_digest: Buffer }>(
    "SELECT request_digest FROM calls WHERE session_id = $1 AND n = $2",
    [id, call.n],
  );
  expect(row?.request_digest).toEqual(salted(await saltOf(id), bodyOf("after").sha256));
  await database.query("SELECT drop_receipts(epoch_of($1) - epoch_of($1) % 7)", [id]);
  await expect(store.sink.record(opening(id), () => closing())).resolves.toMatchObject({ n: 3 });
});

test("an epoch that was dropped and opened again by another gateway has its new salt in every receipt", async () => {
  const id = await sessionOfOld(database, 70);
  await Promise.all(
    [store, other].map(({ sink }) => sink.record(opening(id, { request: plain(bodyOf("before")) }), () => closing())),
  );
  await database.query("SELECT drop_bodies(epoch_of($1))", [id]);
  await store.sink.record(opening(id, { request: plain(bodyOf("here")) }), () => closing());
  await other.sink.record(opening(id, { request: plain(bodyOf("there")) }), () => closing());
  const rows = await database.query<{ request_digest: Buffer }>(
    "SELECT request_digest FROM calls WHERE session_id = $1 AND n > 2 ORDER BY n",
    [id],
  );
  const salt = await saltOf(id);
  expect(rows.map(({ request_digest }) => request_digest)).toEqual(
    ["here", "there"].map((text) => salted(salt, bodyOf(text).sha256)),
  );
});

test.each([90, 0])(
  "what a session of %d days ago says again after its partitions were dropped is written again",
  async (days) => {
    const id = await sessionOfOld(database, days);
    const again = () =>
      store.sink.record(opening(id, { request: plain(bodyOf("again and again")) }), () =>
        closing({ upstream: "again" }),
      );
    for (let i = 0; i < 3; i++) await again();
    await database.query("SELECT drop_bodies(epoch_of($1)), drop_receipts(epoch_of($1) - epoch_of($1) % 7)", [id]);
    for (let i = 0; i < 2; i++) await again();
    expect(await store.receipts.call(id, 5)).toMatchObject({ client: opening(id).client, upstream: "again" });
    const read = await store.receipts.body(id, 5, "request");
    expect(read !== null && (await readAll(read.stream)).toString()).toBe("again and again");
  },
);

test("a session that does not exist makes no partition", async () => {
  const unknown = uuidv7({ msecs: Date.now() - 3_000 * day });
  await expect(store.sink.open(opening(unknown))).rejects.toMatchObject({ code: "session_closed" });
  expect(await partitionsOf("bodies")).not.toContain(nameOf("bodies", epochOf(unknown)));
});

const salted = (salt: Buffer, sha256: Buffer): Buffer => createHash("sha256").update(salt).update(sha256).digest();

test("receipts hold a digest salted with their epoch's salt, and the plain one nowhere", async () => {
  const { id } = await openSession(store.sessions);
  const [asked, answered, late] = [bodyOf("asked"), bodyOf("answered"), bodyOf("late")];
  await store.sink.record(opening(id, { request: plain(asked) }), () => closing({ response: plain(answered) }));
  const call = await store.sink.open(opening(id));
  await store.sink.close(call, closing({ request_body: late, response: null }));
  const salt = await saltOf(id);
  expect(salt).toHaveLength(32);
  const rows = await database.query<Record<string, Buffer>>(
    `SELECT c.request_digest, e.request_digest AS late_digest, e.response_digest
     FROM calls c JOIN closings e USING (session_id, n) WHERE session_id = $1 ORDER BY n`,
    [id],
  );
  expect(rows).toEqual([
    { request_digest: salted(salt, asked.sha256), late_digest: null, response_digest: salted(salt, answered.sha256) },
    { request_digest: null, late_digest: salted(salt, late.sha256), response_digest: null },
  ]);
  const receipts = await database.query<{ all: string }>(
    `SELECT c::text || e::text AS all FROM calls c JOIN closings e USING (session_id, n) WHERE session_id = $1`,
    [id],
  );
  for (const { sha256 } of [asked, answered, late])
    for (const { all } of receipts) expect(all).not.toContain(sha256.toString("hex"));
});

test("one content is stored once in an epoch and once more in another, under digests that cannot be compared", async () => {
  const [one, two, elsewhere] = [
    (await openSession(store.sessions)).id,
    (await openSession(store.sessions)).id,
    await sessionOfOld(database, 20),
  ];
  const body = bodyOf("the same everywhere");
  for (const id of [one, two, elsewhere])
    await store.sink.record(opening(id, { request: plain(body) }), () => closing({ response: plain(body) }));
  const rows = await database.query<{ epoch: number; digest: Buffer }>(
    "SELECT epoch, digest FROM bodies WHERE sha256 = $1 ORDER BY epoch",
    [body.sha256],
  );
  expect(rows.map(({ epoch }) => epoch)).toEqual([today() - 20, today()]);
  expect(rows[0]?.digest.equals(rows[1]?.digest ?? Buffer.alloc(0))).toBe(false);
});

test("a body of which nothing was kept has the digest of nothing, and cannot expire", async () => {
  const id = await sessionOfOld(database, 50);
  const withheld = { ...bodyOf(""), size: 12, truncated: true, bytes: null, withheld: "nobody could look into it" };
  await store.sink.record(opening(id, { request: plain(withheld) }), () => closing());
  await database.query("SELECT drop_bodies(epoch_of($1))", [id]);
  expect((await store.receipts.call(id, 1))?.request.body).toMatchObject({
    size: 12,
    id: null,
    expired: false,
    sha256: withheld.sha256,
    withheld: "nobody could look into it",
  });
});

test.each(["calls", "closings"])("rows of a partition of %s can be neither changed nor deleted", async (table) => {
  const { id } = await openSession(store.sessions);
  await store.sink.record(opening(id), () => closing());
  const partition = nameOf(table, epochOf(id) - (epochOf(id) % 7));
  for (const statement of [`DELETE FROM ${partition}`, `TRUNCATE ${partition}`, `UPDATE ${partition} SET n = n`])
    await expect(database.query(statement)).rejects.toThrow(/append-only/);
});

test("bodies of a partition cannot be changed", async () => {
  await expect(database.query(`UPDATE ${nameOf("bodies", today())} SET bytes = bytes`)).rejects.toThrow(/append-only/);
});
