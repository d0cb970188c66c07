/** Ends the port so that calls in flight end first, within a bound: what does not end by itself is broken off, and still recorded. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";

export type Ending = {
  /** How long calls may go on, ms. */
  readonly patience: number;
  /** Makes the calls that are left end: what they wait for is taken away. */
  breakOff(): Promise<void>;
};

/** Long enough to record a call that was broken off and to tell its caller, ms. */
const lastWords = 3_000;
const lookEvery = 50;

export async function stopServing(app: FastifyInstance, { patience, breakOff }: Ending): Promise<void> {
  // A connection that is kept alive becomes idle when its answer ends, and would hold up the end for as long as it is kept.
  const idle = setInterval(() => app.server.closeIdleConnections(), lookEvery);
  const stopped = app.close();
  if (!(await within(patience, stopped))) {
    await breakOff();
    if (!(await within(lastWords, stopped))) app.server.closeAllConnections();
  }
  await stopped;
  clearInterval(idle);
}

/** Whether it came to its end in time. */
export async function within(milliseconds: number, end: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  const waited = sleep(milliseconds, false, { signal: late.signal }).catch(() => false);
  const ended = await Promise.race([end.then(() => true), waited]);
  late.abort();
  return ended;
}
