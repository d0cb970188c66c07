/** Goes on giving for as long as whoever gets it may see it: an export takes as long as its reader takes, and a right may end meanwhile. */

import type { ApiRefusal } from "../../errors.ts";
import type { Reader } from "../history.ts";

/** Who takes something along, by what they showed when they came. */
export type Taking = { readerNow(): Promise<Reader | ApiRefusal> };

export type Allowed = {
  mayStill(): Promise<boolean>;
  /** ms */
  monotonic(): number;
};

/** So many pieces, or so many ms, and it is asked again: signing out, and losing access, end it. */
const mostUnasked = 50;
const askEvery = 5_000;

/** Rejects on the way: half an export must not pass for one. */
export async function* whileAllowed<T>(pieces: AsyncIterable<T>, { mayStill, monotonic }: Allowed): AsyncGenerator<T> {
  let asked = monotonic();
  let unasked = 0;
  for await (const piece of pieces) {
    if (unasked === mostUnasked || monotonic() - asked >= askEvery) {
      if (!(await mayStill())) throw new Error("whoever took it along may not see it any more");
      asked = monotonic();
      unasked = 0;
    }
    unasked += 1;
    yield piece;
  }
}
