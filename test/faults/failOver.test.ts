/** The primary is lost under load and its synchronous standby (`remote_apply`) takes over. `npm run soak -- fail-overs` does it more often. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Postgres } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

const failOvers = Number(process.env["DOGWATCH_FAIL_OVERS"] ?? 1);

/** How a primary is lost, in turn. */
const losses: readonly ((primary: Postgres) => Promise<void>)[] = [
  async (primary) => {
    await waitInVain(primary);
    await primary.kill();
    standby.signal("SIGCONT");
  },
  (primary) => primary.kill(),
  // It may be alive, and nobody hears of it.
  async (primary) => primary.signal("SIGSTOP"),
];

/**
 * A commit waits for a standby that says nothing when its connection breaks. The sink ends the backend that waits, which has then committed
 * on the primary alone, and asks what became of it: that must not count as committed.
 */
async function waitInVain(primary: Postgres): Promise<void> {
  standby.signal("SIGSTOP");
  // From here on nothing is sent to it either, so that it cannot have got what it did not confirm.
  await primary.run("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  const before = await waitingSink(primary, 0);
  stage.line.cut();
  stage.line.mend();
  await waitingSink(primary, before);
}

/** Resolves when a sink's backend, not this one, waits for the standby. */
async function waitingSink(primary: Postgres, not: number): Promise<number> {
  for (;;) {
    const [sink] = await primary.run<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'dogwatch sink' AND wait_event = 'SyncRep' AND pid <> ${not}`,
    );
    if (sink !== undefined) return sink.pid;
  }
}

let stage: Stage;
let standby: Postgres;

beforeAll(async () => {
  stage = await Stage.set();
  standby = await stage.addStandby();
  await stage.startGateway();
}, setTime);
afterAll(() => stage?.strike(), setTime);

test(`${failOvers} fail-overs: what was acknowledged is on the new primary, unchanged, and nothing is sent twice`, {
  timeout: 180_000 + failOvers * 120_000,
}, async () => {
  const recoveries: number[] = [];
  for (let done = 0; done < failOvers; done += 1) {
    const sessions = await stage.openSessions(3);
    const load = stage.startLoad(sessions, 4);
    await stage.moreReceived(15 + ((done * 7) % 40));
    await stage.ledger.snapshot();
    const lost = stage.server;
    await losses[done % losses.length]?.(lost);
    stage.line.freeze();
    await standby.promote();
    stage.server = standby;
    stage.line.lead(standby.connectionString);
    stage.line.lose();
    stage.line.thaw();
    recoveries.push(await stage.untilServed(sessions[0] as (typeof sessions)[0]));
    await load.stop();
    expect(await stage.check()).toEqual(nothingWrong);
    await lost.stop();
    standby = await stage.addStandby();
  }
  const { indeterminate = 0, closed = 0 } = await stage.ledger.states();
  const slowest = Math.max(...recoveries).toFixed(0);
  console.log(
    `${failOvers} fail-overs; the upstream got ${stage.scene.upstream.requests.length} requests; ${closed} closed, ${indeterminate} indeterminate; the slowest write after the promotion passed within ${slowest} ms`,
  );
});
