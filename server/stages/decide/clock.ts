/** What the clocks of a time zone show at an instant: for `now.weekday("Europe/Berlin")` and its like. */

import { type Weekday, weekdays } from "../../model/config.ts";

export type LocalTime = {
  readonly weekday: Weekday;
  /** `2026-12-20` */
  readonly date: string;
  /** `17:05` */
  readonly time: string;
  readonly hour: bigint;
};

export type Clock = (now: Date, zone: string) => LocalTime;

/** Zones are literals of the policy (flaws.ts sees to it), so what is kept here cannot grow with what callers send. */
export const createClock = (): Clock => {
  const formats = new Map<string, Intl.DateTimeFormat>();
  const known = new WeakMap<Date, Map<string, LocalTime>>();
  return (now, zone) => {
    const here = known.get(now) ?? new Map<string, LocalTime>();
    known.set(now, here);
    const found = here.get(zone) ?? read(formatOf(formats, zone), now);
    here.set(zone, found);
    return found;
  };
};

const formatOf = (formats: Map<string, Intl.DateTimeFormat>, zone: string): Intl.DateTimeFormat => {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone });
  formats.set(zone, format);
  return format;
};

const parts = {
  calendar: "gregory",
  numberingSystem: "latn",
  weekday: "short",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
} as const;

const read = (format: Intl.DateTimeFormat, now: Date): LocalTime => {
  const shown = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => shown.get(type) ?? "";
  const weekday = weekdays.find((day) => day === part("weekday").toLowerCase());
  if (weekday === undefined) throw new TypeError(`${part("weekday")} is no day of the week`);
  return {
    weekday,
    date: `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}`,
    hour: BigInt(part("hour")),
  };
};

export const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
};
