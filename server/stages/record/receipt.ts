/** One call's receipt: opened before it is forwarded, closed before its answer is released, both at once for a small read. */

import type { CallNumber, Closing, Masked, Opening } from "../../model/receipt.ts";

/** What a receipt needs of the store's sink; both promises settle when the commit is durable, or reject with `GatewayError`. */
export interface ReceiptSink {
  open(opening: Masked<Opening>): Promise<CallNumber>;
  close(call: CallNumber, closing: Masked<Closing>): Promise<void>;
  record(opening: Masked<Opening>, closing: (call: CallNumber) => Masked<Closing>): Promise<CallNumber>;
  /** Monotonic milliseconds of the last good commit. */
  lastCommitAt(): number;
}

/** A read may be forwarded on the strength of a commit this recent, before its own opening is durable. */
const freshFor = 1_000;

export const isFresh = (sink: ReceiptSink, monotonicNow: number): boolean =>
  monotonicNow - sink.lastCommitAt() < freshFor;

export class Receipt {
  readonly #sink: ReceiptSink;
  readonly #opening: Masked<Opening>;
  #opened: Promise<CallNumber> | null = null;
  #number: CallNumber | null = null;
  #ended = false;

  constructor(sink: ReceiptSink, opening: Masked<Opening>) {
    this.#sink = sink;
    this.#opening = opening;
  }

  /** Null until the opening is durable. */
  get number(): CallNumber | null {
    return this.#number;
  }

  /** Its closing was handed to the sink, which sees to it that the call ends one way or another. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the opening is durable. */
  async open(): Promise<CallNumber> {
    this.#opened ??= this.#sink.open(this.#opening);
    this.#number = await this.#opened;
    return this.#number;
  }

  /** Resolves when the closing is durable, with the opening in the same commit if there was none yet. */
  async close(closing: (call: CallNumber) => Masked<Closing>): Promise<CallNumber> {
    if (this.#opened === null) {
      this.#ended = true;
      this.#opened = this.#sink.record(this.#opening, closing);
      this.#number = await this.#opened;
      return this.#number;
    }
    const call = await this.open();
    const masked = closing(call);
    this.#ended = true;
    await this.#sink.close(call, masked);
    return call;
  }
}
