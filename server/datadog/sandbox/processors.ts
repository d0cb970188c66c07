/** The processors of a log pipeline, and what Datadog adds to one that says less: https://docs.datadoghq.com/api/latest/logs-pipelines/. */

import { z } from "zod";
import type { Json, JsonObject } from "./json.ts";
import { loose } from "./json.ts";

export const processor = loose({ type: z.string().min(1) });

type Processor = JsonObject & { readonly type: string };

const remapped = {
  source_type: "attribute",
  target_type: "attribute",
  preserve_source: false,
  override_on_conflict: false,
};

const defaults = new Map<string, JsonObject>([
  ["grok-parser", { samples: [] }],
  ["attribute-remapper", remapped],
  ["arithmetic-processor", { is_replace_missing: false }],
  ["string-builder-processor", { is_replace_missing: false }],
  ["url-parser", { normalize_ending_slashes: false }],
  ["user-agent-parser", { is_encoded: false }],
  ["array-map-processor", { preserve_source: true }],
  ["pipeline", { processors: [] }],
  ["schema-remapper", { override_on_conflict: false }],
  ["schema-category-mapper", { fallback: { values: {}, sources: {} } }],
]);

/** A processor of a pipeline is off until somebody turns it on. */
export const completeProcessor = (told: Processor): JsonObject => ({ is_enabled: false, ...complete(told) });

const complete = (told: Processor): JsonObject => {
  const { processors, mappers, schema } = told;
  return {
    ...defaults.get(told.type),
    ...told,
    ...(Array.isArray(processors)
      ? {
          // Those of a nested pipeline can be turned on and off, those that work on the elements of a list cannot.
          processors: inner(processors).map(told.type === "pipeline" ? completeProcessor : complete),
        }
      : {}),
    ...(Array.isArray(mappers) ? { mappers: inner(mappers).map(complete) } : {}),
    ...(told.type === "schema-processor" ? { schema: { extensions: [], ...(schema as JsonObject) } } : {}),
  };
};

const inner = (values: readonly Json[]): readonly Processor[] =>
  values.flatMap((value) => {
    const parsed = processor.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
