/** Waits for an end, but not for ever. */

import { setTimeout as sleep } from "node:timers/promises";

export async function within(ms: number, end: Promise<unknown> | null): Promise<void> {
  const late = new AbortController();
  await Promise.race([end, sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
}
