/** Waits for people: one question to the gateway per approval, however many clients wait for it, and one of them may use it. */

import { follow, type Settle, settleAll, type Waiter, type WaitParts, type Watch } from "./follow.ts";
import { outcomeOf, over, tooLate, type Verdict } from "./verdict.ts";

export type Waits = {
  /** Until when a call that is held now may wait. */
  deadline(): number;
  wait(id: string, waiter: Waiter): Promise<Verdict>;
  /** Ends every wait, and every later one at once: the job is over. */
  end(): void;
};

export const createWaits = (parts: WaitParts): Waits => {
  const { clock, timeout, tell } = parts;
  const watches = new Map<string, Watch>();
  let ended = false;

  const begin = (id: string): Watch => {
    const watch: Watch = { id, since: clock.now(), waiting: new Map(), stop: new AbortController(), question: null };
    watches.set(id, watch);
    void follow(parts, watch);
    return watch;
  };
  /** The last one who leaves ends the watch. */
  const forget = (watch: Watch, how: string) => {
    if (watch.waiting.size > 0 || watches.get(watch.id) !== watch) return;
    watches.delete(watch.id);
    watch.stop.abort();
    tell.over(watch.id, how);
  };
  const join = (watch: Watch, waiter: Waiter): Promise<Verdict> =>
    new Promise((resolve) => {
      const settle: Settle = (verdict) => {
        if (!watch.waiting.delete(settle)) return;
        callOff();
        waiter.gone.removeEventListener("abort", leave);
        resolve(verdict.kind === "refused" ? { ...verdict, about: watch.question } : verdict);
        forget(watch, outcomeOf(verdict));
      };
      const leave = () => settle({ kind: "left" });
      const callOff = clock.after(Math.max(0, waiter.until - clock.now()), () => settle(tooLate(timeout)));
      waiter.gone.addEventListener("abort", leave);
      watch.waiting.set(settle, waiter);
    });

  return {
    deadline: () => clock.now() + timeout,
    async wait(id, waiter) {
      if (ended) return over;
      if (waiter.gone.aborted) return { kind: "left" };
      return join(watches.get(id) ?? begin(id), waiter);
    },
    end() {
      ended = true;
      for (const watch of watches.values()) settleAll(watch, over);
    },
  };
};
