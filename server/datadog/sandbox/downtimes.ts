/** Downtimes through the v2 API, and what both versions share: https://docs.datadoghq.com/api/latest/downtimes/. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import type { Downtime } from "./documents.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { describeMaker } from "./profiles.ts";
import { accept, count, del, get, looking, numeric, patch, post, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const time = z.iso.datetime({ offset: true });

const attributes = loose({
  scope: z.string().min(1).optional(),
  monitor_identifier: z
    .union([z.object({ monitor_id: z.number().int() }), z.object({ monitor_tags: z.array(z.string()).min(1) })])
    .optional(),
  message: z.string().nullish(),
  display_timezone: z.string().nullish(),
  mute_first_recovery_notification: z.boolean().optional(),
  notify_end_states: z.array(z.enum(["alert", "no data", "warn"])).optional(),
  notify_end_types: z.array(z.enum(["canceled", "expired"])).optional(),
  schedule: loose({ start: time.nullish(), end: time.nullish() }).nullish(),
});
const change = z.object({ data: z.object({ id: z.guid(), type: z.literal("downtime"), attributes }) });
const draft = z.object({
  data: z.object({
    type: z.literal("downtime"),
    attributes: attributes.required({ scope: true, monitor_identifier: true }),
  }),
});

type Attributes = z.infer<typeof attributes>;

export const downtimeRoutes = (org: Organization): readonly Route[] => {
  const { downtimes } = org;
  const found = looking(
    (asked) => downtimes.get(asked.params["downtime_id"] ?? ""),
    () => "Downtime not found",
  );
  const one: typeof found = (handle) => (asked) =>
    z.guid().safeParse(asked.params["downtime_id"]).success
      ? found(handle)(asked)
      : refused(400, "Invalid URL param: downtime_id must be an uuid");
  const answer = (downtime: Downtime): JsonObject => ({
    data: describeDowntime(org, downtime),
    included: [describeMaker(org.me)],
  });

  return [
    get("/api/v2/downtime", (asked) => {
      const found = [...downtimes.values()].filter(
        (downtime) => asked.query.get("current_only") !== "true" || statusOf(org, downtime) === "active",
      );
      const page = { offset: count(asked, "page[offset]", 0), limit: count(asked, "page[limit]", 30) };
      return ok({
        data: slice(found, page).map((downtime) => describeDowntime(org, downtime)),
        meta: { page: { total_filtered_count: found.length } },
      });
    }),
    post("/api/v2/downtime", (asked) =>
      accept(asked, draft, ({ data }) => {
        const downtime = changeDowntime(org, openDowntime(org), data.attributes);
        if (endsBeforeStart(downtime)) return refused(400, "Downtime end must be after its start");
        downtimes.set(downtime.uuid, downtime);
        return ok(answer(downtime));
      }),
    ),
    get(
      "/api/v2/downtime/{downtime_id}",
      one((downtime) => ok(answer(downtime))),
    ),
    patch(
      "/api/v2/downtime/{downtime_id}",
      one((before, asked) =>
        accept(asked, change, ({ data }) => {
          const downtime = changeDowntime(org, before, data.attributes);
          if (endsBeforeStart(downtime)) return refused(400, "Downtime end must be after its start");
          downtimes.set(downtime.uuid, downtime);
          return ok(answer(downtime));
        }),
      ),
    ),
    del(
      "/api/v2/downtime/{downtime_id}",
      one((downtime) => {
        cancelDowntime(org, downtime);
        return noContent;
      }),
    ),
    get(
      "/api/v2/monitor/{monitor_id}/downtime_matches",
      looking(
        (asked) => org.monitors.get(numeric(asked.params["monitor_id"])),
        () => "Monitor not found",
      )((monitor) => {
        const active = downtimesOfMonitor(org, monitor.id);
        const data = active.map(({ uuid, scope, start, end }) => ({
          type: "downtime_match",
          id: uuid,
          attributes: { scope, groups: [], start: stamp(start), end: end && stamp(end) },
        }));
        return ok({ data, meta: { page: { total_filtered_count: data.length } } });
      }),
    ),
  ];
};

/** A downtime that silences everything from now on, to be narrowed. */
export const openDowntime = (org: Organization): Downtime => {
  const now = org.clock();
  return {
    id: org.ids.number("downtime", 10),
    uuid: org.ids.uuid(),
    scope: "*",
    monitor: { tags: ["*"] },
    message: null,
    start: now,
    end: null,
    timezone: "UTC",
    created: now,
    modified: now,
    canceled: null,
    recurrence: null,
    mute_first_recovery_notification: false,
    notify_end_states: ["alert", "no data", "warn"],
    notify_end_types: ["expired"],
  };
};

