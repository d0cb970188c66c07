/** Incidents, v2: https://docs.datadoghq.com/api/latest/incidents/. What hangs on one is in incidentParts.ts, what is set up for all in incidentSetup.ts. */

import { createHash } from "node:crypto";
import { z } from "zod";
import { type Answer, created, noContent, ok, refused } from "./answer.ts";
import type { Incident } from "./documents.ts";
import { type JsonObject, loose, stated, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { iconOf } from "./profiles.ts";
import { accept, type Asked, count, del, get, looking, patch, post, type Route, slice } from "./route.ts";
import { seconds, stamp } from "./time.ts";

const told = loose({
  title: z.string().min(1),
  customer_impacted: z.boolean().optional(),
  customer_impact_scope: z.string().nullish(),
  fields: z.record(z.string(), loose({ value: z.custom<JsonObject[string]>(() => true).optional() })).optional(),
  incident_type_uuid: z.string().optional(),
  is_test: z.boolean().optional(),
});
const partly = told.partial();
const envelope = { type: z.literal("incidents"), relationships: loose({}).optional() };
const draft = z.object({ data: loose({ ...envelope, attributes: told }) });
const change = z.object({ data: loose({ ...envelope, id: z.string(), attributes: partly.optional() }) });

const path = "/api/v2/incidents";

export const incidentRoutes = (org: Organization): readonly Route[] => {
  const { incidents } = org;
  const one = lookingForIncident(org);
  const keep = (incident: Incident): JsonObject => {
    incidents.set(incident.id, incident);
    return { data: describeIncident(org, incident) };
  };

  return [
    get(path, (asked) => {
      const { shown, meta } = pageOfIncidents([...incidents.values()], asked);
      return ok({ data: shown.map((each) => describeIncident(org, each)), meta });
    }),
    post(path, (asked) =>
      accept(asked, draft, ({ data }) => created(keep(changed(org, newIncident(org), data.attributes)))),
    ),
    get(`${path}/search`, (asked) => searchIncidents(org, asked)),
    get(
      `${path}/{incident_id}`,
      one((incident) => ok({ data: describeIncident(org, incident) })),
    ),
    patch(
      `${path}/{incident_id}`,
      one((incident, asked) =>
        accept(asked, change, ({ data }) => ok(keep(changed(org, incident, data.attributes ?? {})))),
      ),
    ),
    del(
      `${path}/{incident_id}`,
      one(({ id }) => {
        incidents.delete(id);
        return noContent;
      }),
    ),
  ];
};

export const lookingForIncident = ({ incidents }: Organization) =>
  looking(
    (asked) => incidents.get(asked.params["incident_id"] ?? ""),
    (asked) => `incident ${asked.params["incident_id"]} not found`,
  );

const newIncident = (org: Organization): Incident => {
  const now = org.clock();
  const number = org.ids.number("incident", 6);
  return {
    id: org.ids.uuid(),
    number,
    title: "",
    created: now,
    modified: now,
    resolved: null,
    told: {},
    fields: {
      severity: { type: "dropdown", value: "UNKNOWN" },
      state: { type: "dropdown", value: "active" },
      detection_method: { type: "dropdown", value: "unknown" },
      root_cause: { type: "textbox", value: null },
      summary: { type: "textbox", value: null },
      services: { type: "autocomplete", value: null },
      teams: { type: "autocomplete", value: null },
      slug: { type: "textbox", value: `IR-${number}` },
    },
  };
};

const changed = (org: Organization, before: Incident, wanted: z.infer<typeof partly>): Incident => {
  const { title = before.title, fields = {}, ...rest } = wanted;
  const now = org.clock();
  const merged = Object.entries(fields).map(([name, field]): [string, JsonObject] => [
    name,
    { ...before.fields[name], ...field },
  ]);
  const next: JsonObject = { ...before.fields, ...Object.fromEntries(merged) };
  const state = (next["state"] as JsonObject | undefined)?.["value"];
  return {
    ...before,
    title,
    fields: next as Incident["fields"],
    told: { ...before.told, ...stated(rest) },
    modified: now,
    resolved: state === "resolved" ? (before.resolved ?? now) : null,
  };
};

const valueOf = ({ fields }: Incident, name: string): string => textOf(fields[name]?.["value"] ?? "");

/** Whoever made something, the way incidents say it. */
export const maker = ({ me }: Organization): JsonObject => ({
  data: {
    type: "users",
    id: me.uuid,
    attributes: { uuid: me.uuid, handle: me.handle, email: me.email, name: me.name, icon: iconOf(me) },
  },
});

/** A field has the same id in every incident. */
const fieldId = (name: string): string =>
  createHash("md5")
    .update(name)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

const describeIncident = (org: Organization, incident: Incident): JsonObject => {
  const user = { data: { type: "users", id: org.me.uuid } };
  const [created, modified] = [stamp(incident.created), stamp(incident.modified)];
  const none = { data: [] };
  return {
    type: "incidents",
    id: incident.id,
    attributes: {
      archived: null,
      case_id: null,
      commander: null,
      created,
      created_by: maker(org),
      created_by_uuid: null,
      creation_idempotency_key: null,
      customer_impact_duration: 0,
      customer_impact_end: null,
      customer_impact_scope: incident.told["customer_impact_scope"] ?? null,
      customer_impact_start: null,
      customer_impacted: incident.told["customer_impacted"] ?? false,
      declared: created,
      declared_by: maker(org),
      declared_by_uuid: null,
      detected: created,
      field_analytics: null,
      fields: incident.fields,
      incident_type_uuid: incident.told["incident_type_uuid"] ?? org.uuid,
      is_test: incident.told["is_test"] ?? false,
      last_modified_by: maker(org),
      last_modified_by_uuid: null,
      modified,
      non_datadog_creator: null,
      notification_handles: incident.told["notification_handles"] ?? null,
      public_id: incident.number,
      resolved: incident.resolved && stamp(incident.resolved),
      severity: valueOf(incident, "severity"),
      state: valueOf(incident, "state"),
      time_to_detect: 0,
      time_to_internal_response: 0,
      time_to_repair: 0,
      time_to_resolve: incident.resolved === null ? 0 : seconds(incident.resolved) - seconds(incident.created),
      title: incident.title,
      visibility: "organization",
    },
    relationships: {
      created_by_user: user,
      last_modified_by_user: user,
      commander_user: { data: null },
      declared_by_user: user,
      user_defined_fields: {
        data: Object.keys(incident.fields).map((name) => ({ type: "user_defined_field", id: fieldId(name) })),
      },
      integrations: none,
      attachments: none,
      responders: none,
      impacts: none,
    },
  };
};

const pageOfIncidents = (found: readonly Incident[], asked: Asked) => {
  const limit = Math.min(100, count(asked, "page[size]", 10));
  const offset = count(asked, "page[offset]", 0);
  const shown = slice(found, { offset, limit });
  return { shown, meta: { pagination: { offset, next_offset: offset + shown.length, size: shown.length } } };
};

/** `state:active AND severity:(SEV-1 OR SEV-2)`: values of fields, which must all fit. */
const searchIncidents = (org: Organization, asked: Asked): Answer => {
  const query = asked.query.get("query");
  if (query === null) return refused(400, "query is required");
  const terms = [...query.matchAll(/([\w-]+):(?:\(([^()]*)\)|("[^"]*"|\S+))/g)].map(
    ([, name = "", several, single]) => ({
      name,
      values: (several ?? single ?? "")
        .split(/\s+OR\s+/)
        .map((value) => value.trim().replaceAll('"', "").toLowerCase()),
    }),
  );
  const found = [...org.incidents.values()].filter((each) =>
    terms.every(({ name, values }) =>
      values.includes((name === "title" ? each.title : valueOf(each, name)).toLowerCase()),
    ),
  );
  const { shown, meta } = pageOfIncidents(found, asked);
  const tally = (name: string): JsonObject[] =>
    [...Map.groupBy(found, (each) => valueOf(each, name))].map(([value, same]) => ({
      name: value,
      count: same.length,
    }));
  return ok({
    data: {
      type: "incidents_search_results",
      attributes: {
        total: found.length,
        facets: { severity: tally("severity"), state: tally("state") },
        incidents: shown.map((each) => ({ data: describeIncident(org, each) })),
      },
    },
    meta,
  });
};
