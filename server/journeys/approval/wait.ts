/** Waits until an approval is not pending any more: woken by whichever gateway changed it, never longer than asked. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Approval } from "../../model/approval.ts";
import type { ApprovalStore } from "./parts.ts";

/** Somebody may hear nothing (a lost notification, an expiry that nobody swept yet): asked again at least this often, ms. */
const askAgain = 5_000;

export type WaitBounds = {
  readonly ms: number;
  /** Whoever waits went away, or the gateway stops. */
  readonly signal: AbortSignal;
};

export class Waiting {
  readonly #store: Pick<ApprovalStore, "get" | "onChanged">;
  readonly #waiters = new Map<string, Set<() => void>>();
  /** One question to the database for all who wait for the same. */
  readonly #reads = new Map<string, Promise<Approval | null>>();
  readonly #stop: () => void;

  constructor(store: Pick<ApprovalStore, "get" | "onChanged">) {
    this.#store = store;
    this.#stop = store.onChanged((id) => this.#wake(id));
  }

  /** As it is when it is decided, or when the time is over. Null when there is none. Rejects when the database does not answer. */
  async until(id: string, { ms, signal }: WaitBounds): Promise<Approval | null> {
    const end = performance.now() + ms;
    for (;;) {
      // Listened to before it is read, so that no change falls between.
      const change = this.#change(id);
      try {
        const approval = await this.#read(id);
        const left = Math.min(end - performance.now(), askAgain);
        if (approval?.state !== "pending" || left <= 0 || signal.aborted) return approval;
        await Promise.race([change.happened, pause(left, signal)]);
      } finally {
        change.forget();
      }
    }
  }

  /** How many wait. */
  get size(): number {
    return [...this.#waiters.values()].reduce((sum, waiters) => sum + waiters.size, 0);
  }

  stop(): void {
    this.#stop();
    this.#wake(null);
  }

  #change(id: string): { readonly happened: Promise<void>; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(resolve));
    const forget = (): void => {
      waiters.delete(resolve);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    };
    return { happened: promise, forget };
  }

  #wake(id: string | null): void {
    // What is being read may be what was there before.
    if (id === null) this.#reads.clear();
    else this.#reads.delete(id);
    for (const [waited, waiters] of this.#waiters) if (id === null || waited === id) for (const wake of waiters) wake();
  }

  #read(id: string): Promise<Approval | null> {
    const reading = this.#reads.get(id);
    if (reading !== undefined) return reading;
    const read = this.#store.get(id).finally(() => {
      if (this.#reads.get(id) === read) this.#reads.delete(id);
    });
    this.#reads.set(id, read);
    return read;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
