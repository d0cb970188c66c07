/** Which leaves of the log an export shows, and whether the times that their seals say fit their places in it. */

import type { SealLine } from "../proofLines.ts";
import { span } from "./report.ts";

/** A seal comes seconds after the end; one that came so much later, ms, vouches for nothing before it. */
export const mostLate = 60 * 60_000;

/** A time at which the log had no more leaves than this. */
type Known = { readonly size: number; readonly at: number };

/** Takes only seals whose place in the log was proven. */
export class Places {
  readonly #seals = new Map<number, SealLine>();

  add(index: number, seal: SealLine): void {
    this.#seals.set(index, seal);
  }

  /** Leaves among the first `size` that are of no session in the file, as `3`, `5 to 7`. */
  *uncovered(size: number): Generator<string> {
    for (let at = 0; at < size; at++) {
      if (this.#seals.has(at)) continue;
      const from = at;
      while (at + 1 < size && !this.#seals.has(at + 1)) at += 1;
      yield span(from, at);
    }
  }

  /**
   * Seals that say they are older than what the log held before them, and when that was: they were put there later, with a time
   * made up. `known`: from what the verifier has.
   */
  *backdated(known: readonly Known[]): Generator<{ readonly seal: SealLine; readonly before: Date }> {
    const marks = known.toSorted((one, other) => one.size - other.size).values();
    let mark = marks.next();
    let newest = Number.NEGATIVE_INFINITY;
    for (const [index, seal] of [...this.#seals].toSorted(([one], [other]) => one - other)) {
      for (; mark.done !== true && mark.value.size <= index; mark = marks.next())
        newest = Math.max(newest, mark.value.at);
      const at = seal.sealed_at.getTime();
      if (newest - at > mostLate) yield { seal, before: new Date(newest) };
      newest = Math.max(newest, at);
    }
  }
}
