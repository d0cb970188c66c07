/** Times as Datadog writes and reads them. */

import { z } from "zod";

/** `2025-11-21T18:03:26.123000+00:00`, as Datadog writes times: microseconds and an offset. */
export const stamp = (at: Date): string => at.toISOString().replace("Z", "000+00:00");

/** Seconds since 1970, up to the year 9999: what JavaScript can hold as a date. */
export const epoch = z.number().min(0).max(253_402_300_799);

/** Whole seconds since 1970. */
export const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/** `now`, `now-15m`, RFC 3339 or milliseconds since 1970; undefined for anything else. */
export const readTime = (text: string, now: Date): Date | undefined => {
  const relative = /^now(?:-(\d{1,6})([smhdw]))?$/.exec(text);
  if (relative !== null) {
    const [, amount = "0", unit = "s"] = relative;
    const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit] ?? 1;
    return validDate(now.getTime() - Number(amount) * seconds * 1000);
  }
  return validDate(/^\d{10,14}$/.test(text) ? Number(text) : text);
};

const validDate = (from: number | string): Date | undefined => {
  const at = new Date(from);
  return Number.isNaN(at.getTime()) ? undefined : at;
};
