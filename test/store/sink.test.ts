/** The sink: numbers without gaps, exactly one closing, and nobody pays for another's mistake. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallNumber } from "../../server/model/receipt.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, closing, opening, openSession, readAll } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;
let other: Store;

const open = (): Promise<Store> =>
  openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });

beforeAll(async () => {
  database = await freshDatabase();
  [store, other] = await Promise.all([open(), open()]);
});

afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await database.drop();
});

const numbers = (calls: readonly CallNumber[]): number[] => calls.map(({ n }) => n).toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe("numbers", () => {
  test("calls of a session are numbered from 1 in the order in which they came", async () => {
    const { id } = await openSession(store.sessions);
    const calls = await Promise.all(upTo(20).map(() => store.sink.open(opening(id))));
    expect(calls.map(({ n }) => n)).toEqual(upTo(20));
    expect((await store.sessions.get(id))?.calls).toBe(20);
  });

  test("two gateways that write to the same sessions at once leave no gap and no double", async () => {
    const sessions = await Promise.all(upTo(5).map(() => openSession(store.sessions)));
    const written = sessions.map(({ id }) => ({ id, calls: [] as Promise<CallNumber>[] }));
    for (let i = 0; i < 100; i++)
      for (const { id, calls } of i % 2 ? written : written.toReversed()) {
        calls.push(
          store.sink.record(opening(id), () => closing()),
          other.sink.open(opening(id)),
        );
        if (i % 10 === 0) await calls.at(-1);
      }
    for (const { id, calls } of written) {
      expect(numbers(await Promise.all(calls))).toEqual(upTo(200));
      expect((await store.sessions.get(id))?.calls).toBe(200);
    }
  });

  test("a closing may mention its call's number, and a closing that cannot be drawn up leaves no gap", async () => {
    const { id } = await openSession(store.sessions);
    const broken = (): never => {
      throw new Error("cannot be drawn up");
    };
    const results = await Promise.allSettled([
      store.sink.record(opening(id), ({ n }) => closing({ error: `call ${n}` })),
      store.sink.record(opening(id), broken),
      store.sink.record(opening(id), ({ n }) => closing({ error: `call ${n}` })),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const page = await store.receipts.calls(id, { limit: 10 });
    expect("items" in page && page.items.map(({ n, error }) => [n, error])).toEqual([
      [1, "call 1"],
      [2, "call 2"],
    ]);
  });
});

describe("exactly one closing", () => {
  test("a second closing is refused, in the same batch and in a later one, and the first stays", async () => {
    const { id } = await openSession(store.sessions);
    const call = await store.sink.open(opening(id));
    const [first, second] = await Promise.allSettled([
      store.sink.close(call, closing({ status: 200 })),
      store.sink.close(call, closing({ status: 500 })),
    ]);
    expect([first?.status, second?.status]).toEqual(["fulfilled", "rejected"]);
    await expect(store.sink.close(call, closing({ status: 501 }))).rejects.toMatchObject({
      code: "recording_unavailable",
    });
    expect((await store.receipts.call(id, call.n))?.status).toBe(200);
  });

  test("a call that was never opened cannot be closed", async () => {
    const { id } = await openSession(store.sessions);
    await expect(store.sink.close({ session_id: id, n: 1 }, closing())).rejects.toMatchObject({
      code: "recording_unavailable",
    });
  });

  test("two gateways that close the same call at once: one of them does", async () => {
    const { id } = await openSession(store.sessions);
    const call = await store.sink.open(opening(id));
    const results = await Promise.allSettled([
      store.sink.close(call, closing({ status: 200 })),
      other.sink.close(call, closing({ status: 500 })),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("a call in flight is closed although its session has ended", async () => {
    const { id } = await openSession(store.sessions);
    const call = await store.sink.open(opening(id));
    await store.sessions.close(id, "closed");
    await store.sink.close(call, closing());
    expect((await store.receipts.call(id, call.n))?.state).toBe("closed");
  });

  test.each(["calls", "closings", "audit_events"])("rows of %s can be neither changed nor deleted", async (table) => {
    await expect(database.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only/);
    await expect(database.query(`TRUNCATE ${table}`)).rejects.toThrow(/append-only/);
    const column = table === "audit_events" ? "who" : "session_id";
    await expect(database.query(`UPDATE ${table} SET ${column} = ${column}`)).rejects.toThrow(/append-only/);
  });
});

describe("one job's trouble is its own", () => {
  test("an ended session's calls are refused and the others of the batch are written", async () => {
    const [ended, alive] = await Promise.all([openSession(store.sessions), openSession(store.sessions)]);
    await store.sessions.close(ended.id, "expired");
    const results = await Promise.allSettled([
      store.sink.open(opening(ended.id)),
      store.sink.open(opening(alive.id)),
      store.sink.record(opening(ended.id), () => closing()),
      store.sink.open(opening("00000000-0000-7000-8000-000000000000")),
      store.sink.open(opening(alive.id)),
    ]);
    expect(results.map((result) => (result.status === "fulfilled" ? result.value.n : result.reason.code))).toEqual([
      "session_closed",
      1,
      "session_closed",
      "session_closed",
      2,
    ]);
    expect((await store.sessions.get(ended.id))?.calls).toBe(0);
  });

  test("a row that the database refuses is turned away alone", async () => {
    const { id } = await openSession(store.sessions);
    const impossible = closing({ state: "open" as "closed" });
    const results = await Promise.allSettled([
      store.sink.record(opening(id), () => closing()),
      store.sink.record(opening(id), () => impossible),
      store.sink.record(opening(id), () => closing()),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await store.sessions.get(id))?.calls).toBe(2);
  });

  test("NUL and broken surrogates in texts are no reason to lose a receipt", async () => {
    const { id } = await openSession(store.sessions);
    const headers = [["x", "a\0b\uD800"]] as const;
    await store.sink.open(opening(id, { client: "a\0b\uD800", request: { headers, body: null } }));
    const call = await store.receipts.call(id, 1);
    expect(call?.client).toBe("a\uFFFDb\uFFFD");
    expect(call?.request.headers).toEqual(headers);
  });
});

describe("what is read back is what was written", () => {
  test("a call with both bodies, every field", async () => {
    const { id } = await openSession(store.sessions);
    const binary = Buffer.from([0, 255, 1, 254]);
    const sent = opening(id, {
      request: {
        headers: [
          ["A", "1"],
          ["a", "2"],
        ],
        body: bodyOf(binary),
      },
    });
    const done = closing({ response: { headers: [["b", "3"]], body: bodyOf("x".repeat(5_000)) } });
    await store.sink.record(sent, () => done);
    const { request, ...rest } = sent;
    const { request_body: _, response, ...end } = done;
    expect(await store.receipts.call(id, 1)).toEqual({
      n: 1,
      response_decision: null,
      approval_id: null,
      ...rest,
      ...end,
      request: { headers: request.headers, body: stored(request.body) },
      response: { headers: response?.headers, body: stored(response?.body ?? null) },
    });
    const [one, two] = await Promise.all([
      store.receipts.body(id, 1, "request"),
      store.receipts.body(id, 1, "response"),
    ]);
    expect(one && (await readAll(one.stream))).toEqual(binary);
    expect(two && (await readAll(two.stream)).toString()).toBe("x".repeat(5_000));
  });

  test("a request body that arrived after the opening is the call's request body", async () => {
    const { id } = await openSession(store.sessions);
    const call = await store.sink.open(opening(id));
    await store.sink.close(call, closing({ request_body: bodyOf("late") }));
    const body = await store.receipts.body(id, 1, "request");
    expect(body && (await readAll(body.stream)).toString()).toBe("late");
  });

  test("the same body is stored once, however often and by whomever it is sent", async () => {
    const { id } = await openSession(store.sessions);
    const body = bodyOf(`{"only":"${"once ".repeat(300)}"}`);
    const message = { headers: [], body };
    await Promise.all(
      upTo(50).map((i) =>
        (i % 2 ? store : other).sink.record(opening(id, { request: message }), () => closing({ response: message })),
      ),
    );
    const rows = await database.query("SELECT coding, length(bytes) AS size FROM bodies WHERE sha256 = $1", [
      body.sha256,
    ]);
    expect(rows).toMatchObject([{ coding: "zstd" }]);
  });

  test("the session counts its denials and what masks replaced", async () => {
    const { id } = await openSession(store.sessions);
    const denied = { ...opening(id).decision, effect: "deny" as const };
    await store.sink.record(opening(id, { decision: denied }), () =>
      closing({ state: "refused", error_code: "denied" }),
    );
    await store.sink.record(opening(id, { masked_values: 2 }), () => closing({ masked_values: 3 }));
    await store.sink.record(opening(id), () => closing({ state: "refused", error_code: "response_blocked" }));
    expect(await store.sessions.get(id)).toMatchObject({ calls: 3, denied: 2, masked: 5, approved: 0 });
  });

  const stored = (body: ReturnType<typeof bodyOf> | null) => {
    if (body === null) return null;
    const { bytes: _, spill: __, ...meta } = body;
    return { ...meta, digest: expect.any(Buffer), expired: false, id: expect.stringMatching(/^\d+\.[0-9a-f]{64}$/) };
  };
});

test("an idle sink proves itself", async () => {
  const before = store.sink.lastCommitAt();
  await expect.poll(() => store.sink.lastCommitAt()).toBeGreaterThan(before);
});
