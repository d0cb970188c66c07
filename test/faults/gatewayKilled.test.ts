/** The gateway is killed (-9) again and again under load. `npm run soak -- gateway-kills` kills more often. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Postgres, withoutFsync } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

const kills = Number(process.env["DOGWATCH_GATEWAY_KILLS"] ?? 3);
/** So many kills, and then everything is looked at. */
const lap = 10;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set({}, await Postgres.start({ settings: withoutFsync }));
}, setTime);
afterAll(() => stage?.strike(), setTime);

test(`${kills} times kill -9 of the gateway: nothing without its receipt, nothing twice, nothing changed, nothing open`, {
  timeout: 180_000 + kills * 40_000,
}, async () => {
  for (let killed = 0; killed < kills; ) {
    await stage.startGateway();
    const load = stage.startLoad(await stage.openSessions(3), 4);
    await stage.moreReceived(10 + ((killed * 7) % 40));
    await stage.ledger.snapshot();
    await stage.killGateway();
    killed += 1;
    await load.stop();
    if (killed % lap !== 0 && killed !== kills) continue;
    await stage.startGateway();
    expect(await stage.check()).toEqual(nothingWrong);
    await stage.killGateway();
    console.log(`after ${killed} kills nothing is wrong`);
  }
  const { indeterminate = 0, closed = 0 } = await stage.ledger.states();
  // Otherwise no kill struck a call on its way, and the test has shown nothing.
  expect(indeterminate).toBeGreaterThan(0);
  console.log(
    `${kills} kills; the upstream got ${stage.scene.upstream.requests.length} requests; ${closed} closed, ${indeterminate} indeterminate`,
  );
});
