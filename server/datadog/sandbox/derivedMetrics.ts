/** Metrics made of logs, of spans and of RUM events, v2: https://docs.datadoghq.com/api/latest/logs-metrics/ and its neighbours. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const grouping = loose({ path: z.string().min(1), tag_name: z.string().optional() });

const told = loose({
  compute: loose({ aggregation_type: z.enum(["count", "distribution"]).optional() }),
  filter: loose({ query: z.string().optional() }).optional(),
  group_by: z.array(grouping).optional(),
});

const missing = (name: string): string => `not_found(Metric with name '${name}' not found)`;

export const derivedMetricRoutes = (org: Organization): readonly Route[] => [
  ...derived(org, { path: "/api/v2/logs/config/metrics", type: "logs_metrics", strict: false }),
  ...derived(org, { path: "/api/v2/apm/config/metrics", type: "spans_metrics", strict: false }),
  ...derived(org, { path: "/api/v2/rum/config/metrics", type: "rum_metrics", strict: true }),
];

const derived = (org: Organization, kind: { path: string; type: string; strict: boolean }): readonly Route[] =>
  collect(org, {
    ...kind,
    told,
    changedBy: "PATCH",
    missing,
    // What is no letter, digit, dot or underscore cannot be in the name of a metric.
    idOf: (wanted) => (wanted ?? org.ids.word(12)).replace(/[^\w.]/g, "_"),
    attributes: (wanted, before) => ({
      filter: { query: "*" },
      group_by: [],
      ...before,
      ...stated(wanted),
      // How it is aggregated stays; whether percentiles are kept may change.
      compute: { ...(before?.["compute"] as object | undefined), ...wanted.compute },
    }),
  }).routes;
