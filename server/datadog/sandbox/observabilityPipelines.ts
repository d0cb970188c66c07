/** Observability Pipelines, v2: https://docs.datadoghq.com/api/latest/observability-pipelines/. No worker ever asks for one here. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const component = loose({ id: z.string().min(1), type: z.string().min(1) });

const told = loose({
  name: z.string().min(1),
  config: loose({
    sources: z.array(component).min(1),
    destinations: z.array(component).min(1),
    processor_groups: z.array(loose({ id: z.string().min(1) })).optional(),
    processors: z.array(loose({ id: z.string().min(1) })).optional(),
  }),
});

export const observabilityPipelineRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path: "/api/v2/obs-pipelines/pipelines",
    type: "pipelines",
    told,
    made: 201,
    changedBy: "PUT",
    missing: (id) => `Pipeline ${id} not found`,
    attributes: ({ config, ...rest }, before) => {
      if (config === undefined) return { ...before, ...stated(rest) };
      // The groups have an old name too, under which they are answered once more.
      const groups = config.processor_groups ?? config.processors ?? [];
      return { ...before, ...stated(rest), config: { ...config, processor_groups: groups, processors: groups } };
    },
    list: (all) => ({ shown: all, meta: { totalCount: all.length } }),
  }).routes;
