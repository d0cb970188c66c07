/** Tags of metrics, seen and configured, v2: https://docs.datadoghq.com/api/latest/metrics/#create-a-tag-configuration. */

import { z } from "zod";
import { created, noContent, ok, refused } from "./answer.ts";
import type { MetricMetadata } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, looking, patch, post, type Route } from "./route.ts";
import { stamp } from "./time.ts";

const tagConfiguration = z.object({
  data: z.object({
    type: z.literal("manage_tags"),
    id: z.string(),
    attributes: loose({
      tags: z.array(z.string()).optional(),
      metric_type: z.enum(["gauge", "count", "rate", "distribution"]).optional(),
    }),
  }),
});

export const metricTagRoutes = (org: Organization): readonly Route[] => {
  const { tagConfigurations } = org;
  const metric = looking(
    (asked) => knownMetric(org, asked.params["metric_name"] ?? ""),
    (asked) => `Metric ${asked.params["metric_name"]} not found`,
  );
  const configured = looking(
    (asked) => tagConfigurations.get(asked.params["metric_name"] ?? ""),
    (asked) => `${asked.params["metric_name"]} not found`,
  );
  const describe = ({ id, attributes }: { id: string; attributes: JsonObject }): JsonObject => ({
    data: { type: "manage_tags", id, attributes },
  });

  return [
    get("/api/v2/metrics", (asked) => {
      const wanted = asked.query.get("filter[tags]");
      const found = metricNames(org).filter((each) => wanted === null || tagsSeen(org, each).includes(wanted));
      return ok(pageOfMetrics(found, asked));
    }),
    get(
      "/api/v2/metrics/{metric_name}/all-tags",
      metric(([id]) => ok({ data: { type: "metrics", id, attributes: { tags: tagsSeen(org, id) } } })),
    ),
    get(
      "/api/v2/metrics/{metric_name}/tags",
      configured((found) => ok(describe(found))),
    ),
    post(
      "/api/v2/metrics/{metric_name}/tags",
      metric(([id, about], asked) =>
        accept(asked, tagConfiguration, ({ data }) => {
          if (tagConfigurations.has(id)) return refused(409, `Metric ${id} already has a tag configuration`);
          const now = stamp(org.clock());
          const attributes = {
            tags: [],
            metric_type: about.type,
            aggregations: [{ time: "avg", space: "avg" }],
            ...data.attributes,
            created_at: now,
            modified_at: now,
          };
          tagConfigurations.set(id, { id, attributes });
          return created(describe({ id, attributes }));
        }),
      ),
    ),
    patch(
      "/api/v2/metrics/{metric_name}/tags",
      configured(({ id, attributes: before }, asked) =>
        accept(asked, tagConfiguration, ({ data }) => {
          const attributes = { ...before, ...data.attributes, modified_at: stamp(org.clock()) };
          tagConfigurations.set(id, { id, attributes });
          return ok(describe({ id, attributes }));
        }),
      ),
    ),
    del(
      "/api/v2/metrics/{metric_name}/tags",
      configured(({ id }) => {
        tagConfigurations.delete(id);
        return noContent;
      }),
    ),
  ];
};

/** Whole, unless a page is asked for; its cursor is the name that it begins after. */
const pageOfMetrics = (found: readonly string[], asked: Asked): JsonObject => {
  const data = (names: readonly string[]): JsonObject[] => names.map((id) => ({ type: "metrics", id }));
  if (!asked.query.has("page[size]")) return { data: data(found) };
  const limit = Math.max(1, count(asked, "page[size]", 10_000));
  const cursor = asked.query.get("page[cursor]");
  const after = cursor === null ? "" : Buffer.from(cursor, "hex").toString("utf8");
  const left = found.filter((name) => name > after);
  const shown = left.slice(0, limit);
  if (shown.length === 0) return { data: [] };
  const next = left.length > limit ? Buffer.from(shown.at(-1) ?? "").toString("hex") : null;
  const path = `https://${asked.headers.host ?? "api.datadoghq.com"}${asked.path}`;
  const size = `page[size]=${limit}`;
  return {
    data: data(shown),
    meta: { pagination: { cursor, next_cursor: next, limit, type: "cursor_limit" } },
    links: {
      self: cursor === null ? `${path}?${size}` : `${path}?page[cursor]=${cursor}&${size}`,
      last: null,
      next: next === null ? null : `${path}?page[cursor]=${next}&${size}`,
      prev: null,
      first: `${path}?${size}`,
    },
  };
};

/** A metric is known once it was submitted. */
export const knownMetric = (org: Organization, metric: string): readonly [string, MetricMetadata] | undefined => {
  const about = org.metadata.get(metric);
  return about === undefined ? undefined : [metric, about];
};

export const metricNames = (org: Organization): readonly string[] => [...org.metadata.keys()].toSorted();

const tagsSeen = (org: Organization, metric: string): readonly string[] => [
  ...new Set(org.points.items.filter((point) => point.metric === metric).flatMap((point) => point.tags)),
];
