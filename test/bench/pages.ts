/**
 * How soon a session of ten thousand calls is seen in a browser: `node test/bench/pages.ts [CALLS] [ROUNDS]`. First: the first lines of
 * the waterfall are drawn; whole: all calls are in it, from the moment the address is opened, signed in, with an empty cache. Live: a call that begins and ends
 * then is a line of it, from the moment its end is durable. The last line is JSON.
 */

import { freshDatabase, startDatabase } from "../standins/database.ts";
import { auditorToken, startWorld } from "../standins/world.ts";
import { findChromium, signInWithToken, startChromium } from "../browser/chromium.ts";
import { openRecorder, openRecording, recordMany } from "../browser/scene.ts";

const calls = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 7);

const chromium = await findChromium();
if (chromium.program === null) {
  console.log(`skipped: ${chromium.why}`);
  process.exit(0);
}
const server = await startDatabase();
const database = await freshDatabase();
const world = await startWorld(() => ({ status: 200, body: "{}" }), { database });
const { store, close } = await openRecorder(database);
const id = await openRecording(store);
await recordMany(store, id, { count: calls, minutes: 12 });
const browser = await startChromium(chromium.program, world.url);

const first: number[] = [];
const whole: number[] = [];
const live: number[] = [];
for (let round = 0; round < rounds; round++) {
  const { page } = await browser.open();
  await signInWithToken(page, auditorToken);
  const started = performance.now();
  await page.goto(`/sessions/${id}`, { waitUntil: "commit" });
  await page.waitForSelector("[role=row] .bar");
  first.push(performance.now() - started);
  await page.waitForSelector(`[role=grid][aria-rowcount='${calls + round + 1}']`);
  whole.push(performance.now() - started);
  await recordMany(store, id, { count: 1, minutes: 0.001 });
  const recorded = performance.now();
  await page.waitForSelector(`[role=grid][aria-rowcount='${calls + round + 2}']`);
  live.push(performance.now() - recorded);
  await page.context().close();
}
await browser.close();
await close();
await world.close();
await server.stop();

const median = (times: readonly number[]): number =>
  Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0);
console.log(
  `first lines ${median(first)} ms, all ${calls} calls ${median(whole)} ms, a new one ${median(live)} ms (medians of ${rounds})`,
);
console.log(
  JSON.stringify({
    calls,
    rounds,
    first_ms: median(first),
    whole_ms: median(whole),
    live_ms: median(live),
    slowest_first_ms: Math.round(Math.max(...first)),
  }),
);
