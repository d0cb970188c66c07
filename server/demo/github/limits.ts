/** Rate limits: the hourly one that every answer speaks of, and the secondary one that comes without notice. */

export type Limits = {
  /** Requests an hour for each App installation, user or job; default 5000. Those answered 304 do not count. */
  set(perHour: number): void;
  /** How many are left for an installation, by its id. */
  left(installation: number): number;
  /** The next requests are refused with `retry-after`, whatever is left. */
  secondary(refusal: { readonly retry_after: number; readonly status?: 403 | 429; readonly times?: number }): void;
};
