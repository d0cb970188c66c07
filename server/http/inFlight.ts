/** The calls that have begun and not ended. */

import { within } from "./stop.ts";

export class InFlight {
  readonly #calls = new Set<Promise<void>>();
  #stopping = false;

  /** From now on no call is to be begun. */
  stop(): void {
    this.#stopping = true;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** `call` never rejects. */
  add(call: Promise<void>): Promise<void> {
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
  }

  /** Resolves when none is left, or after that long. */
  async ended(milliseconds: number): Promise<void> {
    await within(milliseconds, Promise.all(this.#calls));
  }
}
