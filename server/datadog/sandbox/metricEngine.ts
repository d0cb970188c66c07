/** What a metric query means: `AGGREGATOR:METRIC{TAG,…} by {KEY,…}.rollup(…)` over the points that were submitted. */

import type { Point } from "./documents.ts";
import type { Organization } from "./organization.ts";

export const aggregators = ["avg", "sum", "min", "max", "count"] as const;
export type Aggregator = (typeof aggregators)[number];

export type Query = {
  readonly aggregator: Aggregator;
  readonly metric: string;
  readonly scope: readonly string[];
  readonly by: readonly string[];
  /** How the points of one series become one value an interval; null: as the metric's type has it. */
  readonly overTime: Aggregator | null;
  /** Seconds; null: chosen from the length of the window. */
  readonly rollup: number | null;
  readonly text: string;
};

type Window = { readonly from: number; readonly to: number; readonly interval: number };

type Series = { readonly group: readonly string[]; readonly points: readonly (readonly [at: number, value: number])[] };

const pattern =
  /^(?:(avg|sum|min|max|count):)?([A-Za-z][\w.]*)\{([^{}]*)\}(?:\s*by\s*\{([^{}]*)\})?(\.as_count\(\))?(?:\.rollup\(\s*(avg|sum|min|max|count)\s*(?:,\s*([1-9]\d{0,6}))?\s*\))?$/;

export const parseQuery = (text: string): Query | undefined => {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const [, aggregator = "avg", metric = "", scope = "", by = "", asCount, method, rollup] = match;
  const list = (items: string): string[] =>
    items
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "" && item !== "*");
  return {
    aggregator: aggregator as Aggregator,
    metric,
    scope: list(scope),
    by: list(by),
    overTime: (method as Aggregator | undefined) ?? (asCount === undefined ? null : "sum"),
    rollup: rollup === undefined ? null : Number(rollup),
    text,
  };
};

export const notUnderstood = (text: string): string =>
  `Error parsing query: the sandbox understands AGGREGATOR:METRIC{TAG,…} by {KEY,…} and .rollup(), not: ${text}`;

/** Seconds. As Datadog does: about 300 points at most, on round intervals. */
export const intervalFor = (seconds: number): number =>
  [20, 60, 300, 600, 1800, 3600, 7200, 14_400].find((interval) => seconds / interval <= 300) ?? 86_400;

export const aggregate = (aggregator: Aggregator, values: readonly number[]): number => {
  switch (aggregator) {
    case "avg":
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    case "sum":
      return values.reduce((sum, value) => sum + value, 0);
    case "min":
      return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    case "max":
      return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    case "count":
      return values.length;
    default:
      return aggregator satisfies never;
  }
};

export const groupOf = (point: Point, by: readonly string[]): readonly string[] =>
  by.map((key) => point.tags.find((tag) => tag.startsWith(`${key}:`)) ?? `${key}:N/A`);

export const matchingPoints = (
  org: Organization,
  query: Query,
  { from, to }: { from: number; to: number },
): readonly Point[] =>
  org.points.items.filter(
    ({ metric, tags, at }) =>
      metric === query.metric &&
      at.getTime() >= from &&
      at.getTime() <= to &&
      query.scope.every((tag) => (tag.startsWith("!") ? !tags.includes(tag.slice(1)) : tags.includes(tag))),
  );

export const evaluate = (org: Organization, query: Query, window: Window): readonly Series[] => {
  const step = window.interval * 1000;
  const groups = Map.groupBy(matchingPoints(org, query, window), (point) => groupOf(point, query.by).join(","));
  return [...groups.values()].map((points) => {
    const buckets = Map.groupBy(points, ({ at }) => Math.floor(at.getTime() / step) * step);
    return {
      group: points[0] === undefined ? [] : groupOf(points[0], query.by),
      points: [...buckets]
        .toSorted(([a], [b]) => a - b)
        .map(([at, inside]) => [at, combine(org, query, inside)] as const),
    };
  });
};

/** First over time, each series by itself, then over the series. Counts and distributions have no series to respect. */
const combine = (org: Organization, { metric, aggregator, overTime }: Query, points: readonly Point[]): number => {
  const valuesOf = (some: readonly Point[]): readonly number[] => some.map(({ value }) => value);
  const type = org.metadata.get(metric)?.type;
  const additive = type === "count" || type === "distribution" || aggregator === "count";
  if (overTime === null && additive) return aggregate(aggregator, valuesOf(points));
  const method = overTime ?? (aggregator === "sum" ? "avg" : aggregator);
  const series = [...Map.groupBy(points, ({ tags }) => tags.join(",")).values()];
  return aggregate(
    aggregator,
    series.map((each) => aggregate(method, valuesOf(each))),
  );
};
