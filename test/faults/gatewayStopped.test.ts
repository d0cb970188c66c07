/** A gateway is stopped in the middle of calls and takes itself for alive when it goes on, although others have spoken for it. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startGatewayProcess } from "../standins/gatewayProcess.ts";
import { Postgres, withoutFsync } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

let stage: Stage;
let other: GatewayProcess | undefined;

beforeAll(async () => {
  stage = await Stage.set({}, await Postgres.start({ settings: withoutFsync }));
  await stage.startGateway();
}, setTime);
afterAll(async () => {
  // What is stopped would not hear that it is to end.
  stage?.signalGateway("SIGCONT");
  await other?.kill("SIGKILL");
  await stage?.strike();
}, setTime);

test("what another gateway has closed for a stopped one stays as it is, and nothing is sent again", {
  timeout: 300_000,
}, async () => {
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  await stopAmidCalls();
  other = await startGatewayProcess(stage.scene.file);
  await stage.ledger.settle();
  await stage.ledger.snapshot();
  expect((await stage.ledger.states())["indeterminate"]).toBeGreaterThan(0);
  stage.signalGateway("SIGCONT");
  await stage.untilServed(first);
  await load.stop();
  // The upstream may have hung up on it meanwhile: what it then writes to a dead connection was not sent.
  expect(await stage.check({ unreachable: true })).toEqual(nothingWrong);
});

/** Stopped, and cut off from its database, while at least one call was sent and has no end yet. */
async function stopAmidCalls(): Promise<void> {
  for (;;) {
    stage.signalGateway("SIGSTOP");
    await endSink();
    if ((await stage.server.run("SELECT FROM calls_in_flight LIMIT 1")).length > 0) return;
    stage.signalGateway("SIGCONT");
    await stage.moreReceived(3);
  }
}

/** Its connection is lost too, or nobody would speak for it; whatever it had sent by then has been done, or never is. */
async function endSink(): Promise<void> {
  const sinks = "FROM pg_stat_activity WHERE application_name = 'dogwatch sink'";
  await stage.server.run(`SELECT pg_terminate_backend(pid) ${sinks}`);
  while ((await stage.server.run(`SELECT ${sinks}`)).length > 0) await sleep(20);
}
