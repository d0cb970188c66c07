/** Downtimes through the deprecated v1 API, which many agents still call; they are the v2 API's downtimes in another shape. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import type { Downtime } from "./documents.ts";
import { cancelDowntime, downtimesOfMonitor, endsBeforeStart, openDowntime, statusOf } from "./downtimes.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, numeric, post, put, type Route } from "./route.ts";
import { epoch, seconds } from "./time.ts";

const change = loose({
  scope: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  monitor_id: z.number().int().nullish(),
  monitor_tags: z.array(z.string()).nullish(),
  message: z.string().nullish(),
  start: epoch.nullish(),
  end: epoch.nullish(),
  timezone: z.string().nullish(),
  mute_first_recovery_notification: z.boolean().optional(),
  notify_end_states: z.array(z.enum(["alert", "no data", "warn"])).optional(),
  notify_end_types: z.array(z.enum(["canceled", "expired"])).optional(),
  recurrence: loose({
    type: z.enum(["days", "weeks", "months", "years", "rrule"]),
    period: z.number().int().optional(),
  }).nullish(),
});
const draft = change.required({ scope: true });
const scoped = z.object({ scope: z.string().min(1) });

const separator = " AND ";

export const oldDowntimeRoutes = (org: Organization): readonly Route[] => {
  const { downtimes } = org;
  const all = (): readonly Downtime[] => [...downtimes.values()];
  const one = looking(
    (asked) => all().find(({ id }) => id === numeric(asked.params["downtime_id"])),
    (asked) => `Downtime ${asked.params["downtime_id"]} not found`,
  );
  const keep = (downtime: Downtime) => {
    if (endsBeforeStart(downtime)) return refused(400, "The value provided for parameter 'end' is invalid");
    downtimes.set(downtime.uuid, downtime);
    return ok(describe(org, downtime));
  };

  return [
    get("/api/v1/downtime", (asked) =>
      ok(
        all()
          .filter((downtime) => asked.query.get("current_only") !== "true" || statusOf(org, downtime) === "active")
          .map((downtime) => describe(org, downtime)),
      ),
    ),
    post("/api/v1/downtime", (asked) => accept(asked, draft, (body) => keep(apply(org, openDowntime(org), body)))),
    post("/api/v1/downtime/cancel/by_scope", (asked) =>
      accept(asked, scoped, ({ scope }) => {
        const wanted = scope.split(",").join(separator);
        const found = all().filter((downtime) => downtime.scope === wanted && downtime.canceled === null);
        if (found.length === 0) return refused(404, `No downtimes found with scope ${scope}`);
        for (const downtime of found) cancelDowntime(org, downtime);
        return ok({ cancelled_ids: found.map(({ id }) => id) });
      }),
    ),
    get(
      "/api/v1/downtime/{downtime_id}",
      one((downtime) => ok(describe(org, downtime))),
    ),
    put(
      "/api/v1/downtime/{downtime_id}",
      one((downtime, asked) => accept(asked, change, (body) => keep(apply(org, downtime, body)))),
    ),
    del(
      "/api/v1/downtime/{downtime_id}",
      one((downtime) => {
        cancelDowntime(org, downtime);
        return noContent;
      }),
    ),
    get(
      "/api/v1/monitor/{monitor_id}/downtimes",
      looking(
        (asked) => org.monitors.get(numeric(asked.params["monitor_id"])),
        () => "Monitor not found",
      )(({ id }) => ok(downtimesOfMonitor(org, id).map((downtime) => describe(org, downtime)))),
    ),
  ];
};

const apply = (org: Organization, before: Downtime, body: z.infer<typeof change>): Downtime => ({
  ...before,
  ...(body.scope === undefined ? {} : { scope: [body.scope].flat().join(separator) }),
  ...(body.monitor_tags == null ? {} : { monitor: { tags: body.monitor_tags } }),
  ...(body.monitor_id == null ? {} : { monitor: { id: body.monitor_id } }),
  ...(body.message === undefined ? {} : { message: body.message }),
  ...(body.start == null ? {} : { start: new Date(body.start * 1000) }),
  ...(body.end === undefined ? {} : { end: body.end === null ? null : new Date(body.end * 1000) }),
  ...(body.timezone == null ? {} : { timezone: body.timezone }),
  ...stated({
    mute_first_recovery_notification: body.mute_first_recovery_notification,
    notify_end_states: body.notify_end_states,
    notify_end_types: body.notify_end_types,
  }),
  ...(body.recurrence === undefined ? {} : { recurrence: body.recurrence }),
  modified: org.clock(),
});

const describe = (org: Organization, downtime: Downtime): JsonObject => {
  const status = statusOf(org, downtime);
  return {
    id: downtime.id,
    uuid: downtime.uuid,
    org_id: org.id,
    monitor_id: "id" in downtime.monitor ? downtime.monitor.id : null,
    monitor_tags: "id" in downtime.monitor ? ["*"] : downtime.monitor.tags,
    scope: downtime.scope.split(separator),
    message: downtime.message,
    start: seconds(downtime.start),
    end: downtime.end && seconds(downtime.end),
    canceled: downtime.canceled && seconds(downtime.canceled),
    created: seconds(downtime.created),
    modified: seconds(downtime.modified),
    active: status === "active",
    disabled: status === "canceled",
    status,
    recurrence:
      downtime.recurrence && !("recurrences" in downtime.recurrence)
        ? { week_days: null, until_occurrences: null, until_date: null, ...downtime.recurrence }
        : null,
    timezone: downtime.timezone,
    parent_id: null,
    child_id: null,
    creator_id: org.me.id,
    updater_id: null,
    downtime_type: 0,
    mute_first_recovery_notification: downtime.mute_first_recovery_notification,
    notify_end_states: downtime.notify_end_states,
    notify_end_types: downtime.notify_end_types,
  };
};
