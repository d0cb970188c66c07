/** Who is told of security signals and vulnerabilities, and what happens to findings by rule: https://docs.datadoghq.com/api/latest/security-monitoring/. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const notice = loose({
  name: z.string().min(1),
  enabled: z.boolean().optional(),
  selectors: loose({ trigger_source: z.enum(["security_findings", "security_signals"]) }),
  targets: z.array(z.string()).min(1),
  time_aggregation: z.number().int().min(0).optional(),
  version: z.number().int().optional(),
});

const automation = loose({
  name: z.string().min(1),
  enabled: z.boolean().optional(),
  rule: loose({ finding_types: z.array(z.string()).min(1), query: z.string().optional() }),
  action: loose({}),
});

const automations = ["mute_rules", "due_date_rules", "ticket_creation_rules"] as const;

export const securityNoticeRoutes = (org: Organization): readonly Route[] => [
  ...["signals", "vulnerabilities"].flatMap((what) => noticeRoutes(org, `/api/v2/security/${what}/notification_rules`)),
  ...automations.flatMap((type) => automationRoutes(org, type)),
];

const noticeRoutes = (org: Organization, path: string): readonly Route[] =>
  collect(org, {
    path,
    type: "notification_rules",
    told: notice,
    made: 201,
    changedBy: "PATCH",
    idOf: () => org.ids.dashboard(),
    missing: (id) => `not_found(Notification rule with id '${id}' not found)`,
    attributes: (told, before) => {
      const version = Number(before?.["version"] ?? 0);
      if (before !== undefined && (told.version ?? 0) === 0)
        return "input_validation_error(Field 'data.attributes.version' is invalid: Specify the notification rule version to update, it cannot be 0.)";
      if (before !== undefined && told.version !== version)
        return `input_validation_error(Field 'data.attributes.version' is invalid: the present version is ${version}.)`;
      const now = org.clock().getTime();
      const me = { name: org.me.name, handle: org.me.handle };
      return {
        enabled: true,
        time_aggregation: 0,
        created_at: now,
        created_by: me,
        ...before,
        ...stated(told),
        modified_at: now,
        modified_by: me,
        version: version + 1,
      };
    },
  }).routes;

const automationRoutes = (org: Organization, type: (typeof automations)[number]): readonly Route[] => {
  const path = `/api/v2/security/findings/automation/${type}`;
  const page = `${path}?page[size]=1000&page[number]=0`;
  return collect(org, {
    path,
    type,
    told: automation,
    strict: true,
    changedBy: "PUT",
    missing: () => "rule does not exist",
    attributes: (told, before) => {
      const now = org.clock().getTime();
      const me = { type: "user", id: org.me.uuid, name: org.me.name };
      return {
        enabled: true,
        created_at: now,
        created_by: me,
        ...before,
        ...stated(told),
        modified_at: now,
        modified_by: me,
      };
    },
    list: (all) => ({
      shown: all,
      meta: { page: { total_filtered_count: all.length } },
      links: { first: page, last: page },
    }),
  }).routes;
};
