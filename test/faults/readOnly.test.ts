/** The database takes no writes for a while: it was set read-only, or the address leads to a standby that nobody has promoted yet. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { nothingWrong, setTime, Stage } from "./stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
  await stage.startGateway();
}, setTime);
afterAll(() => stage?.strike(), setTime);

/** Calls are refused while `fault` lasts, and pass after `end` without a restart of the gateway. */
async function outlast(what: string, fault: { begin(): Promise<void>; end(): Promise<void> }): Promise<void> {
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  await stage.ledger.snapshot();
  await fault.begin();
  await stage.untilRefused(first);
  await fault.end();
  const recovered = await stage.untilServed(first);
  // A session is made by other connections than a receipt: those too are writable again.
  await expect
    .poll(
      () =>
        stage.openSessions(1).then(
          () => true,
          () => false,
        ),
      { timeout: 100_000 },
    )
    .toBe(true);
  await load.stop();
  expect(await stage.check()).toEqual(nothingWrong);
  console.log(`${what}: a write passed ${recovered.toFixed(0)} ms after its end`);
}

test("a database that is set read-only", { timeout: 300_000 }, () =>
  outlast("read-only", {
    begin: () => setReadOnly("on"),
    end: () => setReadOnly("off"),
  }),
);

async function setReadOnly(value: "on" | "off"): Promise<void> {
  await stage.server.run(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await stage.server.run("SELECT pg_reload_conf()");
}

test("an address that leads to a standby before it is promoted", { timeout: 300_000 }, async () => {
  const standby = await stage.addStandby();
  await outlast("a standby", {
    begin: async () => {
      stage.line.cut();
      stage.line.lead(standby.connectionString);
      stage.line.mend();
    },
    end: async () => {
      await stage.server.kill();
      await standby.promote();
      stage.server = standby;
    },
  });
});
