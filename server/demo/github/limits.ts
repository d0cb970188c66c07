/**
 * Rate limits: the hourly one that every answer speaks of, and the secondary one that comes without notice.
 *
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */

export type SecondaryLimit = { readonly retry_after: number; readonly status: 403 | 429 };

type Window = { used: number; readonly resets: number };

const hour = 3_600_000;

export class Limits {
  readonly #clock: () => Date;
  readonly #windows = new Map<string, Window>();
  #perHour = 5_000;
  #secondary: (SecondaryLimit & { times: number }) | null = null;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** Requests an hour for each installation, user, job or App. Those answered 304 do not count. */
  set(perHour: number): void {
    this.#perHour = perHour;
  }

  /** How many are left for an installation, by its id. */
  left(installation: number): number {
    return this.#perHour - this.#window(`installation ${installation}`).used;
  }

  /** The next requests are refused with `retry-after` (seconds), whatever is left. */
  secondary({
    retry_after,
    status = 403,
    times = 1,
  }: {
    readonly retry_after: number;
    readonly status?: 403 | 429;
    readonly times?: number;
  }): void {
    this.#secondary = { retry_after, status, times };
  }

  takeSecondary(): SecondaryLimit | null {
    const limit = this.#secondary;
    if (limit === null || limit.times <= 0) return null;
    limit.times -= 1;
    return limit;
  }

  isExhausted(who: string): boolean {
    return this.#window(who).used >= this.#perHour;
  }

  count(who: string): void {
    this.#window(who).used += 1;
  }

  headers(who: string): Record<string, string> {
    const { used, resets } = this.#window(who);
    return {
      "x-ratelimit-limit": String(this.#perHour),
      "x-ratelimit-remaining": String(Math.max(0, this.#perHour - used)),
      "x-ratelimit-used": String(used),
      "x-ratelimit-reset": String(Math.ceil(resets / 1_000)),
      "x-ratelimit-resource": "core",
    };
  }

  #window(who: string): Window {
    const now = this.#clock().getTime();
    const known = this.#windows.get(who);
    if (known !== undefined && known.resets > now) return known;
    const opened = { used: 0, resets: now + hour };
    this.#windows.set(who, opened);
    return opened;
  }
}
