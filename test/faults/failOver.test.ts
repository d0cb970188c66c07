/** The primary is lost under load and its synchronous standby (`remote_apply`) takes over. `npm run soak -- fail-overs` does it more often. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Postgres } from "../standins/postgres.ts";
import { nothingWrong } from "./ledger.ts";
import { Stage } from "./stage.ts";

const failOvers = Number(process.env["DOGWATCH_FAIL_OVERS"] ?? 2);

let stage: Stage;
let standby: Postgres;

beforeAll(async () => {
  stage = await Stage.set();
  standby = await stage.server.addStandby();
  await stage.startGateway();
});
afterAll(async () => {
  await stage?.strike();
  await standby?.stop();
});

test(`${failOvers} fail-overs: what was acknowledged is on the new primary, unchanged, and nothing is sent twice`, {
  timeout: 60_000 + failOvers * 60_000,
}, async () => {
  const recoveries: number[] = [];
  for (let done = 0; done < failOvers; done += 1) {
    const sessions = await stage.openSessions(3);
    const load = stage.startLoad(sessions, 4);
    await stage.moreReceived(15 + ((done * 7) % 40));
    await stage.ledger.snapshot();
    const lost = stage.server;
    // Every other time it is not killed but stopped: it may be alive, and nobody hears of it.
    if (done % 2 === 0) await lost.kill();
    else lost.signal("SIGSTOP");
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
    standby = await stage.server.addStandby();
  }
  const { indeterminate = 0, closed = 0 } = await stage.ledger.states();
  const slowest = Math.max(...recoveries).toFixed(0);
  console.log(
    `${failOvers} fail-overs; the upstream got ${stage.scene.upstream.requests.length} requests; ${closed} closed, ${indeterminate} indeterminate; the slowest write after the promotion passed within ${slowest} ms`,
  );
});
