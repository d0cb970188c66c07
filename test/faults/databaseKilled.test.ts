/** PostgreSQL is killed (-9) again and again under load, whole or one of its backends. `npm run soak -- database-kills` kills more often. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { nothingWrong, setTime, Stage } from "./stage.ts";

const kills = Number(process.env["DOGWATCH_DATABASE_KILLS"] ?? 2);
/** So many kills, and then everything is looked at. */
const lap = 10;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
  await stage.startGateway();
}, setTime);
afterAll(() => stage?.strike(), setTime);

test(`${kills} times kill -9 of PostgreSQL: the gateway goes on by itself, and every call has its one receipt`, {
  timeout: 180_000 + kills * 40_000,
}, async () => {
  const recoveries: number[] = [];
  for (let killed = 0; killed < kills; ) {
    const sessions = await stage.openSessions(3);
    const load = stage.startLoad(sessions, 4);
    await stage.moreReceived(10 + ((killed * 7) % 40));
    await stage.ledger.snapshot();
    // Every fourth time one backend is killed, the sink's, and the postmaster ends and restarts the others.
    if (killed % 4 === 1) await killSink();
    else {
      await stage.server.kill();
      await stage.server.begin();
    }
    killed += 1;
    recoveries.push(await stage.untilServed(sessions[0] as (typeof sessions)[0]));
    await load.stop();
    if (killed % lap !== 0 && killed !== kills) continue;
    expect(await stage.check()).toEqual(nothingWrong);
    console.log(`after ${killed} kills nothing is wrong`);
  }
  const { indeterminate = 0, closed = 0 } = await stage.ledger.states();
  const slowest = Math.max(...recoveries).toFixed(0);
  console.log(
    `${kills} kills; the upstream got ${stage.scene.upstream.requests.length} requests; ${closed} closed, ${indeterminate} indeterminate; the slowest write after the server's return passed within ${slowest} ms`,
  );
});

async function killSink(): Promise<void> {
  // It may be connecting just now; 0 would be this very process and all beside it.
  for (;;) {
    const [sink] = await stage.server.run<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'dogwatch sink'",
    );
    if (sink === undefined) continue;
    stage.server.killBackend(sink.pid);
    return stage.server.untilReady();
  }
}
