/** SLO corrections: times that do not count, https://docs.datadoghq.com/api/latest/service-level-objective-corrections/. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import type { Correction } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { iconOf } from "./profiles.ts";
import { accept, count, del, get, looking, patch, post, type Route, slice } from "./route.ts";
import { seconds } from "./time.ts";

const attributes = loose({
  category: z.enum(["Scheduled Maintenance", "Outside Business Hours", "Deployment", "Other"]).optional(),
  start: z.number().int().optional(),
  end: z.number().int().nullish(),
  slo_id: z.string().nullish(),
  slo_query: z.string().nullish(),
  description: z.string().nullish(),
  timezone: z.string().nullish(),
});
const change = z.object({ data: z.object({ type: z.literal("correction"), attributes }) });
const draft = z.object({
  data: z.object({ type: z.literal("correction"), attributes: attributes.required({ category: true, start: true }) }),
});

const path = "/api/v1/slo/correction";

export const correctionRoutes = (org: Organization): readonly Route[] => {
  const { corrections } = org;
  const one = looking(
    (asked) => corrections.get(asked.params["slo_correction_id"] ?? ""),
    () => "SLO correction not found",
  );
  const describe = ({ id, attributes }: Correction): JsonObject => ({ type: "correction", id, attributes });

  return [
    get(path, (asked) => {
      const page = { offset: count(asked, "offset", 0), limit: count(asked, "limit", 25) };
      return ok({
        data: slice([...corrections.values()], page).map(describe),
        meta: { page: { total_count: corrections.size, total_filtered_count: corrections.size } },
      });
    }),
    post(path, (asked) =>
      accept(asked, draft, ({ data }) => {
        const { slo_id, slo_query } = data.attributes;
        if (slo_id == null && slo_query == null) return refused(400, "One of slo_id and slo_query is required");
        if (slo_id != null && !org.slos.has(slo_id)) return refused(404, `SLO not found: ${slo_id} not found`);
        const correction = { id: org.ids.uuid(), attributes: describeNew(org, data.attributes) };
        corrections.set(correction.id, correction);
        return ok({ data: describe(correction) });
      }),
    ),
    get(
      `${path}/{slo_correction_id}`,
      one((correction) => ok({ data: describe(correction) })),
    ),
    patch(
      `${path}/{slo_correction_id}`,
      one(({ id, attributes: before }, asked) =>
        accept(asked, change, ({ data }) => {
          const attributes = { ...before, ...data.attributes, modified_at: seconds(org.clock()) };
          corrections.set(id, { id, attributes });
          return ok({ data: describe({ id, attributes }) });
        }),
      ),
    ),
    del(
      `${path}/{slo_correction_id}`,
      one(({ id }) => {
        corrections.delete(id);
        return noContent;
      }),
    ),
    get(
      "/api/v1/slo/{slo_id}/corrections",
      looking(
        (asked) => org.slos.get(asked.params["slo_id"] ?? ""),
        (asked) => `SLO not found: ${asked.params["slo_id"]} not found`,
      )(({ id }) => {
        const found = [...corrections.values()].filter(({ attributes }) => attributes["slo_id"] === id);
        return ok({ data: found.map(describe), meta: { page: { total_count: found.length } } });
      }),
    ),
  ];
};

const describeNew = (org: Organization, wanted: JsonObject): JsonObject => ({
  slo_id: null,
  slo_query: null,
  end: null,
  description: null,
  timezone: "UTC",
  rrule: null,
  duration: null,
  ...wanted,
  // Not before somebody changes it: Datadog answers a new one without times.
  created_at: null,
  modified_at: null,
  creator: {
    data: {
      type: "users",
      id: org.me.uuid,
      attributes: {
        uuid: org.me.uuid,
        handle: org.me.handle,
        email: org.me.email,
        name: org.me.name,
        icon: iconOf(org.me),
      },
    },
  },
  modifier: null,
});
