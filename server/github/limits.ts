/** GitHub's rate limits: read off an answer, and kept to until they are over. */

import { GitHubFailure } from "../model/github.ts";
import type { Answer } from "./send.ts";

/** GitHub asks for a minute where it names no time. */
const unnamed = 60_000;

/**
 * When to ask again; null when the answer is not about a limit.
 *
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
export const limitIn = ({ status, headers, data }: Answer, now: Date): Date | null => {
  const after = (ms: number): Date => new Date(now.getTime() + ms);
  // Too many comments in a row are a validation error.
  if (status === 422) return JSON.stringify(data).includes("submitted too quickly") ? after(unnamed) : null;
  if (status !== 403 && status !== 429) return null;
  const retryAfter = seconds(headers["retry-after"]);
  if (retryAfter !== null) return after(retryAfter * 1_000);
  const reset = seconds(headers["x-ratelimit-reset"]);
  // A second more: the reset is told in whole ones.
  if (headers["x-ratelimit-remaining"] === "0" && reset !== null)
    return new Date(Math.max((reset + 1) * 1_000, now.getTime() + 1_000));
  if (status === 429 || /\b(secondary rate|abuse detection)\b/i.test(JSON.stringify(data))) return after(unnamed);
  return null;
};

const seconds = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,12}$/.test(header) ? Number(header) : null;

/** Whose limits are over, and until when: asking on would only lengthen them. */
export class Limits {
  readonly #until = new Map<string, Date>();
  readonly #clock: () => Date;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** @throws GitHubFailure `limited`, without asking GitHub */
  check(whose: string, doing: string): void {
    const until = this.#until.get(whose);
    if (until === undefined) return;
    if (until <= this.#clock()) this.#until.delete(whose);
    else throw limited(doing, until);
  }

  /** @throws GitHubFailure `limited` when the answer says so */
  heed(whose: string, { answer, doing }: { readonly answer: Answer; readonly doing: string }): void {
    const until = limitIn(answer, this.#clock());
    if (until === null) return;
    this.#until.set(whose, until);
    throw limited(doing, until);
  }
}

const limited = (doing: string, until: Date): GitHubFailure =>
  new GitHubFailure("limited", `GitHub's rate limit is reached: ${doing} waits until ${until.toISOString()}`, until);
