/** Metric queries as v1 answers them: https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points. */

import { type Answer, ok, refused } from "./answer.ts";
import { evaluate, intervalFor, notUnderstood, parseQuery } from "./metricEngine.ts";
import type { Organization } from "./organization.ts";
import { type Asked, count, get, type Route } from "./route.ts";

export const metricQueryRoutes = (org: Organization): readonly Route[] => [
  get("/api/v1/query", (asked) => queryOld(org, asked)),
];

const queryOld = (org: Organization, asked: Asked): Answer => {
  const from = count(asked, "from", Number.NaN);
  const to = count(asked, "to", Number.NaN);
  const text = asked.query.get("query") ?? "";
  if (!(from < to)) return refused(400, "The parameters 'from' and 'to' are required, in seconds, in this order");
  const query = parseQuery(text);
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
