/** Monitors, v1: https://docs.datadoghq.com/api/latest/monitors/. They never evaluate: each stays at "No Data". */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { Monitor } from "./documents.ts";
import { loose, stated } from "./json.ts";
import { searchMonitorGroups, searchMonitors } from "./monitorSearch.ts";
import { creator, type Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, looking, numeric, post, put, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const types = [
  "audit alert",
  "ci-pipelines alert",
  "ci-tests alert",
  "composite",
  "cost alert",
  "data-quality alert",
  "database-monitoring alert",
  "error-tracking alert",
  "event alert",
  "event-v2 alert",
  "llm-observability alert",
  "log alert",
  "metric alert",
  "network-performance alert",
  "process alert",
  "query alert",
  "rum alert",
  "service check",
  "slo alert",
  "synthetics alert",
  "trace-analytics alert",
] as const;

/** Kinds that count what a search finds; their groups may be one alert. */
const searched: ReadonlySet<string> = new Set([
  "audit alert",
  "ci-pipelines alert",
  "ci-tests alert",
  "cost alert",
  "database-monitoring alert",
  "error-tracking alert",
  "event-v2 alert",
  "log alert",
  "rum alert",
  "trace-analytics alert",
]);

const change = loose({
  name: z.string().min(1).optional(),
  type: z.enum(types).optional(),
  query: z.string().min(1).optional(),
  message: z.string().optional(),
  tags: z.array(z.string()).nullish(),
  options: loose({}).optional(),
  priority: z.number().int().min(1).max(5).nullish(),
  assets: z.array(loose({})).optional(),
});
const draft = change.required({ type: true, query: true });

/** Fields that the API decides and a client's value never changes: clients send whole monitors back. */
const own = ["org_id", "created", "created_at", "creator", "deleted", "multi"];

export const monitorRoutes = (org: Organization): readonly Route[] => {
  const { monitors } = org;
  const byId = (asked: Asked): Monitor | undefined => monitors.get(numeric(asked.params["monitor_id"]));
  const one = looking(byId, () => "Monitor not found");

  return [
    get("/api/v1/monitor", (asked) => ok(listMonitors(org, asked))),
    post("/api/v1/monitor", (asked) =>
      accept(asked, draft, (body) => {
        const monitor = createMonitor(org, body);
        monitors.set(monitor.id, monitor);
        return ok(monitor);
      }),
    ),
    post("/api/v1/monitor/validate", (asked) => accept(asked, draft, validate)),
    post(
      "/api/v1/monitor/{monitor_id}/validate",
      one((_, asked) => accept(asked, draft, validate)),
    ),
    get("/api/v1/monitor/can_delete", (asked) => canDelete(org, asked)),
    get("/api/v1/monitor/search", (asked) => searchMonitors(org, asked)),
    get("/api/v1/monitor/groups/search", (asked) => searchMonitorGroups(org, asked)),
    get(
      "/api/v1/monitor/{monitor_id}",
      one((monitor) => ok(monitor)),
    ),
    put(
      "/api/v1/monitor/{monitor_id}",
      one((monitor, asked) => accept(asked, change, (body) => ok(update(org, monitor, body)))),
    ),
    del(
      "/api/v1/monitor/{monitor_id}",
      one((monitor, asked) => removeMonitor(org, monitor, asked)),
    ),
    post(
      "/api/v1/monitor/{monitor_id}/mute",
      one((monitor, asked) => {
        const until = count(asked, "end", 0);
        const silenced = { [asked.query.get("scope") ?? "*"]: until === 0 ? null : until };
        return ok(update(org, monitor, { options: { ...monitor.options, silenced } }));
      }),
    ),
    post(
      "/api/v1/monitor/{monitor_id}/unmute",
      one((monitor) => ok(update(org, monitor, { options: { ...monitor.options, silenced: {} } }))),
    ),
  ];
};

const validate = ({ type, query }: z.infer<typeof draft>): Answer =>
  // Every kind but these compares a number with a threshold.
  ["composite", "service check"].includes(type) || /[<>]=?\s*-?[\d.]+\s*$/.test(query)
    ? ok({})
    : refused(400, "The value provided for parameter 'query' is invalid: invalid operator specified: ");

const createMonitor = (org: Organization, body: z.infer<typeof draft>): Monitor => {
  const now = org.clock();
  const id = org.ids.number("monitor", 9);
  return {
    priority: null,
    restricted_roles: null,
    restriction_policy: null,
    draft_status: "published",
    ...body,
    id,
    assets: (body.assets ?? []).map((asset) => ({ template_variables: {}, options: {}, ...asset, monitor_id: id })),
    org_id: org.id,
    name: body.name ?? body.query,
    message: body.message ?? "",
    tags: body.tags ?? [],
    options: {
      notify_audit: false,
      notify_no_data: false,
      include_tags: true,
      new_host_delay: 300,
      silenced: {},
      ...(searched.has(body.type) ? { groupby_simple_monitor: false } : {}),
      ...body.options,
    },
    multi: body.query.includes(" by {") || body.query.includes(".by("),
    created_at: now.getTime(),
    created: stamp(now),
    modified: stamp(now),
    deleted: null,
    overall_state_modified: null,
    overall_state: "No Data",
    creator: { ...creator(org), id: org.me.id },
  };
};

const update = (org: Organization, monitor: Monitor, body: z.infer<typeof change>): Monitor => {
  const kept = Object.fromEntries(own.map((name) => [name, monitor[name]]));
  const next = {
    ...monitor,
    ...stated(body),
    ...kept,
    tags: body.tags ?? monitor.tags,
    id: monitor.id,
    overall_state: monitor.overall_state,
    modified: stamp(org.clock()),
  };
  org.monitors.set(monitor.id, next);
  return next;
};

const removeMonitor = (org: Organization, monitor: Monitor, asked: Asked): Answer => {
  const uses = usesOf(org, monitor);
  if (uses !== undefined && asked.query.get("force") !== "true") return refused(400, uses);
  org.monitors.delete(monitor.id);
  return ok({ deleted_monitor_id: monitor.id });
};

/** Why a monitor cannot be deleted without force. */
const usesOf = (org: Organization, monitor: Monitor): string | undefined => {
  const slos = [...org.slos.values()].filter((slo) => slo.monitor_ids?.includes(monitor.id));
  if (slos.length === 0) return undefined;
  return `monitor [${monitor.id},${monitor.name}] is referenced in slos: ${slos.map(({ id, name }) => `${id}, ${name}`).join("; ")}`;
};

const canDelete = (org: Organization, asked: Asked): Answer => {
  const wanted = asked.query.getAll("monitor_ids").flatMap((ids) => ids.split(","));
  const found = wanted.map((id) => org.monitors.get(numeric(id)));
  const monitors = found.filter((monitor) => monitor !== undefined);
  if (monitors.length === 0 || monitors.length < wanted.length) return refused(404, "Monitor not found");
  const blocked = monitors.flatMap((monitor) => {
    const uses = usesOf(org, monitor);
    return uses === undefined ? [] : [[monitor.id, [uses]] as const];
  });
  const free = monitors.map(({ id }) => id).filter((id) => !blocked.some(([blockedId]) => blockedId === id));
  if (blocked.length === 0) return ok({ data: { ok: free }, errors: null });
  return { status: 409, body: { data: { ok: free }, errors: Object.fromEntries(blocked) } };
};

const listMonitors = (org: Organization, asked: Asked): readonly Monitor[] => {
  const name = asked.query.get("name")?.toLowerCase() ?? "";
  const tags = (asked.query.get("monitor_tags") ?? "").split(",").filter((tag) => tag !== "");
  const after = count(asked, "id_offset", 0);
  const found = [...org.monitors.values()].filter(
    (monitor) =>
      monitor.id > after &&
      monitor.name.toLowerCase().includes(name) &&
      tags.every((tag) => monitor.tags.includes(tag)),
  );
  // Without `page` and `page_size` Datadog answers all of them.
  if (!asked.query.has("page") && !asked.query.has("page_size")) return found;
  const limit = Math.min(count(asked, "page_size", 100), 1000);
  return slice(found, { offset: count(asked, "page", 0) * limit, limit });
};
