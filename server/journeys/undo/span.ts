/** What begins and ends by the clock: Datadog takes no beginning that is over, and what has ended is not made again. */

import type { Kind } from "../../datadog/inverse.ts";
import { type Content, valueAt, without } from "./document.ts";

export function hasEnded({ span }: Kind, content: Content, now: Date): boolean {
  const end = span === undefined ? null : timeAt(content, span.end, span.unit);
  return end !== null && end <= now.getTime();
}

/** Without a beginning that is over: then it begins at once. */
export function beginning({ span }: Kind, content: Content, now: Date): Content {
  const start = span === undefined ? null : timeAt(content, span.start, span.unit);
  return span === undefined || start === null || start > now.getTime() ? content : without(content, [span.start]);
}

/** Milliseconds. */
function timeAt(content: Content, place: string, unit: "iso" | "seconds"): number | null {
  const value = valueAt(content, place.split("."));
  switch (unit) {
    case "seconds":
      return typeof value === "bigint" ? Number(value) * 1000 : null;
    case "iso": {
      const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
      return Number.isNaN(time) ? null : time;
    }
    default:
      return unit satisfies never;
  }
}
