/** The sink on a line that is cut, frozen or late: it says so in time, and writes everything once. */

import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { Salts } from "../../server/store/epochs.ts";
import { ReceiptSink } from "../../server/store/sink.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { bodyOf, closing, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;
let line: DatabaseLine;
let sink: ReceiptSink;
let session: string;
let time: ReturnType<typeof createTime>;

/** The sink's own time. Where nobody is to give up it is slow: how long a lost connection takes to be another one is the machine's business. */
const createTime = () => {
  let pace = 1;
  let [at, seen] = [0, performance.now()];
  const now = (): number => {
    const real = performance.now();
    at += (real - seen) * pace;
    seen = real;
    return at;
  };
  const slow = (): void => {
    now();
    pace = 1 / 20;
  };
  return { now, slow };
};

beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  line = await DatabaseLine.to(database.connectionString);
  time = createTime();
  sink = new ReceiptSink({
    connectionString: line.connectionString,
    log: quietLog,
    clock: () => new Date(),
    monotonic: time.now,
    salts: new Salts(),
  });
  await sink.start();
  session = (await openSession(store.sessions)).id;
});
afterEach(async () => {
  await sink.stop();
  await line.close();
});

const recorded = async (): Promise<number[]> =>
  (await database.query<{ n: number }>("SELECT n FROM calls WHERE session_id = $1 ORDER BY n", [session])).map(
    ({ n }) => n,
  );
const closedStates = async (): Promise<string[]> =>
  (
    await database.query<{ state: string }>("SELECT state FROM closings WHERE session_id = $1 ORDER BY n", [session])
  ).map(({ state }) => state);

test("what was written over one connection is written again over the next: its server may never have had it", async () => {
  time.slow();
  const record = () => sink.record(opening(session, { request: { headers: [], body } }), () => closing());
  const body = bodyOf("over and over");
  const count = async (): Promise<number> => {
    const [row] = await database.query<{ count: string }>(
      "SELECT (SELECT count(*) FROM phrases) + (SELECT count(*) FROM bodies WHERE sha256 = $1) AS count",
      [body.sha256],
    );
    return Number(row?.count);
  };
  await record();
  const whole = await count();
  // As after a failover to a server that lagged behind.
  await database.query("SET session_replication_role = replica; DELETE FROM phrases; DELETE FROM bodies");
  const struck = line.arm("cut before commit");
  await Promise.all([struck, record()]);
  expect(await count()).toBe(whole);
});

test.each(["cut before commit", "cut after commit", "hold commit and cut"] as const)(
  "%s: everything that was on its way is there once, and its callers know its number",
  async (fault) => {
    time.slow();
    const struck = line.arm(fault);
    const calls = Array.from({ length: 30 }, (_, i) =>
      i % 2 ? sink.open(opening(session)) : sink.record(opening(session), () => closing()),
    );
    await struck;
    const numbers = (await Promise.all(calls)).map(({ n }) => n);
    line.release();
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(await recorded()).toHaveLength(30);
    // The next batch goes through the same replica, after the late COMMIT had its chance.
    await sink.open(opening(session));
    expect(await recorded()).toHaveLength(31);
    expect(await closedStates()).toHaveLength(15);
  },
);

test.each(["cut before commit", "cut after commit", "hold commit and cut"] as const)(
  "%s: a closing on its way is written once, and a call in flight stays its own",
  async (fault) => {
    time.slow();
    const call = await sink.open(opening(session));
    const struck = line.arm(fault);
    const closed = sink.close(call, closing());
    await struck;
    await closed;
    line.release();
    expect(await closedStates()).toEqual(["closed"]);
    await expect(sink.close(call, closing())).rejects.toMatchObject({ code: "recording_unavailable" });
  },
);

test("a stopped database is reported in time, and service goes on by itself when it is back", async () => {
  line.cut();
  const started = performance.now();
  await expect(sink.open(opening(session))).rejects.toMatchObject({ code: "recording_unavailable" });
  expect(performance.now() - started).toBeLessThan(20_000);
  line.mend();
  await expect.poll(() => sink.open(opening(session)).catch(() => null)).toMatchObject({ n: 1 });
  expect(await recorded()).toEqual([1]);
});

test("a frozen database is reported in time; what it took all the same is closed as indeterminate", async () => {
  const struck = line.arm("hold commit and cut");
  const late = sink.open(opening(session));
  line.cut();
  await expect(late).rejects.toMatchObject({ code: "recording_unavailable" });
  line.mend();
  void struck;
  line.freeze();
  const frozen = sink.open(opening(session));
  await expect(frozen).rejects.toMatchObject({ code: "recording_unavailable" });
  line.thaw();
  await expect.poll(() => sink.open(opening(session)).catch(() => null)).not.toBeNull();
});

test("an opening that is committed after its caller was turned away is closed by the sink itself", async () => {
  const struck = line.arm("cut after commit");
  const late = sink.open(opening(session)).then(
    () => "answered",
    (error: { code: string }) => error.code,
  );
  await struck;
  line.cut();
  expect(await late).toBe("recording_unavailable");
  line.mend();
  await expect.poll(closedStates).toEqual(["indeterminate"]);
});

