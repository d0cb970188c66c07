/** Recovers pressed buttons, and check runs whose creation is uncertain, from the list of the App's deliveries: GitHub repeats none by itself. */

import type { Outline } from "../../../model/approval.ts";
import { type Delivery, GitHubFailure, type Heard } from "../../../model/github.ts";
import { isLive } from "../seek.ts";
import type { Poll, PollParts } from "./parts.ts";

/** A delivery may be listed late, and GitHub's clock be another, ms. */
const margin = 2 * 60_000;

export class PressPoll implements Poll {
  readonly #parts: PollParts;
  /** Deliveries that need not be dealt with again. */
  readonly #seen = new Set<Delivery["id"]>();
  /** From where the list is read; null: from before the oldest question. */
  #since: Date | null = null;

  constructor(parts: PollParts) {
    this.#parts = parts;
  }

  async poll(watched: readonly Outline[]): Promise<void> {
    const asked = watched.filter(({ terms }) => terms.via.includes("check"));
    const [oldest] = asked;
    if (oldest === undefined) return this.forget();
    const begun = this.#parts.now();
    const listed = await this.#parts.github.deliveries(this.#since ?? earlier(oldest.asked_at));
    const told = await this.#hearAll(
      listed.filter(({ event, action }) => event === "check_run" && matters(action, asked)),
    );
    if (told) this.#since = earlier(begun);
  }

  forget(): void {
    this.#seen.clear();
    this.#since = null;
  }

  /** In the order in which they were sent: that a check run exists before that it was pressed. */
  async #hearAll(deliveries: readonly Delivery[]): Promise<boolean> {
    let told = true;
    for (const { id } of deliveries.toReversed()) {
      if (this.#seen.has(id)) continue;
      const heard = await this.#read(id);
      if (heard === "later" || (heard !== null && (await this.#parts.hear(heard, "asked")) === "later")) told = false;
      else this.#seen.add(id);
    }
    return told;
  }

  /** One that cannot be read keeps none of those after it; it is read again. */
  async #read(id: Delivery["id"]): Promise<Heard | null | "later"> {
    try {
      return await this.#parts.github.delivery(id);
    } catch (error) {
      if (!(error instanceof GitHubFailure) || error.kind === "limited") throw error;
      this.#parts.log.warn({ err: error }, "a delivery of GitHub's cannot be read yet");
      return "later";
    }
  }
}

const earlier = (at: Date): Date => new Date(at.getTime() - margin);

/** Check runs are created all the time, by others too; they matter while one of ours is missing. */
function matters(action: string | null, asked: readonly Outline[]): boolean {
  if (action === "requested_action") return true;
  return (
    action === "created" && asked.some((one) => isLive(one) && !one.where.some(({ kind }) => kind === "check_run"))
  );
}
