/**
 * The gateway's clock is set while calls go on. It is stepped inside its process (test/standins/steppedClock.mjs), because the machine's own
 * clock is everybody's; PostgreSQL's clock stays right.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Postgres, withoutFsync } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

const minutes = 60_000;
const preload = pathToFileURL(join(import.meta.dirname, "../standins/steppedClock.mjs")).href;

let stage: Stage;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-clock-"));
  stage = await Stage.set({}, await Postgres.start({ settings: withoutFsync }));
  await stage.startGateway({ NODE_OPTIONS: `--import=${preload}`, DOGWATCH_CLOCK: join(folder, "offset") });
}, setTime);
afterAll(async () => {
  await stage?.strike();
  rmSync(folder, { recursive: true, force: true });
}, setTime);

async function step(offset: number): Promise<void> {
  const { gateway } = stage;
  if (gateway === null) throw new Error("no gateway");
  const said = `the clock is off by ${offset} ms\n`;
  const times = gateway.output().split(said).length;
  writeFileSync(join(folder, "offset"), String(offset));
  process.kill(gateway.pid, "SIGUSR2");
  await expect.poll(() => gateway.output().split(said).length).toBe(times + 1);
}

test("back by an hour, forward by ten minutes, by an hour, and right again: calls pass or are refused with 401, and every one has its one receipt", {
  timeout: 300_000,
}, async () => {
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  for (const offset of [-60 * minutes, 10 * minutes]) {
    await stage.ledger.snapshot();
    await step(offset);
    await stage.moreReceived(24);
    expect(await stage.untilServed(first)).toBeGreaterThan(0);
  }
  // Tokens of an issuer whose clock is right come from the future, or are over: they are refused, whichever it is.
  await step(-60 * minutes);
  await expect(stage.openSessions(1)).rejects.toThrow(/"code":"token_early"/);
  await step(60 * minutes);
  await expect(stage.openSessions(1)).rejects.toThrow(/"code":"token_expired"/);
  const { answer } = await load.call(first);
  expect(`${answer?.status} ${answer?.code}`).toMatch(/^401 (token_expired|session_closed)$/);
  await load.stop();
  const before = stage.scene.upstream.requests.length;
  for (let i = 0; i < 8; i += 1) expect((await load.call(first)).answer?.status).toBe(401);
  expect(stage.scene.upstream.requests.length).toBe(before);

  await step(0);
  const [again] = await stage.openSessions(1);
  if (again === undefined) throw new Error("no session");
  await stage.untilServed(again);
  expect(await stage.check()).toEqual(nothingWrong);
});
