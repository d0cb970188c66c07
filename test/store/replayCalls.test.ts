/** Reading recorded calls beside a gateway: in pieces, complete, without writing, and from an embedded database that runs or rests. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../server/store/database.ts";
import { visitEmbedded } from "../../server/store/embedded/visit.ts";
import { startEmbedded } from "../../server/store/embedded.ts";
import { type CallFilter, openCallReader, type RecordedCall } from "../../server/store/replayCalls.ts";
import { emptyDatabase, type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { scratchFolder } from "../standins/scratch.ts";
import { bodyOf, closing, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

const storeOn = (connectionString: string) => openStore({ connectionString, log: quietLog, clock: () => new Date() });

const readAll = async (connectionString: string, filter: CallFilter = {}): Promise<readonly RecordedCall[][]> => {
  const reader = await openCallReader(connectionString);
  const pages: RecordedCall[][] = [];
  for await (const page of reader.pages(filter)) pages.push([...page]);
  reader.close();
  return pages;
};

test("comes in pages of at most five hundred, each call once, in the order of sessions and numbers", async () => {
  const store = await storeOn(database.connectionString);
  onTestFinished(() => store.close());
  const sessions = [await openSession(store.sessions), await openSession(store.sessions)];
  for (const { id } of sessions) await Promise.all(Array.from({ length: 1_300 }, () => store.sink.open(opening(id))));
  const pages = await readAll(database.connectionString, { sessions: sessions.map(({ id }) => id) });
  expect(Math.max(...pages.map((page) => page.length))).toBe(500);
  const names = pages.flat().map(({ session, n }) => `${session.id}/${n}`);
  expect(names).toEqual(sessions.flatMap(({ id }) => Array.from({ length: 1_300 }, (_, i) => `${id}/${i + 1}`)));
  // One session is one caller: what is known of a caller is kept by that object.
  expect(new Set(pages.flat().map(({ session }) => session.caller)).size).toBeLessThanOrEqual(sessions.length);
});

test("begins where it is told to, and reads only the sessions that are wanted", async () => {
  const store = await storeOn(database.connectionString);
  onTestFinished(() => store.close());
  const one = await openSession(store.sessions);
  const other = await openSession(store.sessions);
  const at = (hour: number) => new Date(Date.UTC(2026, 4, 4, hour));
  for (const hour of [1, 2, 3]) await store.sink.open(opening(one.id, { received_at: at(hour) }));
  await store.sink.open(opening(other.id, { received_at: at(2) }));
  const filter = { sessions: [one.id, other.id], since: at(2) };
  expect((await readAll(database.connectionString, filter)).flat()).toHaveLength(3);
  const wanted = { ...filter, isWanted: ({ id }: { id: string }) => id === other.id };
  expect((await readAll(database.connectionString, wanted)).flat().map(({ session }) => session.id)).toEqual([
    other.id,
  ]);
});

test("finds a body in the opening, in the closing, spilled, and not at all", async () => {
  const store = await storeOn(database.connectionString);
  onTestFinished(() => store.close());
  const { id } = await openSession(store.sessions);
  const large = "z".repeat(600_000);
  const spill = store.bodies.spill(id);
  await spill.write(Buffer.from(large));
  const spilled = { ...bodyOf(large), bytes: null, ...(await spill.finish()) };
  const headers = [["a", "b"]] as const;
  await store.sink.record(opening(id, { request: { headers, body: bodyOf('{"a":1}') } }), () => closing());
  await store.sink.record(opening(id), () => closing({ request_body: bodyOf(`{"b":"${"y".repeat(2_000)}"}`) }));
  await store.sink.record(opening(id, { request: { headers, body: spilled } }), () => closing());
  await store.sink.record(opening(id), () => closing());
  const reader = await openCallReader(database.connectionString);
  onTestFinished(() => reader.close());
  const calls: RecordedCall[] = [];
  for await (const page of reader.pages({ sessions: [id] })) calls.push(...page);
  const bodies = await reader.bodies(calls.flatMap(({ body }) => (body === null ? [] : [body])));
  expect(calls.map(({ body }) => (body === null ? null : bodies.get(body)?.toString()))).toEqual([
    '{"a":1}',
    `{"b":"${"y".repeat(2_000)}"}`,
    large,
    null,
  ]);
});

test("a database that no gateway ever used has no recordings", async () => {
  const empty = await emptyDatabase();
  onTestFinished(() => empty.drop());
  await expect(openCallReader(empty.connectionString)).rejects.toThrow("no gateway ever used it");
});

test("an embedded database is read while its gateway runs, and when it rests; then it rests again", async () => {
  const dataDir = scratchFolder("dogwatch-visit-");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  await expect(visitEmbedded({ dataDir, log: quietLog })).rejects.toThrow("there are no recordings");

  const embedded = await startEmbedded({ dataDir, log: quietLog });
  const store = await storeOn(embedded.connectionString);
  const { id } = await openSession(store.sessions);
  await store.sink.open(opening(id));
  const during = await visitEmbedded({ dataDir, log: quietLog });
  expect((await readAll(during.connectionString)).flat()).toHaveLength(1);
  await during.leave();
  await store.sink.open(opening(id));
  await store.close();
  await embedded.stop();

  const pidFile = join(dataDir, "postgres/cluster/postmaster.pid");
  expect(existsSync(pidFile)).toBe(false);
  const after = await visitEmbedded({ dataDir, log: quietLog });
  expect(existsSync(pidFile)).toBe(true);
  expect((await readAll(after.connectionString)).flat()).toHaveLength(2);

  // A gateway that starts during the visit takes the server over, and keeps it when the visitor leaves.
  const taken = await startEmbedded({ dataDir, log: quietLog });
  await after.leave();
  expect((await readAll(taken.connectionString)).flat()).toHaveLength(2);
  await taken.stop();

  const last = await visitEmbedded({ dataDir, log: quietLog });
  await last.leave();
  expect(existsSync(pidFile)).toBe(false);
});
