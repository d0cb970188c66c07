/** The pages in a real browser: ten thousand calls, live, played back, from the keyboard, in light and dark and on a phone. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../standins/database.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";
import {
  drawn,
  expectAccessible,
  findChromium,
  signInWithToken,
  startChromium,
  type TestBrowser,
  type Viewing,
  type Watched,
} from "./chromium.ts";
import { openRecorder, openRecording, type Recorded, recordMany } from "./scene.ts";

const chromium = await findChromium();
const many = 10_000;

if (chromium.program === null) test("the pages in a browser", (context) => context.skip(chromium.why));

describe.skipIf(chromium.program === null)("in Chromium", () => {
  let world: World;
  let database: FreshDatabase;
  let recorded: Recorded;
  let browser: TestBrowser;
  let long: string;

  beforeAll(async () => {
    database = await freshDatabase();
    world = await startWorld(() => ({ status: 200, body: "{}" }), { database });
    recorded = await openRecorder(database);
    long = await openRecording(recorded.store);
    await recordMany(recorded.store, long, { count: many, minutes: 12 });
    await recorded.store.sessions.close(long, "closed");
    browser = await startChromium(chromium.program ?? "", world.url);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await recorded.close();
    await world.close();
  });

  const auditor = async (viewing: Viewing = {}): Promise<Watched> => {
    const watched = await browser.open(viewing);
    await signInWithToken(watched.page, auditorToken);
    return watched;
  };

  test("a session of ten thousand calls", async () => {
    const { page, complaints } = await auditor();
    await page.goto(`/sessions/${long}`);
    await drawn(page);
    await page.waitForSelector("[role=grid][aria-rowcount='10001']");
    await page.screenshot({ path: "/tmp/shots/session.png" });
    await page.keyboard.press("n");
    await page.waitForSelector(".inspector .call");
    await page.screenshot({ path: "/tmp/shots/session-two.png" });
    expect(complaints).toEqual([]);
    await expectAccessible(page);
    await page.goto(`/sessions`);
    await drawn(page);
    await page.screenshot({ path: "/tmp/shots/sessions.png" });
    await expectAccessible(page);
    await page.goto(`/sessions/${long}/calls/13`);
    await drawn(page);
    await page.screenshot({ path: "/tmp/shots/call.png" });
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 120_000);
});
