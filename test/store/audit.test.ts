/** The audit log waits for its database, keeps its order, and says what it had to leave out. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";

let database: FreshDatabase;
let line: DatabaseLine;
let store: Store;
beforeAll(async () => {
  database = await freshDatabase();
  line = await DatabaseLine.to(database.connectionString);
  store = await openStore({ connectionString: line.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await line.close();
  await database.drop();
});

const refused = (what: string) =>
  ({ kind: "token_refused", who: "somebody", what, reason: "signature_invalid" }) as const;
const written = async (): Promise<string[]> =>
  (await database.query<{ what: string }>("SELECT what FROM audit_events ORDER BY id")).map(({ what }) => what);

test("events are listed newest first, page by page, as they were told", async () => {
  for (const what of ["one", "two", "three"]) store.audit.append(refused(what));
  await expect.poll(written).toEqual(["one", "two", "three"]);
  const first = await store.audit.list({ limit: 2 });
  if (!("items" in first)) throw new Error(first.message);
  expect(first.items.map(({ what }) => what)).toEqual(["three", "two"]);
  const second = await store.audit.list({ limit: 2, cursor: first.next_cursor ?? undefined });
  expect(second).toMatchObject({ items: [{ what: "one", reason: "signature_invalid" }], next_cursor: null });
});

test("a flood while the database is away is bounded, counted, and written once when it is back", async () => {
  line.cut();
  for (let i = 0; i < 5_000; i++) store.audit.append(refused(`flood ${i} \0 ${"x".repeat(10_000)}`));
  line.mend();
  await expect
    .poll(() => database.query("SELECT reason FROM audit_events WHERE kind = 'events_dropped'"))
    .toEqual([{ reason: "4000 events came faster than they could be written" }]);
  expect(await written()).toHaveLength(3 + 1_000 + 1);
});
