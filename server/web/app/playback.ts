/** The clock of a playback: a session goes by at its own pace, and what is only waiting is cut short. */

/** Longer gaps between two calls last this long, ms. */
export const longestGap = 2_000;

/** When each call comes in the playback, ms from its beginning; `received`: in order, ms. */
export function scheduleOf(received: readonly number[]): readonly number[] {
  let at = 0;
  return received.map((time, index) => {
    const gap = index === 0 ? 0 : Math.max(0, time - (received[index - 1] ?? time));
    at += Math.min(gap, longestGap);
    return at;
  });
}

/** The last call that has come by then; -1 before the first. */
export function callAt(schedule: readonly number[], time: number): number {
  let low = 0;
  let high = schedule.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((schedule[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The next one after `from` for which `is` holds, around the end; -1 when there is none. */
export function nextWhere<T>(items: readonly T[], from: number, is: (item: T) => boolean): number {
  for (let step = 1; step <= items.length; step++) {
    const index = (from + step) % items.length;
    const item = items[index];
    if (item !== undefined && is(item)) return index;
  }
  return -1;
}