/** In this database: the server has others, whose replicas have the same numbers. */
const endReplica = (replica: number | null): Promise<unknown> =>
  database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND objsubid = 2
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [replica],
  );

test("after a lost connection the sink is the same replica, so that its calls in flight are still its own", async () => {
  time.slow();
  const { replica } = sink;
  const call = await sink.open(opening(session));
  await endReplica(replica);
  await sink.close(call, closing());
  expect(sink.replica).toBe(replica);
});

test("a database that turns read-only is reported in time, and written to again when it is writable", async () => {
  const { database: name } = new pg.Client(database.connectionString);
  await database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await endReplica(sink.replica);
  await expect(sink.open(opening(session))).rejects.toMatchObject({ code: "recording_unavailable" });
  await database.query(
    `SET default_transaction_read_only = off; ALTER DATABASE ${name} RESET default_transaction_read_only`,
  );
  await expect.poll(() => sink.open(opening(session)).catch(() => null)).toMatchObject({ n: 1 });
});

test("a session that somebody else holds locked delays nobody for longer than a moment", async () => {
  const holder = new pg.Client(database.connectionString);
  await holder.connect();
  const other = (await openSession(store.sessions)).id;
  await holder.query("BEGIN");
  await holder.query("SELECT FROM sessions WHERE id = $1 FOR UPDATE", [other]);
  const [stuck, free] = await Promise.all([
    sink.open(opening(other)).catch(({ code }: { code: string }) => code),
    sink.open(opening(session)).catch(({ code }: { code: string }) => code),
  ]);
  await holder.query("ROLLBACK");
  await holder.end();
  expect([stuck, free]).toEqual(["recording_unavailable", { session_id: session, n: 1 }]);
});

test("connections that die again and again under load: whatever was acknowledged is there, nothing twice, no gap", async () => {
  time.slow();
  const acknowledged = new Map<string, number>();
  let written = 0;
  const writers = Array.from({ length: 40 }, async () => {
    while (written < 2_000) {
      const client = `call ${written++}`;
      const call = await sink.record(opening(session, { client }), () => closing()).catch(() => null);
      if (call !== null) acknowledged.set(client, call.n);
    }
  });
  const faults = ["cut after commit", "cut before commit", "hold commit and cut"] as const;
  const breaker = async (): Promise<void> => {
    for (const [i] of Array.from({ length: 2_000 }).entries()) {
      if (written >= 2_000) return;
      await line.arm(faults[i % 3] ?? "cut after commit");
      line.release();
    }
  };
  void breaker();
  await Promise.all(writers);
  type Row = { n: number; client: string };
  const rows = await database.query<Row>(
    "SELECT n, value ->> 'client' AS client FROM calls JOIN phrases ON digest = phrase WHERE session_id = $1 ORDER BY n",
    [session],
  );
  expect(rows.map(({ n }) => n)).toEqual(rows.map((_, i) => i + 1));
  expect(new Set(rows.map(({ client }) => client)).size).toBe(rows.length);
  const stored = new Map(rows.map(({ client, n }) => [client, n]));
  for (const [client, n] of acknowledged) expect(stored.get(client)).toBe(n);
  expect(acknowledged.size).toBeGreaterThan(1_000);
});

test("a queue that is full answers at once instead of growing", async () => {
  line.freeze();
  const waiting = Array.from({ length: 9_000 }, () => sink.open(opening(session)).catch(({ code }) => code));
  const codes = new Set(await Promise.all(waiting));
  expect(codes).toEqual(new Set(["gateway_busy", "recording_unavailable"]));
  line.thaw();
});

test("when the queue is full nothing may go ahead of its opening, and the end of a call that was sent has room all the same", async () => {
  const small = new ReceiptSink({
    connectionString: line.connectionString,
    log: quietLog,
    clock: () => new Date(),
    monotonic: () => performance.now(),
    salts: new Salts(),
    mostWaiting: { receipts: 4, bytes: 1024 * 1024 },
  });
  await small.start();
  const call = await small.open(opening(session));
  expect(small.lastCommitAt()).toBeGreaterThan(0);
  line.freeze();
  const codeOf = ({ code }: { code: string }): string => code;
  // The first ones may be on their way already; of the others four wait.
  const crowd = Array.from({ length: 300 }, () => small.open(opening(session)).catch(codeOf));
  expect(await Promise.race(crowd)).toBe("gateway_busy");
  expect(small.lastCommitAt()).toBe(Number.NEGATIVE_INFINITY);
  const closed = small.close(call, closing()).then(() => "closed", codeOf);
  expect(await Promise.race([closed, Promise.resolve("waits")])).toBe("waits");
  line.thaw();
  expect(["closed", "recording_unavailable"]).toContain(await closed);
  await Promise.all(crowd);
  await small.stop();
});
