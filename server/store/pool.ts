/** The connections that questions share: how many may ask is bounded, and connections that fell silent are given up together. */

import type { DatabasePool } from "slonik";
import { GatewayError } from "../errors.ts";

/** A question is given up after this long, ms: the server may be frozen and never refuse. */
export const patience = 5_000;
/** Questions under way, those that wait for a connection included: beyond it callers are told `gateway_busy` at once. */
const mostAsking = 1_000;

export class SharedPool {
  readonly #create: () => Promise<DatabasePool>;
  readonly #most: number;
  #pool: Promise<DatabasePool> | null;
  #asking = 0;
  /** Questions that were answered: a database that is slow with one of them goes on answering the others. */
  #answers = 0;

  /** `first` is a pool that `create` made. */
  constructor(create: () => Promise<DatabasePool>, first: DatabasePool, most = mostAsking) {
    this.#create = create;
    this.#most = most;
    this.#pool = Promise.resolve(first);
  }

  /** @throws GatewayError `gateway_busy`, or an Error after `patience` */
  async run<T>(question: (pool: DatabasePool) => Promise<T>): Promise<T> {
    if (this.#asking >= this.#most) throw new GatewayError("gateway_busy", "too many questions wait for the database");
    const pool = this.#current();
    const before = this.#answers;
    const answer = this.#count(pool.then(question));
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      // A partition leaves connections that look alive and never answer again: none of them is used another time.
      if (this.#answers === before && this.#pool === pool) this.#retire(pool);
      reject(new Error(`no answer in ${patience} ms`));
    }, patience);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    const pool = this.#pool;
    this.#pool = Promise.reject(new Error("the gateway is stopping"));
    this.#pool.catch(() => undefined);
    await (await pool?.catch(() => null))?.end();
  }

  #current(): Promise<DatabasePool> {
    if (this.#pool !== null) return this.#pool;
    const made = this.#create();
    made.catch(() => {
      if (this.#pool === made) this.#pool = null;
    });
    this.#pool = made;
    return made;
  }

  /** Ending it fails whatever still hangs in it, so that nothing is under way for ever. */
  #retire(pool: Promise<DatabasePool>): void {
    this.#pool = null;
    pool.then((silent) => silent.end()).catch(() => undefined);
  }

  async #count<T>(answer: Promise<T>): Promise<T> {
    this.#asking += 1;
    try {
      const value = await answer;
      this.#answers += 1;
      return value;
    } finally {
      this.#asking -= 1;
    }
  }
}
