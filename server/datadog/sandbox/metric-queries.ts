/** Queries of submitted metrics: `AGGREGATOR:METRIC{TAG,…} by {KEY,…}`, through v1 and v2. Arithmetic is not known here. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { Point } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, get, post, type Route } from "./route.ts";

const aggregators = ["avg", "sum", "min", "max", "count"] as const;
type Aggregator = (typeof aggregators)[number];

type Query = {
  readonly aggregator: Aggregator;
  readonly metric: string;
  readonly scope: readonly string[];
  readonly by: readonly string[];
  /** Seconds; null: chosen from the length of the window. */
  readonly rollup: number | null;
  readonly text: string;
};

type Window = { readonly from: number; readonly to: number; readonly interval: number };

type Series = { readonly group: readonly string[]; readonly points: readonly (readonly [at: number, value: number])[] };

const pattern =
  /^(?:(avg|sum|min|max|count):)?([A-Za-z][\w.]*)\{([^{}]*)\}(?:\s*by\s*\{([^{}]*)\})?(?:\.as_(?:count|rate)\(\))?(?:\.rollup\(\s*(avg|sum|min|max|count)\s*(?:,\s*(\d{1,7}))?\s*\))?$/;

const formula = z.object({
  data: z.object({
    type: z.string(),
    attributes: loose({
      /** Milliseconds since 1970. */
      from: z.number().int(),
      to: z.number().int(),
      interval: z.number().int().positive().nullish(),
      formulas: z.array(loose({ formula: z.string() })).optional(),
      queries: z
        .array(
          loose({
            data_source: z.string(),
            name: z.string().optional(),
            query: z.string().optional(),
            aggregator: z.string().optional(),
          }),
        )
        .min(1),
    }),
  }),
});

type Formula = z.infer<typeof formula>["data"]["attributes"];

export const metricQueryRoutes = (org: Organization): readonly Route[] => [
  get("/api/v1/query", (asked) => queryOld(org, asked)),
  post("/api/v2/query/timeseries", (asked) =>
    accept(asked, formula, ({ data }) => answerFormula(data.attributes, (queries) => timeseries(org, queries))),
  ),
  post("/api/v2/query/scalar", (asked) =>
    accept(asked, formula, ({ data }) => answerFormula(data.attributes, (queries) => scalar(org, queries))),
  ),
];

const parse = (text: string): Query | undefined => {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const [, aggregator = "avg", metric = "", scope = "", by = "", , rollup] = match;
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
    rollup: rollup === undefined ? null : Number(rollup),
    text,
  };
};

const notUnderstood = (text: string): string =>
  `Error parsing query: the sandbox understands AGGREGATOR:METRIC{TAG,…} by {KEY,…} and .rollup(), not: ${text}`;

/** As Datadog does: about 300 points at most, on round intervals. */
const intervalFor = (seconds: number): number =>
  [20, 60, 300, 600, 1800, 3600, 7200, 14_400].find((interval) => seconds / interval <= 300) ?? 86_400;

