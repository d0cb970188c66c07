/** Phrases: what receipts share is stored once a week, and every receipt reads back exactly as it was. */

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HeaderList } from "../../server/model/receipt.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { closingPhrase, joinFields, phraseClosing, phraseOpening, weekOf } from "../../server/store/phrases.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, closing, opening, openSession, sessionOfOld } from "./specimens.ts";

let database: FreshDatabase;
let store: Store;
beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const countPhrases = async (session_id: string): Promise<number> => {
  const [row] = await database.query<{ count: string }>("SELECT count(*) FROM phrases WHERE week = $1", [
    weekOf(session_id),
  ]);
  return Number(row?.count);
};

const dated = (n: number): HeaderList => [
  ["Content-Type", "application/json"],
  ["Date", `Mon, 04 May 2026 03:02:0${n} GMT`],
  ["set-cookie", `a=${n}`],
  ["X-RateLimit-Remaining", String(n)],
  ["x-null", ""],
  ["set-cookie", `b=${n}`],
];

test("calls that differ in the date and the like share their phrases, and each has its own values in their places", async () => {
  const id = await sessionOfOld(database, 30);
  for (let n = 0; n < 5; n++)
    await store.sink.record(opening(id, { request: { headers: dated(n), body: bodyOf(`request ${n}`) } }), () =>
      closing({ response: { headers: dated(n + 1), body: bodyOf(`response ${n}`) } }),
    );
  expect(await countPhrases(id)).toBe(2);
  const page = await store.receipts.calls(id, { limit: 10 });
  expect("items" in page && page.items.map(({ request, response }) => [request.headers, response?.headers])).toEqual(
    [0, 1, 2, 3, 4].map((n) => [dated(n), dated(n + 1)]),
  );
});

test("another week has its own phrases, and they go with its receipts", async () => {
  const [one, other] = [await sessionOfOld(database, 50), await sessionOfOld(database, 60)];
  for (const id of [one, other]) await store.sink.record(opening(id), () => closing());
  expect([await countPhrases(one), await countPhrases(other)]).toEqual([2, 2]);
  await database.query("SELECT drop_receipts($1)", [weekOf(one)]);
  expect([await countPhrases(one), await countPhrases(other)]).toEqual([0, 2]);
  expect(await store.receipts.call(other, 1)).toMatchObject({
    client: opening(other).client,
    upstream: closing().upstream,
  });
});

test("two decisions, clients, kinds of bodies or upstreams are never one phrase", async () => {
  const { id } = await openSession(store.sessions);
  const plain = opening(id);
  const openings = [
    plain,
    opening(id, { client: null }),
    opening(id, { decision: { ...plain.decision, reason: "another" } }),
    opening(id, { request: { headers: [["accept", "application/json"]], body: null } }),
    opening(id, { request: { ...plain.request, body: bodyOf("{}") } }),
    opening(id, { request: { ...plain.request, body: { ...bodyOf("{}"), truncated: true } } }),
  ];
  const closings = [
    closing(),
    closing({ upstream: null }),
    closing({ response: null }),
    closing({ request_body: bodyOf("{}") }),
    closing({ response_decision: plain.decision }),
  ];
  const digests = [
    ...openings.map((each) => phraseOpening(id, each).phrase.digest.toString("hex")),
    ...closings.map((each) => phraseClosing(id, each).phrase.digest.toString("hex")),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("whatever the header fields, they come back in their order with their values", () => {
  const name = fc.oneof(fc.constantFrom("date", "DATE", "etag", "Set-Cookie", "accept"), fc.string());
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: "binary" }))), (headers) => {
      const { phrase, own_values } = phraseClosing(
        "01900000-0000-7000-8000-000000000000",
        closing({ response: { headers, body: null } }),
      );
      const { headers: common } = closingPhrase.parse(JSON.parse(phrase.text));
      expect(common === null ? null : joinFields(common, own_values)).toEqual(headers);
    }),
  );
});

test("phrases can be neither changed nor deleted", async () => {
  for (const statement of ["DELETE FROM phrases", "TRUNCATE phrases", "UPDATE phrases SET week = week"])
    await expect(database.query(statement)).rejects.toThrow(/append-only/);
});
