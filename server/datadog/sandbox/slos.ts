/** Service level objectives, v1: https://docs.datadoghq.com/api/latest/service-level-objectives/. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { Slo } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import { creator, type Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, looking, post, put, type Route, slice } from "./route.ts";
import { searchSlos } from "./sloSearch.ts";
import { seconds } from "./time.ts";

const timeframe = z.enum(["7d", "30d", "90d", "custom"]);

const threshold = loose({
  timeframe,
  target: z.number().gt(0).lt(100),
  warning: z.number().gt(0).lt(100).nullish(),
});

const base = {
  name: z.string().min(1),
  description: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  thresholds: z.array(threshold).min(1),
};

const draft = z.discriminatedUnion("type", [
  loose({
    type: z.literal("metric"),
    query: z.object({ numerator: z.string(), denominator: z.string() }).optional(),
    ...base,
  }),
  loose({ type: z.literal("monitor"), monitor_ids: z.array(z.number().int()).min(1), ...base }),
  loose({ type: z.literal("time_slice"), sli_specification: loose({ time_slice: loose({}) }), ...base }),
]);

const typeIds = { monitor: 0, metric: 1, time_slice: 2 } as const;

/** `{"<id>": ["7d", "30d"]}` */
const bulk = z.record(z.string(), z.array(timeframe));

export const sloRoutes = (org: Organization): readonly Route[] => {
  const { slos } = org;
  const one = looking(
    (asked) => slos.get(asked.params["slo_id"] ?? ""),
    (asked) => `SLO not found: ${asked.params["slo_id"]} not found`,
  );

  return [
    get("/api/v1/slo", (asked) => listSlos(org, asked)),
    post("/api/v1/slo", (asked) =>
      accept(asked, draft, (body) => keep(org, body, { id: org.ids.hex(32), created: seconds(org.clock()) })),
    ),
    post("/api/v1/slo/bulk_delete", (asked) => accept(asked, bulk, (body) => ok(deleteTimeframes(org, body)))),
    get("/api/v1/slo/can_delete", (asked) => {
      const ids = (asked.query.get("ids") ?? "").split(",");
      const missing = ids.find((id) => !slos.has(id));
      return missing === undefined
        ? ok({ data: { ok: ids }, errors: null })
        : refused(404, `SLO not found: ${missing} not found`);
    }),
    get("/api/v1/slo/search", (asked) => searchSlos(org, asked)),
    get(
      "/api/v1/slo/{slo_id}",
      one((slo) => ok({ data: slo, errors: null })),
    ),
    put(
      "/api/v1/slo/{slo_id}",
      one((slo, asked) =>
        accept(asked, draft, (body) =>
          body.type === slo.type
            ? keep(org, body, { id: slo.id, created: slo["created_at"] as number })
            : refused(400, "The type of an SLO cannot be changed"),
        ),
      ),
    ),
    del(
      "/api/v1/slo/{slo_id}",
      one(({ id }) => {
        slos.delete(id);
        return ok({ data: [id], error: null });
      }),
    ),
    get(
      "/api/v1/slo/{slo_id}/history",
      one((slo, asked) => historyOf(slo, asked)),
    ),
  ];
};

const keep = (org: Organization, body: z.infer<typeof draft>, known: { id: string; created: number }): Answer => {
  if (body.type === "monitor") {
    const missing = body.monitor_ids.filter((id) => !org.monitors.has(id));
    if (missing.length > 0) return refused(400, `Invalid payload: monitors ${missing.join(", ")} do not exist`);
  }
  const [first] = body.thresholds;
  const slo = {
    description: "",
    monitor_tags: [],
    ...body,
    ...(body.type === "metric" && body.query === undefined ? queryOf(body["sli_specification"]) : {}),
    ...(body.type === "time_slice" ? { sli_specification: slicedBy(body.sli_specification) } : {}),
    id: known.id,
    tags: body.tags ?? [],
    type_id: typeIds[body.type],
    thresholds: body.thresholds.map(display),
    timeframe: first?.timeframe,
    target_threshold: first?.target,
    warning_threshold: first?.warning ?? null,
    creator: creator(org),
    created_at: known.created,
    modified_at: seconds(org.clock()),
  };
  org.slos.set(slo.id, slo);
  return ok({ data: [slo], error: null });
};

