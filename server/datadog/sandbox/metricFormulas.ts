/** Metric queries as v2 answers them, over time or as one number. A formula names one query: arithmetic is not known here. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import {
  aggregate,
  type Aggregator,
  aggregators,
  evaluate,
  groupOf,
  intervalFor,
  matchingPoints,
  notUnderstood,
  parseQuery,
  type Query,
} from "./metricEngine.ts";
import type { Organization } from "./organization.ts";
import { accept, post, type Route } from "./route.ts";

const milliseconds = z.number().int().min(0).max(8.64e15);

const formula = z.object({
  data: z.object({
    type: z.string(),
    attributes: loose({
      /** Milliseconds since 1970. */
      from: milliseconds,
      to: milliseconds,
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

export const metricFormulaRoutes = (org: Organization): readonly Route[] => [
  post("/api/v2/query/timeseries", (asked) =>
    accept(asked, formula, ({ data }) => answerFormula(data.attributes, (queries) => timeseries(org, queries))),
  ),
  post("/api/v2/query/scalar", (asked) =>
    accept(asked, formula, ({ data }) => answerFormula(data.attributes, (queries) => scalar(org, queries))),
  ),
];

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
    const query = parseQuery(source.query ?? "");
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
    for (const [key, points] of Map.groupBy(matchingPoints(org, query, window), (point) =>
      groupOf(point, keys).join(","),
    )) {
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
