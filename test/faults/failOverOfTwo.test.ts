/**
 * The primary is lost while two gateways are on it. A standby knows nothing of the locks by which they tell that the other lives: neither may take
 * the other for gone because it was the first to come back.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { GatewayProcess } from "../standins/gatewayProcess.ts";
import type { Postgres } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

let stage: Stage;
let standby: Postgres;
let other: GatewayProcess;

beforeAll(async () => {
  stage = await Stage.set();
  standby = await stage.addStandby();
  await stage.startGateway();
  other = await stage.startAnother();
}, setTime);
afterAll(() => stage?.strike(), setTime);

test("at both gateways what was acknowledged is on the new primary, nothing is sent twice, and every session verifies", {
  timeout: 300_000,
}, async () => {
  const sessions = await stage.openSessions(4);
  const [first] = sessions as [(typeof sessions)[0]];
  // Two sessions are used at both.
  const loads = [stage.startLoad(sessions.slice(0, 3), 3), stage.startLoad(sessions.slice(1), 3, other)];
  await stage.moreReceived(40);
  await stage.ledger.snapshot();
  const lost = stage.server;
  await lost.kill();
  stage.line.freeze();
  await standby.promote();
  stage.server = standby;
  // By the database's clock both have been gone for long when the first of them comes back.
  await expect
    .poll(() => standby.run("SELECT FROM replicas WHERE seen_at > clock_timestamp() - interval '4 seconds'"), {
      timeout: 60_000,
    })
    .toEqual([]);
  stage.line.lead(standby.connectionString);
  stage.line.lose();
  stage.line.thaw();
  for (const gateway of [undefined, other]) await stage.untilServed(first, gateway);
  await Promise.all(loads.map((load) => load.stop()));
  expect(await stage.check()).toEqual(nothingWrong);
  const { indeterminate = 0, closed = 0 } = await stage.ledger.states();
  console.log(
    `two gateways; the upstream got ${stage.scene.upstream.requests.length} requests; ${closed} closed, ${indeterminate} indeterminate`,
  );
});
