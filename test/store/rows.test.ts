/** Questions to a database that is gone, silent, or asked by too many: each has an answer in time, and none is needed to mend it. */

import { type DatabasePool, sql } from "slonik";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { SharedPool } from "../../server/store/pool.ts";
import { isUnreadable, openRows, type Questions, type Rows } from "../../server/store/rows.ts";
import { type FreshDatabase, freshDatabase } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";

let database: FreshDatabase;
let line: DatabaseLine;
let rows: Rows;

beforeAll(async () => {
  database = await freshDatabase();
  line = await DatabaseLine.to(database.connectionString);
  rows = await openRows(line.connectionString);
});
afterAll(async () => {
  line.thaw();
  await rows.close();
  await line.close();
  await database.drop();
});

const answer = z.object({ one: z.number() });
const ask = (): Promise<number> => rows.ask((db) => db.oneFirst(sql.type(answer)`SELECT 1 AS one`));

/** Every connection of the pool is in use, so every one of them is there afterwards: their processes. */
const fill = (): Promise<number[]> => Promise.all(Array.from({ length: 8 }, () => rows.ask(pid)));
const pid = (db: Questions): Promise<number> =>
  db.oneFirst(sql.type(z.object({ pid: z.number() }))`SELECT pg_backend_pid() AS pid FROM pg_sleep(0.2)`);

test("when every connection died without a word, one question is told so and the next is answered on a new one", async () => {
  await fill();
  line.lose();
  await expect(ask()).rejects.toMatchObject({ code: "recording_unavailable" });
  expect(await ask()).toBe(1);
});

test("a crowd that asks in a partition is told so, and afterwards nothing hangs in the pool", async () => {
  await fill();
  line.freeze();
  const crowd = await Promise.allSettled(Array.from({ length: 100 }, ask));
  for (const result of crowd)
    expect(result).toMatchObject({ status: "rejected", reason: { code: "recording_unavailable" } });
  line.lose();
  line.thaw();
  expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array.from({ length: 20 }, () => 1));
});

test("a question that is slow alone does not cost the others their connections", async () => {
  const before = await fill();
  const slow = rows.ask((db) => db.any(sql.type(z.object({}))`SELECT pg_sleep(30)`)).catch(({ code }) => code);
  expect(await ask()).toBe(1);
  expect(await slow).toBe("recording_unavailable");
  expect(before).toContain(await rows.ask(pid));
});

test("more questions than may be under way are refused at once, and have their turn when others are answered", async () => {
  const pool = {} as DatabasePool;
  const shared = new SharedPool(() => Promise.resolve(pool), pool, 2);
  const { promise, resolve } = Promise.withResolvers<string>();
  const two = [shared.run(() => promise), shared.run(() => promise)];
  const refused = await shared.run(() => promise).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "gateway_busy" });
  // Nothing is said of what is stored: neither an export nor a seal may take it for altered.
  expect(isUnreadable(refused)).toBe(false);
  resolve("answered");
  expect(await Promise.all(two)).toEqual(["answered", "answered"]);
  expect(await shared.run(() => Promise.resolve("next"))).toBe("next");
});
