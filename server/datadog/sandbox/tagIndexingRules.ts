/** Which tags of which metrics are indexed, by rule, v2: https://docs.datadoghq.com/api/latest/metrics/. Nothing here depends on them. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const told = loose({
  name: z.string().min(1),
  metric_name_matches: z.array(z.string()).min(1),
  ignored_metric_name_matches: z.array(z.string()).optional(),
  tags: z.array(z.string()).optional(),
  exclude_tags_mode: z.boolean().optional(),
  options: loose({
    version: z.number().int(),
    data: loose({
      manage_preexisting_metrics: z.boolean().optional(),
      override_previous_rules: z.boolean().optional(),
      dynamic_tags: loose({ exclude_not_queried_window_seconds: z.number().int().optional() }).optional(),
    }),
  }).optional(),
});

const path = "/api/v2/metrics/tag-indexing-rules";

const longestWindow = 90 * 24 * 3600;

export const tagIndexingRuleRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path,
    type: "tag_indexing_rules",
    told,
    made: 201,
    changedBy: "PUT",
    missing: (id) => `Tag indexing rule ${id} not found`,
    attributes: (wanted, before) => {
      const { options } = wanted;
      if (options !== undefined && options.version !== 1) return "Invalid request body: options version must be 1";
      const window = options?.data.dynamic_tags?.exclude_not_queried_window_seconds ?? 0;
      if (window > longestWindow)
        return `Invalid request body: dynamic_tags.exclude_not_queried_window_seconds cannot exceed ${longestWindow} seconds (90 days)`;
      const now = org.clock().toISOString();
      return {
        exclude_tags_mode: false,
        options: { version: 1, data: { override_previous_rules: false, manage_preexisting_metrics: true } },
        rule_order: 1,
        tags: [],
        created_at: now,
        created_by_handle: org.me.handle,
        ...before,
        ...stated(wanted),
        modified_at: now,
        modified_by_handle: org.me.handle,
      };
    },
    list: (all, { headers }) => {
      const self = `https://${headers.host ?? "api.datadoghq.com"}${path}`;
      const first = `${self}?page%5Blimit%5D=100&page%5Boffset%5D=0`;
      return { shown: all, meta: { total: all.length }, links: { self, first } };
    },
  }).routes;
