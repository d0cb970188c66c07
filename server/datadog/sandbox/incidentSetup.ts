/** Kinds of incidents, who is told of them and in which words, v2: https://docs.datadoghq.com/api/latest/incidents/. */

import { z } from "zod";
import { type Answer, jsonApi } from "./answer.ts";
import { collect } from "./collections.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const kind = loose({ name: z.string().min(1), description: z.string().optional(), is_default: z.boolean().optional() });

const rule = loose({
  conditions: z.array(loose({ field: z.string(), values: z.array(z.string()) })).min(1),
  enabled: z.boolean(),
  handles: z.array(z.string()).min(1),
  renotify_on: z.array(z.string()).optional(),
  trigger: z.string().min(1),
  visibility: z.enum(["all", "organization", "private"]),
});

const template = loose({
  name: z.string().min(1),
  category: z.string().min(1),
  content: z.string().min(1),
  subject: z.string().min(1),
});

const base = "/api/v2/incidents/config";

export const incidentSetupRoutes = (org: Organization): readonly Route[] => {
  const user = { data: { id: org.me.uuid, type: "users" } };
  const users = { created_by_user: user, last_modified_by_user: user };
  const none = { data: null };
  const timed = (told: JsonObject, before: JsonObject | undefined): JsonObject => {
    const now = org.clock().toISOString();
    return { ...before, ...stated(told), created: before?.["created"] ?? now, modified: now };
  };
  const related = (told: JsonObject, before: JsonObject | undefined): JsonObject => ({
    incident_type: told["incident_type"] ?? before?.["incident_type"] ?? none,
    ...users,
  });

  const types = collect(org, {
    path: `${base}/types`,
    type: "incident_types",
    told: kind,
    strict: true,
    changedBy: "PATCH",
    missing: () => jsonApi({ status: 404, body: { errors: [{ status: "404", title: "Not Found" }] } }),
    attributes: (told, before) => {
      const now = org.clock().toISOString();
      return {
        description: "",
        is_default: false,
        prefix: "IR",
        createdAt: now,
        createdBy: org.me.uuid,
        ...before,
        ...stated(told),
        modifiedAt: now,
        lastModifiedBy: org.me.uuid,
      };
    },
    relationships: () => ({
      ...users,
      google_chat_configuration: none,
      google_meet_configuration: none,
      microsoft_teams_configuration: none,
      zoom_configuration: none,
    }),
  });
  return [
    ...types.routes,
    ...collect(org, {
      path: `${base}/notification-rules`,
      type: "incident_notification_rules",
      told: rule,
      strict: true,
      changedBy: "PUT",
      missing: () => generic("rule not found"),
      attributes: (told, before) => timed({ renotify_on: [], ...told }, before),
      relationships: related,
      list: (all) => ({
        shown: all,
        meta: { pagination: { offset: 0, next_offset: all.length, size: all.length } },
      }),
    }).routes,
    ...collect(org, {
      path: `${base}/notification-templates`,
      type: "notification_templates",
      told: template,
      strict: true,
      changedBy: "PATCH",
      missing: () => generic("template not found"),
      attributes: timed,
      relationships: related,
    }).routes,
  ];
};

const generic = (detail: string): Answer =>
  jsonApi({ status: 404, body: { errors: [{ title: "Generic Error", detail }] } });
