/** Says of what is tried again and again and fails that it does: once, not a thousand times a day; every ten minutes once more; and when it goes well again. */

import type { Log } from "./log.ts";

/** ms */
const sayAgain = 10 * 60_000;
/** Of so many sorts of failures at most each is said at once. */
const mostSorts = 10;

export type TroubleParts = { readonly log: Log; readonly monotonic: () => number };

export class Trouble {
  readonly #parts: TroubleParts;
  readonly #what: string;
  readonly #said = new Map<string, number>();
  #times = 0;

  /** `what` goes wrong, as the log says it. */
  constructor(parts: TroubleParts, what: string) {
    this.#parts = parts;
    this.#what = what;
  }

  failed(error: unknown, fields: object = {}): void {
    const { log, monotonic } = this.#parts;
    this.#times += 1;
    const sort = sortOf(error);
    const now = monotonic();
    const before = this.#said.get(sort);
    if (before === undefined ? this.#said.size >= mostSorts : now - before < sayAgain) return;
    this.#said.set(sort, now);
    log.warn({ err: error, ...fields, times: this.#times }, this.#what);
  }

  worked(): void {
    if (this.#times === 0) return;
    this.#parts.log.info({ times: this.#times }, `no longer: ${this.#what}`);
    this.#times = 0;
    this.#said.clear();
  }
}

const sortOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${sortOf(error.cause)}`;
};
