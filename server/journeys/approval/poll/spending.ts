/** Keeps the questions to GitHub within its hourly limit: who has had many answers that count is asked less often. */

/** Answers in the last ten minutes that make the pause longer by one. */
const step = 60;
const window = 10 * 60_000;

export class Spending {
  readonly #now: () => Date;
  readonly #spent = new Map<string, { at: number; requests: number }[]>();
  readonly #notBefore = new Map<string, number>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Requests that counted: GitHub had something new to say. */
  spend(owner: string, requests: number): void {
    const spent = this.#recent(owner);
    spent.push({ at: this.#now().getTime(), requests });
    this.#spent.set(owner, spent);
  }

  mayAsk(owner: string): boolean {
    return (this.#notBefore.get(owner) ?? 0) <= this.#now().getTime();
  }

  /**
   * @param every ms between two rounds when little happens
   * @param notBefore GitHub's own word
   */
  asked(owner: string, { every, notBefore }: { readonly every: number; readonly notBefore: Date | null }): void {
    const spent = this.#recent(owner).reduce((sum, { requests }) => sum + requests, 0);
    const leftOut = Math.floor(spent / step);
    // The next round comes by itself: a longer pause ends between two.
    const pause = leftOut === 0 ? 0 : (leftOut + 0.25) * every;
    this.#notBefore.set(owner, Math.max(this.#now().getTime() + pause, notBefore?.getTime() ?? 0));
  }

  #recent(owner: string): { at: number; requests: number }[] {
    const since = this.#now().getTime() - window;
    return (this.#spent.get(owner) ?? []).filter(({ at }) => at >= since);
  }
}
