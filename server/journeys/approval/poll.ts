/** Asks GitHub for what no delivery told: while questions are open, one gateway looks for answers, pressed buttons, and runs that are over. */

import type { Outline } from "../../model/approval.ts";
import { GitHubFailure } from "../../model/github.ts";
import { holdLease } from "./lease.ts";
import { CommentPoll } from "./poll/comments.ts";
import { type Poll, pollEvery, type PollParts } from "./poll/parts.ts";
import { PressPoll } from "./poll/presses.ts";
import { RunPoll } from "./poll/runs.ts";
import { within } from "./within.ts";

/** Of the lease. */
const name = "poll";
/** Whoever polls goes on polling; when it is gone, another gateway begins after so long, ms. */
const leaseFor = 15_000;
const endWithin = 5_000;

export class Polling {
  readonly #parts: PollParts;
  readonly #polls: readonly Poll[];
  #round: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: PollParts) {
    this.#parts = parts;
    this.#polls = [new CommentPoll(parts), new PressPoll(parts), new RunPoll(parts)];
  }

  /** Looks at everything that is open at once, then again and again. */
  start(): void {
    this.#timer ??= setInterval(() => this.#begin(), pollEvery);
    this.#begin();
  }

  /** Another gateway may go on at once. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await within(endWithin, this.#round);
    const { store, holder } = this.#parts;
    await store.lease(name, holder, 0).catch(() => false);
  }

  #begin(): void {
    this.#round ??= this.#poll()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "looking for answers waits for the database"))
      .finally(() => {
        this.#round = null;
      });
  }

  async #poll(): Promise<void> {
    const { store, holder } = this.#parts;
    const held = await holdLease({ store, name, holder, ms: leaseFor }, async () => {
      const watched = await store.watched();
      await Promise.all(this.#polls.map((poll) => this.#pollOne(poll, watched)));
      return leaseFor;
    });
    if (!held) for (const poll of this.#polls) poll.forget();
  }

  async #pollOne(poll: Poll, watched: readonly Outline[]): Promise<void> {
    if (watched.length === 0) return poll.forget();
    try {
      await poll.poll(watched);
    } catch (error) {
      if (!(error instanceof GitHubFailure)) throw error;
      this.#parts.log.warn({ err: error }, "GitHub could not be asked for answers");
    }
  }
}
