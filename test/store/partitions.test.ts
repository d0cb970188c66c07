/** A database of the version before partitions, filled and brought up to date, reads back the same. */

import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { zstdCompressSync } from "node:zlib";
import { runner } from "node-pg-migrate";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { epochOf } from "../../server/store/epochs.ts";
import { emptyDatabase, type FreshDatabase, quietLog } from "../standins/database.ts";
import { newSession, readAll } from "./specimens.ts";

const day = 86_400_000;
/** Files of server/store/migrations up to 0007. */
const filesBefore = 6;

let database: FreshDatabase;
let store: Store;

const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
const small = Buffer.from('{"priority":3}');
const packed = Buffer.from(`{"message":"${"again and again ".repeat(100)}"}`);
const large = randomBytes(300_000);
const hash = randomBytes(16);

const sessions = [
  { id: uuidv7({ msecs: Date.now() - 100 * day }), spill: uuidv7({ msecs: Date.now() - 100 * day }) },
  // A large body of a session of the day before.
  { id: uuidv7({ msecs: Date.now() - day }), spill: uuidv7() },
] as const;

const bodyJson = (body: Buffer, kept: boolean) =>
  JSON.stringify({ size: body.length, content_type: "application/json", encoding: null, truncated: false, kept });

const fill = async ({ query }: FreshDatabase): Promise<void> => {
  await query("INSERT INTO bodies (sha256, coding, bytes) VALUES ($1, 'identity', $2), ($3, 'zstd', $4)", [
    sha256(small),
    small,
    sha256(packed),
    zstdCompressSync(packed),
  ]);
  await query("INSERT INTO spills (id) VALUES ($1)", [uuidv7()]);
  for (const { id, spill } of sessions) {
    const { caller, connection, binding } = newSession();
    await query(
      "INSERT INTO sessions (id, connection, caller, binding, opened_at, last_used_at, calls) VALUES ($1, $2, $3, $4, now(), now(), 3)",
      [id, connection, JSON.stringify(caller), JSON.stringify(binding)],
    );
    await query("INSERT INTO spills (id, claimed) VALUES ($1, true)", [spill]);
    await query(
      "INSERT INTO body_chunks (spill, seq, coding, bytes) VALUES ($1, 0, 'identity', $2), ($1, 1, 'identity', $3)",
      [spill, large.subarray(0, 200_000), large.subarray(200_000)],
    );
    for (const n of [1, 2, 3])
      await query(
        `INSERT INTO calls (session_id, n, replica, operation, access, method, host, path, query, decision, client, received_at, decided_at,
           request_headers, request_body, request_sha256)
         VALUES ($1, $2, 1, 'v1.MonitorsApi.CreateMonitor', 'write', 'POST', 'api.datadoghq.com', '/api/v1/monitor', '', $3, 'curl', now(), now(), '[["a","b"]]', $4, $5)`,
        [
          id,
          n,
          '{"effect":"allow","rules":[],"reason":"it is allowed","policy":"0"}',
          n === 1 ? bodyJson(small, true) : null,
          n === 1 ? sha256(small) : null,
        ],
      );
    // Call 3 stays in flight.
    await query("INSERT INTO calls_in_flight (session_id, n, replica) VALUES ($1, 3, 1)", [id]);
    await query(
      `INSERT INTO closings (session_id, n, state, status, done_at, request_body, request_sha256, response_headers, response_body, response_sha256, response_spill)
       VALUES ($1, 1, 'closed', 200, now(), NULL, NULL, '[["c","d"]]', $2, $3, NULL), ($1, 2, 'closed', 200, now(), $4, $5, '[]', $6, $7, $8)`,
      [
        id,
        bodyJson(packed, true),
        sha256(packed),
        bodyJson(small, true),
        sha256(small),
        bodyJson(large, false),
        sha256(large),
        spill,
      ],
    );
    await query("INSERT INTO masked_values (hash, session_id, n) VALUES ($1, $2, 1)", [hash, id]);
  }
};

beforeAll(async () => {
  database = await emptyDatabase();
  const dbClient = new pg.Client({ connectionString: database.connectionString });
  await dbClient.connect();
  const silent = () => undefined;
  const done = await runner({
    dbClient,
    dir: fileURLToPath(new URL("../../server/store/migrations", import.meta.url)),
    direction: "up",
    count: filesBefore,
    migrationsTable: "migrations",
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  await dbClient.end();
  if (done.at(-1)?.name !== "0007_masked_values") throw new Error("another version than the one before partitions");
  await fill(database);
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

test.each(sessions)("every call and body of session $id reads back the same", async ({ id }) => {
  const page = await store.receipts.calls(id, { limit: 10 });
  expect(page).toMatchObject({
    items: [
      { n: 1, client: "curl", request: { headers: [["a", "b"]], body: { sha256: sha256(small), expired: false } } },
      {
        n: 2,
        request: { body: { sha256: sha256(small), expired: false } },
        response: { headers: [], body: { sha256: sha256(large) } },
      },
      { n: 3, state: expect.stringMatching(/open|indeterminate/), request: { body: null } },
    ],
  });
  const bytes = async (n: number, side: "request" | "response") => {
    const body = await store.receipts.body(id, n, side);
    return body === null ? null : readAll(body.stream);
  };
  expect(await bytes(1, "request")).toEqual(small);
  expect(await bytes(1, "response")).toEqual(packed);
  expect(await bytes(2, "request")).toEqual(small);
  expect((await bytes(2, "response"))?.equals(large)).toBe(true);
});

test("digests are salted by the epoch of their session, and a masked value is found again", async () => {
  for (const { id } of sessions) {
    const [row] = await database.query<{ salt: Buffer; request_digest: Buffer }>(
      "SELECT salt, request_digest FROM calls JOIN epochs ON epoch = epoch_of(session_id) WHERE session_id = $1 AND n = 1",
      [id],
    );
    expect(row?.request_digest).toEqual(sha256(Buffer.concat([row?.salt ?? Buffer.alloc(0), sha256(small)])));
  }
  const found = await store.receipts.withValue([hash], { limit: 10 });
  expect("items" in found && found.items.map(({ session_id }) => session_id)).toEqual(
    sessions.map(({ id }) => id).toReversed(),
  );
});

test("everything is where its session is: what belongs to one epoch goes with it and leaves the other", async () => {
  const [old, young] = sessions;
  await database.query("SELECT drop_bodies($1)", [epochOf(old.id)]);
  const expired = async (id: string) => {
    const page = await store.receipts.calls(id, { limit: 2 });
    return (
      "items" in page && page.items.map(({ request, response }) => [request.body?.expired, response?.body?.expired])
    );
  };
  expect(await expired(old.id)).toEqual([
    [true, true],
    [true, true],
  ]);
  expect(await expired(young.id)).toEqual([
    [false, false],
    [false, false],
  ]);
});

test("nothing is left of the old tables, and no spill that no call had", async () => {
  const left = await database.query(
    "SELECT relname FROM pg_class WHERE relname LIKE 'old\\_%' OR relname LIKE '%pkey1'",
  );
  expect(left).toEqual([]);
  expect(await database.query("SELECT id FROM spills WHERE NOT claimed")).toEqual([]);
});