const aggregate = (aggregator: Aggregator, values: readonly number[]): number => {
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

const groupOf = (point: Point, by: readonly string[]): readonly string[] =>
  by.map((key) => point.tags.find((tag) => tag.startsWith(`${key}:`)) ?? `${key}:N/A`);

const matching = (org: Organization, query: Query, { from, to }: { from: number; to: number }): readonly Point[] =>
  org.points.items.filter(
    ({ metric, tags, at }) =>
      metric === query.metric &&
      at.getTime() >= from &&
      at.getTime() <= to &&
      query.scope.every((tag) => (tag.startsWith("!") ? !tags.includes(tag.slice(1)) : tags.includes(tag))),
  );

const evaluate = (org: Organization, query: Query, window: Window): readonly Series[] => {
  const step = window.interval * 1000;
  const groups = Map.groupBy(matching(org, query, window), (point) => groupOf(point, query.by).join(","));
  return [...groups.values()].map((points) => {
    const buckets = Map.groupBy(points, ({ at }) => Math.floor(at.getTime() / step) * step);
    return {
      group: points[0] === undefined ? [] : groupOf(points[0], query.by),
      points: [...buckets]
        .toSorted(([a], [b]) => a - b)
        .map(
          ([at, inside]) =>
            [
              at,
              aggregate(
                query.aggregator,
                inside.map(({ value }) => value),
              ),
            ] as const,
        ),
    };
  });
};

const queryOld = (org: Organization, asked: Asked): Answer => {
  const from = Number(asked.query.get("from") ?? Number.NaN);
  const to = Number(asked.query.get("to") ?? Number.NaN);
  const text = asked.query.get("query") ?? "";
  if (!(from < to)) return refused(400, "The parameters 'from' and 'to' are required, in seconds, in this order");
  const query = parse(text);
  if (query === undefined) return refused(400, notUnderstood(text));

  const window = { from: from * 1000, to: to * 1000, interval: query.rollup ?? intervalFor(to - from) };
  const series = evaluate(org, query, window).map(({ group, points }, index) => ({
    metric: query.metric,
    display_name: query.metric,
    expression: `${query.aggregator}:${query.metric}{${[...query.scope, ...group].join(",") || "*"}}`,
    scope: [...query.scope, ...group].join(",") || "*",
    tag_set: group,
    aggr: query.aggregator,
    attributes: {},
    interval: window.interval,
    query_index: index,
    start: points[0]?.[0] ?? window.from,
    end: (points.at(-1)?.[0] ?? window.to) + window.interval * 1000 - 1,
    length: points.length,
    unit: null,
    pointlist: points,
  }));
  return ok({
    status: "ok",
    resp_version: 1,
    res_type: "time_series",
    query: text,
    from_date: window.from,
    to_date: window.to,
    group_by: query.by,
    message: "",
    series,
    times: [],
    values: [],
  });
};

type Resolved = {
  readonly window: { readonly from: number; readonly to: number };
  readonly interval: number;
  readonly columns: readonly Column[];
};
type Column = { readonly name: string; readonly query: Query; readonly reducer: Aggregator };

/** Resolves each formula to the query that it names. */
const answerFormula = (wanted: Formula, answer: (resolved: Resolved) => Answer): Answer => {
  const { from, to, queries, formulas, interval } = wanted;
  if (from >= to) return refused(400, "The time range is empty: 'from' must be before 'to'");
  const columns: Column[] = [];
  for (const name of formulas?.map((each) => each.formula.trim()) ??
    queries.map((each, i) => each.name ?? `query${i}`)) {
    const source = queries.find((each, i) => (each.name ?? `query${i}`) === name);
    if (source === undefined)
      return refused(400, `The sandbox does not compute formulas: '${name}' is no query's name`);
    if (source.data_source !== "metrics") return refused(400, `The sandbox has no data source '${source.data_source}'`);
    const query = parse(source.query ?? "");
    if (query === undefined) return refused(400, notUnderstood(source.query ?? ""));
    columns.push({ name, query, reducer: aggregators.find((each) => each === source.aggregator) ?? query.aggregator });
  }
  const seconds = interval == null ? intervalFor((to - from) / 1000) : Math.max(1, Math.round(interval / 1000));
  return answer({ window: { from, to }, interval: seconds, columns });
};

const timeseries = (org: Organization, { window, interval, columns }: Resolved): Answer => {
  const found = columns.flatMap(({ query }, index) =>
    evaluate(org, query, { ...window, interval: query.rollup ?? interval }).map((series) => ({ ...series, index })),
  );
  const times = [...new Set(found.flatMap(({ points }) => points.map(([at]) => at)))].toSorted((a, b) => a - b);
  const series = found.map(({ group, index }) => ({ group_tags: group, query_index: index, unit: null }));
  const values = found.map(({ points }) => {
    const byTime = new Map(points);
    return times.map((at) => byTime.get(at) ?? null);
  });
  return ok({ data: { id: "0", type: "timeseries_response", attributes: { series, times, values } } });
};

const scalar = (org: Organization, { window, columns }: Resolved): Answer => {
  const keys = [...new Set(columns.flatMap(({ query }) => query.by))];
  const groups = new Map<string, { tags: readonly string[]; values: (number | null)[] }>();
  columns.forEach(({ query, reducer }, index) => {
    for (const [key, points] of Map.groupBy(matching(org, query, window), (point) => groupOf(point, keys).join(","))) {
      const row = groups.get(key) ?? {
        tags: points[0] ? groupOf(points[0], keys) : [],
        values: columns.map(() => null),
      };
      row.values[index] = aggregate(
        reducer,
        points.map(({ value }) => value),
      );
      groups.set(key, row);
    }
  });
  const rows = [...groups.values()];
  const groupColumns = keys.map(
    (name, i): JsonObject => ({
      name,
      type: "group",
      values: rows.map(({ tags }) => [tags[i]?.slice(name.length + 1) ?? "N/A"]),
    }),
  );
  const numberColumns = columns.map(
    ({ name }, i): JsonObject => ({
      name,
      type: "number",
      meta: { unit: null },
      values: rows.map(({ values }) => values[i] ?? null),
    }),
  );
  return ok({
    data: { id: "0", type: "scalar_response", attributes: { columns: [...groupColumns, ...numberColumns] } },
  });
};
