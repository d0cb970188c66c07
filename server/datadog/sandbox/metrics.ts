/** Metrics as they come in, and what is known of them: https://docs.datadoghq.com/api/latest/metrics/. */

import { z } from "zod";
import { ok, refused, taken } from "./answer.ts";
import type { MetricKind, MetricMetadata } from "./documents.ts";
import { loose, stated } from "./json.ts";
import { knownMetric, metricNames } from "./metricTags.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, get, looking, post, put, type Route, withApiKeyAlone } from "./route.ts";
import { epoch } from "./time.ts";

const name = z.string().min(1).max(200);
const tags = z.array(z.string()).nullish();

const oldSeries = z.object({
  series: z.array(
    loose({
      metric: name,
      points: z.array(z.tuple([epoch, z.number()])),
      type: z.enum(["gauge", "count", "rate"]).nullish(),
      host: z.string().nullish(),
      tags,
    }),
  ),
});

const distributions = z.object({
  series: z.array(
    loose({
      metric: name,
      points: z.array(z.tuple([epoch, z.array(z.number())])),
      host: z.string().nullish(),
      tags,
    }),
  ),
});

const series = z.object({
  series: z.array(
    loose({
      metric: name,
      /** 0 unspecified, 1 count, 2 rate, 3 gauge. */
      type: z.number().int().min(0).max(3).nullish(),
      points: z.array(loose({ timestamp: epoch, value: z.number() })),
      resources: z.array(loose({ name: z.string(), type: z.string() })).nullish(),
      tags,
      unit: z.string().nullish(),
    }),
  ),
});

const metadata = z.object({
  type: z.enum(["gauge", "count", "rate", "distribution"]).nullish(),
  description: z.string().nullish(),
  short_name: z.string().nullish(),
  unit: z.string().nullish(),
  per_unit: z.string().nullish(),
  statsd_interval: z.number().int().nullish(),
});

const kinds = [null, "count", "rate", "gauge"] as const;

const unknown: MetricMetadata = {
  type: null,
  description: null,
  short_name: null,
  unit: null,
  per_unit: null,
  statsd_interval: null,
  integration: null,
};

export const metricRoutes = (org: Organization): readonly Route[] => {
  const one = looking(
    (asked) => knownMetric(org, asked.params["metric_name"] ?? ""),
    (asked) => `Metric ${asked.params["metric_name"]} not found`,
  );

  return [
    withApiKeyAlone(
      post("/api/v1/series", (asked) =>
        accept(asked, oldSeries, (body) => {
          for (const each of body.series) {
            learn(org, each.metric, { type: each.type ?? "gauge" });
            for (const [at, value] of each.points) add(org, { metric: each.metric, tags: tagsOf(each), at, value });
          }
          return taken;
        }),
      ),
    ),
    withApiKeyAlone(
      post("/api/v1/distribution_points", (asked) =>
        accept(asked, distributions, (body) => {
          for (const each of body.series) {
            learn(org, each.metric, { type: "distribution" });
            for (const [at, values] of each.points)
              for (const value of values) add(org, { metric: each.metric, tags: tagsOf(each), at, value });
          }
          return taken;
        }),
      ),
    ),
    withApiKeyAlone(
      post("/api/v2/series", (asked) =>
        accept(asked, series, (body) => {
          for (const each of body.series) {
            learn(org, each.metric, { type: kinds[each.type ?? 0] ?? "gauge", unit: each.unit ?? null });
            const resources = (each.resources ?? []).map(({ type, name }) => `${type}:${name}`);
            for (const { timestamp: at, value } of each.points)
              add(org, { metric: each.metric, tags: [...(each.tags ?? []), ...resources], at, value });
          }
          return { status: 202, body: { errors: [] } };
        }),
      ),
    ),
    get("/api/v1/metrics", (asked) => listActive(org, asked)),
    get("/api/v1/search", (asked) => {
      const wanted = (asked.query.get("q") ?? "").replace(/^metrics:/, "");
      return ok({ results: { metrics: metricNames(org).filter((each) => each.includes(wanted)) } });
    }),
    get(
      "/api/v1/metrics/{metric_name}",
      one(([, about]) => ok(about)),
    ),
    put(
      "/api/v1/metrics/{metric_name}",
      one(([metric, about], asked) =>
        accept(asked, metadata, (body) => {
          const next = { ...about, ...stated(body) };
          org.metadata.set(metric, next);
          return ok(next);
        }),
      ),
    ),
  ];
};

const add = (
  org: Organization,
  { at, ...point }: { metric: string; tags: readonly string[]; at: number; value: number },
): void => org.points.add({ ...point, at: new Date(at * 1000) });

const tagsOf = (each: { tags?: readonly string[] | null | undefined; host?: string | null | undefined }): string[] => [
  ...(each.tags ?? []),
  ...(each.host == null ? [] : [`host:${each.host}`]),
];

/** The first submission decides a metric's type, until somebody changes it. */
const learn = (org: Organization, metric: string, seen: { type: MetricKind; unit?: string | null }): void => {
  if (!org.metadata.has(metric)) org.metadata.set(metric, { ...unknown, ...seen });
};

const listActive = (org: Organization, asked: Asked) => {
  if (!asked.query.has("from")) return refused(400, "Missing required parameter 'from'");
  const from = count(asked, "from", 0);
  const host = asked.query.get("host");
  const active = org.points.items.filter(
    (point) => point.at.getTime() >= from * 1000 && (host === null || point.tags.includes(`host:${host}`)),
  );
  return ok({ from: String(from), metrics: [...new Set(active.map(({ metric }) => metric))].toSorted() });
};
