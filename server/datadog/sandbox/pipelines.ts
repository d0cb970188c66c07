/** Log pipelines and their order, v1: https://docs.datadoghq.com/api/latest/logs-pipelines/. Logs pass unchanged: nothing here runs them. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { completeProcessor, processor } from "./processors.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";

type Pipeline = JsonObject & { readonly id: string };

const draft = loose({
  name: z.string().min(1),
  filter: loose({ query: z.string() }).optional(),
  is_enabled: z.boolean().optional(),
  processors: z.array(processor).optional(),
  tags: z.array(z.string()).optional(),
});

const order = z.object({ pipeline_ids: z.array(z.string()) });

const path = "/api/v1/logs/config/pipelines";

export const pipelineRoutes = (org: Organization): readonly Route[] => {
  // In the order in which logs pass them.
  const pipelines = org.room.shelf<string, Pipeline>();
  const one = looking(
    (asked) => pipelines.get(asked.params["pipeline_id"] ?? ""),
    () => "Non existing pipeline",
  );
  const keep = (id: string, { filter, processors, ...told }: z.infer<typeof draft>): Answer => {
    const pipeline: Pipeline = {
      ...told,
      id,
      type: "pipeline",
      is_enabled: told.is_enabled ?? false,
      is_read_only: false,
      filter: filter ?? { query: "" },
      processors: (processors ?? []).map(completeProcessor),
      tags: told.tags ?? [],
    };
    pipelines.set(id, pipeline);
    return ok(pipeline);
  };

  return [
    get(path, () => ok([...pipelines.values()])),
    post(path, (asked) => accept(asked, draft, (body) => keep(org.ids.slug(), body))),
    get(
      `${path}/{pipeline_id}`,
      one((pipeline) => ok(pipeline)),
    ),
    put(
      `${path}/{pipeline_id}`,
      one(({ id }, asked) => accept(asked, draft, (body) => keep(id, body))),
    ),
    del(
      `${path}/{pipeline_id}`,
      one(({ id }) => {
        pipelines.delete(id);
        return ok({});
      }),
    ),
    get("/api/v1/logs/config/pipeline-order", () => ok({ pipeline_ids: [...pipelines.keys()] })),
    put("/api/v1/logs/config/pipeline-order", (asked) =>
      accept(asked, order, ({ pipeline_ids: ids }) => {
        const ordered = ids.map((id) => pipelines.get(id)).filter((pipeline) => pipeline !== undefined);
        if (ordered.length !== pipelines.size || new Set(ids).size !== pipelines.size || ids.length !== pipelines.size)
          return refused(422, "The order must name every pipeline once");
        for (const id of ids) pipelines.delete(id);
        for (const pipeline of ordered) pipelines.set(pipeline.id, pipeline);
        return ok({ pipeline_ids: ids });
      }),
    ),
  ];
};
