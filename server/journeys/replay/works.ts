/** What this gateway is at: a bounded number of replays, which end before the gateway does. */

import { type ApiRefusal, refuseApi } from "../../errors.ts";

/** Room for one that is about to begin. */
export type Room = {
  /** `id` of the replay; `work` never rejects. */
  fill(id: string, work: (signal: AbortSignal) => Promise<void>): void;
  /** Once it is filled this does nothing. */
  leave(): void;
};

const most = 8;
/** How long the call that is on its way may take when the gateway stops, ms. */
const lastWords = 5_000;

export class Works {
  readonly #running = new Map<Promise<void>, { readonly id: string; readonly controller: AbortController }>();
  #entering = 0;
  #stopping = false;

  /** Taken at once, so that of many that are asked for together no more begin than may. */
  enter(): Room | ApiRefusal {
    if (this.#stopping) return refuseApi("gateway_busy", "this gateway is stopping; try again");
    if (this.#running.size + this.#entering >= most)
      return refuseApi("gateway_busy", `this gateway is at ${most} replays already; try again when one has ended`);
    this.#entering++;
    let isIn = false;
    const leave = (): void => {
      if (!isIn) this.#entering--;
      isIn = true;
    };
    return {
      leave,
      fill: (id, work) => {
        leave();
        this.#add(id, work);
      },
    };
  }

  #add(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const running = work(controller.signal).finally(() => this.#running.delete(running));
    this.#running.set(running, { id, controller });
    if (this.#stopping) controller.abort();
  }

  /** Ends before its next call what this gateway is at of this replay. */
  halt(replay: string): void {
    for (const { id, controller } of this.#running.values()) if (id === replay) controller.abort();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { controller } of this.#running.values()) controller.abort();
    const late = new Promise<void>((resolve) => setTimeout(resolve, lastWords).unref());
    await Promise.race([Promise.all(this.#running.keys()), late]);
  }
}
