/** Numbers and times in searches: `>=400`, `4xx`, `100ms..2s`, `7d`. */

import { quote } from "../../model/quote.ts";

/** Both ends belong to it; null: no end. */
export type Bounds = { readonly from: number | null; readonly to: number | null };

/** @throws RangeError */
export const readStatus = (written: string): Bounds => {
  const [, hundred] = /^([1-5])xx$/i.exec(written) ?? [];
  if (hundred !== undefined) return { from: Number(hundred) * 100, to: Number(hundred) * 100 + 99 };
  return readBounds(written, {
    number: (text) => (/^\d{3}$/.test(text) ? Number(text) : null),
    alone: (status) => ({ from: status, to: status }),
    expected: "404, 4xx, >=400 or 400..499",
  });
};

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const milliseconds = (text: string): number | null => {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
  return number === undefined ? null : Number(number) * units[(unit ?? "ms") as keyof typeof units];
};

/** @throws RangeError */
export const readDuration = (written: string): Bounds =>
  readBounds(written, { number: milliseconds, alone: () => null, expected: ">1s, <=250ms or 100ms..2s" });

/** Nothing was recorded before 1970, and databases know no year 0 and read none of five digits. */
const lastTime = Date.parse("9999-12-31T00:00:00Z");
const within = (time: number): number => Math.min(lastTime, Math.max(0, time));

/** ms since 1970. @throws RangeError */
export const readTime = (written: string, now: Date): number => {
  const [, number, unit] = /^(\d{1,6})([smhdw])$/.exec(written) ?? [];
  if (number !== undefined) return within(now.getTime() - Number(number) * units[unit as keyof typeof units]);
  const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i.test(written)
    ? Date.parse(written)
    : Number.NaN;
  if (Number.isNaN(time)) throw expects(written, "2026-05-04, 2026-05-04T03:02:01Z, or how long ago: 90m, 12h, 7d");
  return within(time);
};

type Form = {
  readonly number: (text: string) => number | null;
  /** What a number without a sign means. */
  readonly alone: (number: number) => Bounds | null;
  readonly expected: string;
};

/** The smallest step: statuses and ms are whole in what is compared. */
const step = 1;

const readBounds = (written: string, { number, alone, expected }: Form): Bounds => {
  const [, sign, low = "", high] = /^(>=|<=|>|<)?(.*?)(?:\.\.(.*))?$/s.exec(written) ?? [];
  const from = number(low);
  const to = high === undefined ? null : number(high);
  if (from === null || (high !== undefined && (to === null || sign !== undefined))) throw expects(written, expected);
  if (to !== null && to < from) throw new RangeError(`${quote(written)} ends before it begins`);
  const bounds = to !== null ? { from, to } : sign === undefined ? alone(from) : signed(sign, from);
  if (bounds === null) throw expects(written, expected);
  return bounds;
};

const signed = (sign: string, number: number): Bounds => {
  switch (sign) {
    case ">":
      return { from: number + step, to: null };
    case ">=":
      return { from: number, to: null };
    case "<":
      return { from: null, to: number - step };
    default:
      return { from: null, to: number };
  }
};

const expects = (written: string, expected: string): RangeError =>
  new RangeError(`${quote(written)} is not understood here; it is written like ${expected}`);
