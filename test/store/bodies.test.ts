/** Bodies: large ones pass with flat memory and come back byte for byte. */

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, closing, opening, openSession, readAll } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;
let session: string;
beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  session = (await openSession(store.sessions)).id;
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const countChunks = async (spill: string): Promise<number> =>
  (await database.query("SELECT FROM body_chunks WHERE spill = $1", [spill])).length;

test("128 MB that cannot be compressed pass with flat memory and come back the same", async () => {
  const spill = store.bodies.spill(session);
  const piece = randomBytes(64 * 1024);
  const written = createHash("sha256");
  const idle = process.memoryUsage().rss;
  let peak = idle;
  for (let i = 0; i < 2_048; i++) {
    piece.writeUInt32BE(i, 0);
    written.update(piece);
    await spill.write(piece);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  const { spill: id } = await spill.finish();
  const read = createHash("sha256");
  for await (const chunk of store.bodies.read(id)) {
    read.update(chunk);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  expect(read.digest("hex")).toBe(written.digest("hex"));
  expect((peak - idle) / 2 ** 20).toBeLessThan(80);
});

test.each([0, 1, 262_143, 262_144, 262_145, 1_000_003])(
  "%i bytes in pieces of any size come back the same",
  async (size) => {
    const bytes = Buffer.alloc(size, "datadog ");
    const spill = store.bodies.spill(session);
    for (let at = 0; at < size; at += 70_001) await spill.write(bytes.subarray(at, at + 70_001));
    const { spill: id } = await spill.finish();
    expect((await readAll(store.bodies.read(id))).equals(bytes)).toBe(true);
  },
);

test("a spilled body is the call's body, and is not swept away", async () => {
  const bytes = Buffer.alloc(700_000, "x");
  const { id } = await openSession(store.sessions);
  const spill = store.bodies.spill(id);
  await spill.write(bytes);
  const body = { ...bodyOf(bytes), bytes: null, ...(await spill.finish()) };
  await store.sink.record(opening(id), () => closing({ response: { headers: [], body } }));
  const stored = await store.receipts.body(id, 1, "response");
  expect(stored?.meta).toMatchObject({ size: 700_000, id: body.spill });
  expect(stored && (await readAll(stored.stream)).equals(bytes)).toBe(true);
  await expect(database.query("SELECT claimed FROM spills WHERE id = $1", [body.spill])).resolves.toEqual([
    { claimed: true },
  ]);
});

test("an abandoned spill leaves nothing", async () => {
  const spill = store.bodies.spill(session);
  await spill.write(Buffer.alloc(600_000));
  await spill.abandon();
  const rows = await database.query(
    "SELECT id FROM spills WHERE NOT claimed AND NOT EXISTS (SELECT FROM body_chunks WHERE spill = id)",
  );
  expect(rows).toEqual([]);
  const orphans = await database.query(
    "SELECT spill FROM body_chunks WHERE NOT EXISTS (SELECT FROM spills WHERE id = spill)",
  );
  expect(orphans).toEqual([]);
});

test("a finished one stays: who gives up waiting for a receipt cannot tell whether it is written after all", async () => {
  const bytes = Buffer.alloc(600_000, "y");
  const { id } = await openSession(store.sessions);
  const spill = store.bodies.spill(id);
  await spill.write(bytes);
  const body = { ...bodyOf(bytes), bytes: null, ...(await spill.finish()) };
  await spill.abandon();
  await store.sink.record(opening(id), () => closing({ response: { headers: [], body } }));
  const stored = await store.receipts.body(id, 1, "response");
  expect(stored && (await readAll(stored.stream)).equals(bytes)).toBe(true);
});

test("bytes that are gone are said to be gone", async () => {
  const spill = store.bodies.spill(session);
  await spill.write(Buffer.alloc(600_000));
  const { spill: id } = await spill.finish();
  expect(await countChunks(id)).toBe(3);
  await database.query("DELETE FROM body_chunks WHERE spill = $1 AND seq = 1", [id]);
  await expect(readAll(store.bodies.read(id))).rejects.toMatchObject({ code: "recording_unavailable" });
  await expect(readAll(store.bodies.read(`20000.${"0".repeat(64)}`))).rejects.toMatchObject({
    code: "recording_unavailable",
  });
});
