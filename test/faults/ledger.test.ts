/** The ledger notices each thing that must never be: otherwise the tests that ask it would show nothing. */

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import type { ReceivedRequest } from "../standins/upstream.ts";
import { bodyOf, closing, opening, openSession } from "../store/specimens.ts";
import { Ledger, nothingWrong, type Wrong } from "./ledger.ts";
import type { Sending } from "./load.ts";

let database: FreshDatabase;
let store: Store;
let ledger: Ledger;
let session: string;

beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await behind("TRUNCATE calls, closings, calls_in_flight");
  ledger = new Ledger(database);
  session = (await openSession(store.sessions)).id;
});

/** What no gateway can do: receipts are append-only. */
const behind = (change: string): Promise<unknown[]> =>
  database.query(`SET session_replication_role = replica; ${change}; RESET session_replication_role`);

const body = "the answer";
const namedOpening = (name: string) => opening(session, { request: { headers: [["X-Name", name]], body: null } });
const named = (name: string): Promise<{ n: number }> =>
  store.sink.record(namedOpening(name), () => closing({ response: { headers: [], body: bodyOf(body) } }));

const answered = (name: string, n: number, changes: Partial<Sending["answer"]> = {}): Sending => ({
  name,
  session_id: session,
  reads: false,
  took: 1,
  answer: {
    status: 200,
    code: null,
    call: `${session}/${n}`,
    sha256: createHash("sha256").update(body).digest("hex"),
    ...changes,
  },
});

const received = (name: string): ReceivedRequest => ({
  method: "POST",
  url: "/",
  rawHeaders: ["X-Name", name],
  body: Buffer.alloc(0),
  size: 0,
  sha256: "",
  gone: new AbortController().signal,
});

test("a call that was sent, recorded and answered is right", async () => {
  await named("one");
  await ledger.snapshot();
  expect(await ledger.check([answered("one", 1)], [received("one")])).toEqual(nothingWrong);
});

const cases: Readonly<Record<keyof Wrong, () => Promise<[Sending[], ReceivedRequest[]]>>> = {
  unforeseen_answers: async () => [[answered("one", 1, { status: 502, code: "upstream_unreachable" })], []],
  effects_without_receipt: async () => [[], [received("never recorded")]],
  answers_without_closing: async () => [[answered("never closed", 9)], []],
  sent_and_denied: async () => {
    await named("one");
    return [[answered("one", 1, { status: 503, code: "recording_unavailable" })], [received("one")]];
  },
  sent_twice: async () => {
    await named("one");
    return [[], [received("one"), received("one")]];
  },
  changed_after_closing: async () => {
    await named("one");
    await ledger.snapshot();
    await behind("UPDATE closings SET status = 201");
    return [[], []];
  },
  gaps: async () => {
    await named("one");
    await named("two");
    await behind("DELETE FROM closings WHERE n = 1; DELETE FROM calls WHERE n = 1");
    return [[], []];
  },
  unended: async () => {
    await store.sink.open(namedOpening("open"));
    return [[], []];
  },
};

test.for(Object.entries(cases))("finds %s", async ([kind, arrange]) => {
  const [sendings, requests] = await arrange();
  const wrong = await ledger.check(sendings, requests);
  expect(Object.entries(wrong).flatMap(([name, found]) => (found.length > 0 ? [name] : []))).toEqual([kind]);
});

test("where the fault may keep the gateway from the upstream, 502 is foreseen, but not of a write that arrived", async () => {
  await named("one");
  const unreachable = answered("one", 1, { status: 502, code: "upstream_unreachable" });
  expect(await ledger.check([unreachable], [], { unreachable: true })).toEqual(nothingWrong);
  expect(await ledger.check([unreachable], [received("one")], { unreachable: true })).toEqual({
    ...nothingWrong,
    sent_and_denied: ["one"],
  });
});

test.each([
  ["another call's", { call: "other" }],
  ["other bytes than were recorded", { sha256: "0" }],
  ["another status", { status: 201 }],
])("finds an answer that is %s", async (_, changes) => {
  await named("one");
  expect((await ledger.check([answered("one", 1, changes)], [])).answers_without_closing).toEqual(["one"]);
});

test("finds a closed receipt that is gone", async () => {
  await named("one");
  await ledger.snapshot();
  await behind("DELETE FROM closings; DELETE FROM calls");
  expect((await ledger.check([], [])).changed_after_closing).toEqual([`${session}/1`]);
});
