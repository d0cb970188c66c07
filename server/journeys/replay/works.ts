/** What this gateway is at: a bounded number of replays, which end before the gateway does. */

import { type ApiRefusal, refuseApi } from "../../errors.ts";

const most = 8;
/** How long the call that is on its way may take when the gateway stops, ms. */
const lastWords = 5_000;

export class Works {
  readonly #running = new Map<Promise<void>, { readonly id: string; readonly controller: AbortController }>();
  #stopping = false;

  /** Null when one more may begin. */
  refusal(): ApiRefusal | null {
    if (this.#stopping) return refuseApi("gateway_busy", "this gateway is stopping; try again");
    return this.#running.size < most
      ? null
      : refuseApi("gateway_busy", `this gateway is at ${most} replays already; try again when one has ended`);
  }

  /** `id` of the replay; `work` never rejects. */
  add(id: string, work: (signal: AbortSignal) => Promise<void>): void {
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
