/** Logs, searched and counted: https://docs.datadoghq.com/api/latest/logs/#search-logs-post. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { LogEntry } from "./documents.ts";
import { type Json, type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, count, get, post, type Route } from "./route.ts";
import { createSearch } from "./search.ts";
import { readTime } from "./time.ts";
import { pageOf } from "./window.ts";

const filter = loose({ query: z.string(), from: z.string(), to: z.string() }).partial();

const search = loose({
  filter: filter.optional(),
  page: z
    .looseObject({ limit: z.number().int().min(1).max(1000), cursor: z.string() })
    .partial()
    .optional(),
  sort: z.enum(["timestamp", "-timestamp"]).optional(),
});

const oldSearch = loose({
  query: z.string().optional(),
  limit: z.number().int().min(1).max(1000).optional(),
  startAt: z.string().nullish(),
  sort: z.enum(["asc", "desc"]).optional(),
  time: loose({ from: z.string(), to: z.string() }),
});

const aggregation = loose({
  filter: filter.optional(),
  compute: z
    .array(
      loose({
        aggregation: z.enum(["count", "cardinality", "sum", "avg", "min", "max"]),
        metric: z.string().optional(),
        type: z.literal("total").optional(),
      }),
    )
    .min(1)
    .optional(),
  group_by: z.array(loose({ facet: z.string(), limit: z.number().int().min(1).optional() })).optional(),
});

export const logSearchRoutes = (org: Organization): readonly Route[] => [
  post("/api/v2/logs/events/search", (asked) =>
    accept(asked, search, ({ filter = {}, page = {}, sort = "-timestamp" }) =>
      searchLogs(org, { ...filter, ...page, sort }),
    ),
  ),
  get("/api/v2/logs/events", (asked) =>
    searchLogs(org, {
      query: asked.query.get("filter[query]") ?? undefined,
      from: asked.query.get("filter[from]") ?? undefined,
      to: asked.query.get("filter[to]") ?? undefined,
      limit: Math.min(count(asked, "page[limit]", 10), 1000),
      cursor: asked.query.get("page[cursor]") ?? undefined,
      sort: asked.query.get("sort") === "timestamp" ? "timestamp" : "-timestamp",
    }),
  ),
  post("/api/v2/logs/analytics/aggregate", (asked) => accept(asked, aggregation, (body) => aggregate(org, body))),
  post("/api/v1/logs-queries/list", (asked) => accept(asked, oldSearch, (body) => searchOld(org, body))),
];

const attributeOf = (log: LogEntry, path: string): readonly string[] => {
  let value: Json | undefined = log.attributes[path] ?? log.attributes;
  if (value === log.attributes)
    for (const name of path.split("."))
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, name)
          ? (value as JsonObject)[name]
          : undefined;
  return value === undefined || value === null
    ? []
    : [typeof value === "object" ? JSON.stringify(value) : String(value)];
};

const fieldOf = (log: LogEntry, name: string): readonly string[] => {
  if (name.startsWith("@")) return attributeOf(log, name.slice(1));
  switch (name) {
    case "service":
    case "status":
    case "host":
    case "source":
      return log[name] === null ? [] : [log[name]];
    default:
      return log.tags.filter((tag) => tag.startsWith(`${name}:`)).map((tag) => tag.slice(name.length + 1));
  }
};

const logSearch = createSearch<LogEntry>({ text: ({ message }) => message, field: fieldOf });

type Window = {
  readonly query?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

const find = (org: Organization, wanted: Window): readonly LogEntry[] | Answer => {
  const now = org.clock();
  const from = readTime(wanted.from ?? "now-15m", now);
  const to = readTime(wanted.to ?? "now", now);
  if (from === undefined || to === undefined) return refused(400, "Invalid time in filter");
  const matches = logSearch(wanted.query ?? "*");
  if (typeof matches === "string") return refused(400, `Invalid query: ${matches}`);
  return org.logs.items.filter((log) => log.at >= from && log.at <= to && matches(log));
};

const meta = (org: Organization): JsonObject => ({ elapsed: 1, request_id: org.ids.word(40), status: "done" });

type Wanted = Window & {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly sort: "timestamp" | "-timestamp";
};

const searchLogs = (org: Organization, wanted: Wanted): Answer => {
  const found = find(org, wanted);
  if ("status" in found) return found;
  const { shown, after } = pageOf(found, { ...wanted, idOf: ({ id }) => id });
  const page = after === undefined ? {} : { page: { after } };
  return ok({ data: shown.map(describe), meta: { ...meta(org), ...page } });
};

const searchOld = (org: Organization, { query, time, limit, startAt, sort }: z.infer<typeof oldSearch>): Answer => {
  const found = find(org, { query, ...time });
  if ("status" in found) return found;
  const { shown, after } = pageOf(found, {
    limit,
    cursor: startAt ?? undefined,
    sort: sort === "asc" ? "timestamp" : "-timestamp",
    idOf: ({ id }) => id,
  });
  const logs = shown.map(({ id, at, message, service, host, tags, attributes }) => ({
    id,
    content: { timestamp: at.toISOString(), message, service, host, tags, attributes },
  }));
  return ok({ logs, nextLogId: after ?? null, status: "done" });
};

const describe = (log: LogEntry): JsonObject => ({
  id: log.id,
  type: "log",
  attributes: {
    timestamp: log.at.toISOString(),
    message: log.message,
    status: log.status,
    service: log.service,
    host: log.host,
    tags: [...log.tags, ...(log.source === null ? [] : [`source:${log.source}`])],
    attributes: log.attributes,
  },
});

const aggregate = (org: Organization, wanted: z.infer<typeof aggregation>): Answer => {
  const found = find(org, wanted.filter ?? {});
  if ("status" in found) return found;
  const computes = wanted.compute ?? [{ aggregation: "count" as const }];
  const incomplete = computes.find(({ aggregation, metric }) => aggregation !== "count" && metric === undefined);
  if (incomplete !== undefined) return refused(400, `compute.metric is required for ${incomplete.aggregation}`);

  const facets = (wanted.group_by ?? []).map(({ facet }) => facet);
  const valuesOf = (log: LogEntry): readonly (string | undefined)[] => facets.map((facet) => fieldOf(log, facet)[0]);
  // Logs that lack a facet belong to no group.
  const grouped = Map.groupBy(
    found.filter((log) => !valuesOf(log).includes(undefined)),
    (log) => JSON.stringify(valuesOf(log)),
  );
  const limit = (wanted.group_by ?? []).reduce((product, group) => product * (group.limit ?? 10), 1);
  const buckets = [...grouped.values()]
    .toSorted((a, b) => b.length - a.length)
    .slice(0, limit)
    .map((logs) => ({
      by: Object.fromEntries(facets.map((facet) => [facet, logs[0] === undefined ? "" : fieldOf(logs[0], facet)[0]])),
      computes: Object.fromEntries(computes.map((each, i) => [`c${i}`, computeOf(logs, each)])),
    }));
  return ok({ data: { buckets }, meta: meta(org) });
};

const computeOf = (
  logs: readonly LogEntry[],
  {
    aggregation,
    metric = "",
  }: { aggregation: "count" | "cardinality" | "sum" | "avg" | "min" | "max"; metric?: string | undefined },
): number | null => {
  const texts = logs.flatMap((log) => fieldOf(log, metric));
  const values = texts.map(Number).filter((value) => !Number.isNaN(value));
  const sum = values.reduce((total, value) => total + value, 0);
  switch (aggregation) {
    case "count":
      return logs.length;
    case "cardinality":
      return new Set(texts).size;
    case "sum":
      return sum;
    case "avg":
      return values.length === 0 ? null : sum / values.length;
    case "min":
      return values.length === 0 ? null : values.reduce((least, value) => Math.min(least, value));
    case "max":
      return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value));
    default:
      return aggregation satisfies never;
  }
};
