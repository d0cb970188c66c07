/** What a killed gateway leaves in flight gets its end from the others, once, and what lives is left alone. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { startChild } from "./child.ts";
import { closing, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
let stores: Store[];

beforeAll(async () => {
  database = await freshDatabase();
  const open = () => openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  stores = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await database.drop();
});

test("calls of a killed gateway end as indeterminate, once, with an audit event each; calls in flight elsewhere go on", async () => {
  const [store, other] = stores as [Store, Store];
  const own = await store.sink.open(opening((await openSession(store.sessions)).id));
  const killed = await startChild(["database", database.connectionString]);
  await killed.end("SIGKILL");
  const session = killed.said.session ?? "";
  // Both look all the time: the house-keeping of two stores, and these.
  await expect
    .poll(
      async () => {
        await Promise.all([store.recover(), other.recover(), store.recover(), other.recover()]);
        const page = await store.receipts.calls(session, { limit: 200 });
        return "items" in page ? page.items.map(({ state }) => state) : page;
      },
      { timeout: 15_000, interval: 200 },
    )
    .toEqual(Array.from({ length: 20 }, () => "indeterminate"));
  expect(await store.receipts.call(session, 1)).toMatchObject({
    error_code: "outcome_unknown",
    error: expect.stringContaining("may have been applied"),
  });
  const events = await database.query("SELECT what FROM audit_events WHERE kind = 'call_indeterminate'");
  expect(events.map(({ what }) => String(what)).toSorted()).toEqual(
    Array.from({ length: 20 }, (_, i) => `call ${session}/${i + 1}`).toSorted(),
  );
  expect((await store.receipts.call(own.session_id, own.n))?.state).toBe("open");
  await store.sink.close(own, closing());
});

test("a frozen gateway's calls are not taken from it while its connection lives", async () => {
  const [store] = stores as [Store];
  const frozen = await startChild(["database", database.connectionString]);
  frozen.process.kill("SIGSTOP");
  await database.query("UPDATE replicas SET seen_at = seen_at - interval '1 hour'");
  expect(await store.recover()).toBe(0);
  frozen.process.kill("SIGCONT");
  await frozen.end("SIGKILL");
});