const counted = loose({
  count: loose({
    good_events_formula: z.object({ formula: z.string() }),
    bad_events_formula: z.object({ formula: z.string() }).optional(),
    total_events_formula: z.object({ formula: z.string() }).optional(),
    queries: z.array(loose({ name: z.string(), query: z.string() })),
  }),
});

/** Numerator and denominator of an SLO that is told by formulas. */
const queryOf = (specification: unknown): JsonObject => {
  const parsed = counted.safeParse(specification);
  if (!parsed.success) return {};
  const {
    good_events_formula: good,
    bad_events_formula: bad,
    total_events_formula: total,
    queries,
  } = parsed.data.count;
  const spell = (formula: string): string =>
    formula.replace(/[A-Za-z_]\w*/g, (name) => queries.find((each) => each.name === name)?.query ?? name);
  const numerator = spell(good.formula);
  const denominator = total === undefined ? `(${numerator}) + (${spell(bad?.formula ?? "")})` : spell(total.formula);
  return { query: { numerator, denominator } };
};

/** Slices are of five minutes unless somebody says otherwise. */
const slicedBy = (specification: JsonObject): JsonObject => {
  const { time_slice: slice } = specification;
  return { ...specification, time_slice: { query_interval_seconds: 300, ...(slice as JsonObject) } };
};

const display = (each: z.infer<typeof threshold>): z.infer<typeof threshold> => ({
  ...each,
  target_display: String(each.target),
  ...(each.warning == null ? {} : { warning_display: String(each.warning) }),
});

const listSlos = (org: Organization, asked: Asked): Answer => {
  const ids = asked.query.get("ids")?.split(",");
  const text = asked.query.get("query")?.toLowerCase() ?? "";
  const tags = asked.query.get("tags_query");
  const found = [...org.slos.values()].filter(
    (slo) =>
      (ids === undefined || ids.includes(slo.id)) &&
      slo.name.toLowerCase().includes(text) &&
      (tags === null || slo.tags.includes(tags)),
  );
  const page = { offset: count(asked, "offset", 0), limit: count(asked, "limit", 1000) };
  return ok({
    data: slice(found, page),
    error: null,
    metadata: { page: { total_count: org.slos.size, total_filtered_count: found.length } },
  });
};

/** Nothing evaluates here, so the history of every SLO has no data, as that of a new one does. */
const historyOf = (slo: Slo, asked: Asked): Answer => {
  const from = count(asked, "from_ts", 0);
  const to = count(asked, "to_ts", 0);
  if (to <= from) return refused(400, "Invalid time range: from_ts must be before to_ts");
  const thresholds = Object.fromEntries(slo.thresholds.map((each) => [each.timeframe, each]));
  return ok({
    data: {
      type: slo.type,
      type_id: slo["type_id"],
      from_ts: from,
      to_ts: to,
      thresholds,
      overall: { name: slo.name, sli_value: null, span_precision: 2, precision: {}, history: [], errors: [] },
    },
    errors: null,
  });
};

const deleteTimeframes = (org: Organization, wanted: z.infer<typeof bulk>): JsonObject => {
  const deleted: string[] = [];
  const updated: string[] = [];
  const errors: JsonObject[] = [];
  for (const [id, timeframes] of Object.entries(wanted)) {
    const slo = org.slos.get(id);
    if (slo === undefined) {
      errors.push({ id, message: `SLO not found: ${id} not found`, timeframe: timeframes[0] ?? "7d" });
      continue;
    }
    const thresholds = slo.thresholds.filter((each) => !timeframes.some((timeframe) => timeframe === each.timeframe));
    if (thresholds.length === 0) org.slos.delete(id);
    else org.slos.set(id, { ...slo, thresholds });
    (thresholds.length === 0 ? deleted : updated).push(id);
  }
  return { data: { deleted, updated }, errors };
};
