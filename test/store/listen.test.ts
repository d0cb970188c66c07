/** A gateway that could not hear for a while is told afterwards what it missed, however the connection was lost. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { listenToAll, type Listener } from "../../server/store/listen.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { openSession } from "./specimens.ts";

/** As it looks where the database's clock is an hour ahead of all gateways'. */
const clock = (): Date => new Date(Date.now() - 3_600_000);

let database: FreshDatabase;
let store: Store;
let line: DatabaseLine;
let listener: Listener;
const heard: string[] = [];
/** Attempts to hear again that failed. */
let attempts = 0;

beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock });
  line = await DatabaseLine.to(database.connectionString);
  const log = { ...quietLog, warn: () => (attempts += 1) };
  listener = await listenToAll({ connectionString: line.connectionString, log, clock });
  listener.onEnded((id) => heard.push(id));
});
afterAll(async () => {
  listener.close();
  await line.close();
  await store.close();
  await database.drop();
});

const faults: readonly (readonly [what: string, begin: () => void, end: () => void])[] = [
  ["cut off", () => line.cut(), () => line.mend()],
  ["half lost, so that nobody is told, and new connections pass", () => line.lose(), () => undefined],
];

test.for(faults)("a listener that was %s, hears of the session that ended meanwhile", async ([, begin, end]) => {
  const { id } = await openSession(store.sessions);
  begin();
  await store.sessions.close(id, "closed");
  end();
  await expect.poll(() => heard, { timeout: 60_000 }).toContain(id);
});

test("a listener whose database is away looks for it again and again, not only when its next sign of life is due", async () => {
  attempts = 0;
  line.cut();
  const began = performance.now();
  await expect.poll(() => attempts, { timeout: 60_000 }).toBeGreaterThanOrEqual(4);
  // Four attempts a sign of life apart would be twenty seconds: ten times what they take, and still less than that.
  expect(performance.now() - began).toBeLessThan(15_000);
  line.mend();
});
