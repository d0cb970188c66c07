/** A sink that says yes and forgets (`noRecord.mjs`). */

import type { CallNumber, Opening } from "../../../server/model/receipt.ts";

class NoSink {
  readonly replica = 1;
  readonly #numbers = new Map<string, number>();

  async open({ session_id }: Opening): Promise<CallNumber> {
    const n = (this.#numbers.get(session_id) ?? 0) + 1;
    this.#numbers.set(session_id, n);
    return { session_id, n };
  }

  async close(): Promise<void> {}

  async record(opening: Opening, closing: (call: CallNumber) => unknown): Promise<CallNumber> {
    const call = await this.open(opening);
    closing(call);
    return call;
  }

  lastCommitAt(): number {
    return performance.now();
  }

  async stop(): Promise<void> {}
}

export const openSink = async (): Promise<NoSink> => new NoSink();
