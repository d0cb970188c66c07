/** The database is slow, hangs, is cut off, or half of every connection is gone: waits are bounded, nothing piles up, service returns by itself. `npm run soak -- lines` has them all. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sending } from "./load.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

/** Nobody waits longer than the store's own patience with a large body (5 s for each of its pieces); ten times that is a hang. */
const hang = 50_000;
const calls = 50;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
  await stage.startGateway();
}, setTime);
afterAll(() => stage?.strike(), setTime);

/** A line that is frozen or cut for a while is in test/journeys/outage.test.ts too, so that the suite can do without it here. */
const all = process.env["DOGWATCH_ALL_LINES"] !== undefined;

const faults = {
  "answers after 2 s": { begin: () => stage.line.delay(2_000), end: () => stage.line.delay(0) },
  "hangs, all of its processes stopped": {
    begin: () => stage.server.signal("SIGSTOP"),
    end: () => stage.server.signal("SIGCONT"),
  },
  ...(all && {
    "is behind a line that passes nothing": { begin: () => stage.line.freeze(), end: () => stage.line.thaw() },
    "is behind a line that was cut": { begin: () => stage.line.cut(), end: () => stage.line.mend() },
  }),
  "is behind a partition after which every connection of before is dead": {
    begin: () => stage.line.freeze(),
    end: () => {
      stage.line.lose();
      stage.line.thaw();
    },
  },
  "loses every connection without a word, and takes new ones": { begin: () => stage.line.lose(), end: () => undefined },
} as const;

test.for(Object.entries(faults))("a database that %s", { timeout: 300_000 }, async ([what, { begin, end }]) => {
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  await stage.ledger.snapshot();
  const before = stage.gateway?.memory().now ?? 0;
  begin();
  // As many as come, whether or not those before them have an answer.
  const crowd = await Promise.all(Array.from({ length: calls }, () => load.call(first)));
  const during = stage.gateway?.memory().now ?? 0;
  end();
  const recovered = await stage.untilServed(first);
  await load.stop();
  expect(await stage.check()).toEqual(nothingWrong);
  expect(Math.max(...crowd.map(({ took }) => took ?? 0))).toBeLessThan(hang);
  await expect.poll(() => stage.inFlight(), { timeout: hang }).toBe(0);
  console.log(
    `a database that ${what}: ${tally(crowd)}; the longest wait ${Math.max(...crowd.map(({ took }) => took ?? 0)).toFixed(0)} ms; ${((during - before) / 1024 / 1024).toFixed(0)} MiB more memory; a write passed ${recovered.toFixed(0)} ms after its return`,
  );
});

function said({ answer }: Sending): string {
  // In the middle of an answer, or of a request.
  if (answer === null) return "broken off";
  return `${answer.status} ${answer.code ?? ""}`.trim();
}

function tally(sendings: readonly Sending[]): string {
  const groups = Map.groupBy(sendings, said);
  return [...groups].map(([word, { length }]) => `${length} × ${word}`).join(", ");
}