export const endsBeforeStart = ({ start, end }: Downtime): boolean => end !== null && end <= start;

/** Canceled downtimes stay to be looked at. */
export const cancelDowntime = (org: Organization, downtime: Downtime): void => {
  const now = org.clock();
  org.downtimes.set(downtime.uuid, { ...downtime, canceled: downtime.canceled ?? now, modified: now });
};

export const statusOf = (
  org: Organization,
  { canceled, start, end }: Downtime,
): "active" | "canceled" | "ended" | "scheduled" => {
  const now = org.clock();
  if (canceled !== null) return "canceled";
  if (end !== null && end <= now) return "ended";
  return start > now ? "scheduled" : "active";
};

/** The active downtimes that name this monitor, by its id or by all of its tags. */
export const downtimesOfMonitor = (org: Organization, id: number): readonly Downtime[] =>
  [...org.downtimes.values()].filter((downtime) => {
    if (statusOf(org, downtime) !== "active") return false;
    if ("id" in downtime.monitor) return downtime.monitor.id === id;
    const tags = org.monitors.get(id)?.tags ?? [];
    return downtime.monitor.tags.every((tag) => tag === "*" || tags.includes(tag));
  });

const changeDowntime = (org: Organization, before: Downtime, wanted: Attributes): Downtime => {
  const { monitor_identifier: monitor, schedule, display_timezone: timezone } = wanted;
  const { scope, message, mute_first_recovery_notification, notify_end_states, notify_end_types } = wanted;
  const { start, end, ...rest } = schedule ?? {};
  const kept = { scope, mute_first_recovery_notification, notify_end_states, notify_end_types };
  return {
    ...before,
    ...stated(kept),
    ...(message === undefined ? {} : { message }),
    ...(monitor === undefined
      ? {}
      : { monitor: "monitor_id" in monitor ? { id: monitor.monitor_id } : { tags: monitor.monitor_tags } }),
    ...(start == null ? {} : { start: new Date(start) }),
    ...(end === undefined ? {} : { end: end === null ? null : new Date(end) }),
    ...("recurrences" in rest ? { recurrence: rest } : {}),
    ...(timezone == null ? {} : { timezone }),
    modified: org.clock(),
  };
};

const describeDowntime = (org: Organization, downtime: Downtime): JsonObject => ({
  type: "downtime",
  id: downtime.uuid,
  attributes: {
    scope: downtime.scope,
    monitor_identifier:
      "id" in downtime.monitor ? { monitor_id: downtime.monitor.id } : { monitor_tags: downtime.monitor.tags },
    message: downtime.message,
    status: statusOf(org, downtime),
    display_timezone: downtime.timezone,
    mute_first_recovery_notification: downtime.mute_first_recovery_notification,
    notify_end_states: downtime.notify_end_states,
    notify_end_types: downtime.notify_end_types,
    schedule:
      downtime.recurrence !== null && "recurrences" in downtime.recurrence
        ? downtime.recurrence
        : { start: stamp(downtime.start), end: downtime.end && stamp(downtime.end) },
    created: stamp(downtime.created),
    modified: stamp(downtime.modified),
    canceled: downtime.canceled && stamp(downtime.canceled),
  },
  relationships: {
    monitor: { data: "id" in downtime.monitor ? { type: "monitors", id: String(downtime.monitor.id) } : null },
    created_by: { data: { type: "users", id: org.me.uuid } },
  },
});
