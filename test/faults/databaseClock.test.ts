/** PostgreSQL's clock is set while calls go on; the gateway's stays right. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresWithClock, setDatabaseClock, unsetClocks } from "../standins/databaseClock.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set({}, await postgresWithClock());
  await stage.startGateway();
}, setTime);
afterAll(() => stage?.strike(), setTime);

const step = (minutes: number): Promise<void> => setDatabaseClock(stage.server, minutes);

test("everything that the database does by a clock does it by the one that is set", async () => {
  expect(await unsetClocks(stage.server)).toEqual([]);
  await step(-60);
  const [row] = await stage.server.run<{ off: number }>(
    "SELECT extract(epoch FROM clock_timestamp() - pg_catalog.clock_timestamp())::int4 AS off",
  );
  expect(row?.off).toBe(-3_600);
  await step(0);
});

test("back by an hour, forward by an hour, and right again: sessions go on, new ones are opened, and every call has its one receipt", {
  timeout: 300_000,
}, async () => {
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  for (const minutes of [-60, 60, -60, 0]) {
    await stage.ledger.snapshot();
    await step(minutes);
    await stage.moreReceived(24);
    expect(await stage.untilServed(first)).toBeGreaterThan(0);
    const [fresh] = await stage.openSessions(1);
    if (fresh === undefined) throw new Error("no session");
    expect(await stage.untilServed(fresh)).toBeGreaterThan(0);
  }
  await load.stop();
  expect(new Set(load.sendings.map(({ answer }) => answer?.status))).toEqual(new Set([200]));
  expect(await stage.check()).toEqual(nothingWrong);
});

test.each([
  ["back", -60],
  ["forward", 60],
])(
  "set %s by an hour while the gateway is killed: what it left in flight gets its end all the same",
  async (_way, minutes) => {
    const load = stage.startLoad(await stage.openSessions(2), 4);
    await stage.moreReceived(15);
    await stage.ledger.snapshot();
    await stage.killGateway();
    await step(minutes);
    await load.stop();
    await stage.startGateway();
    expect(await stage.check()).toEqual(nothingWrong);
    await step(0);
  },
  300_000,
);
