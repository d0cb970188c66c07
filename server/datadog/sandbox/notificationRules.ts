/** Who is told of monitors by their tags, v2: https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor-notification-rule. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { describeMaker } from "./profiles.ts";
import type { Route } from "./route.ts";
import { stamp } from "./time.ts";

const told = loose({
  name: z.string().min(1).max(1000),
  filter: loose({ tags: z.array(z.string()).min(1).optional(), scope: z.string().optional() }),
  recipients: z.array(z.string()).optional(),
  conditional_recipients: loose({
    conditions: z.array(loose({ scope: z.string(), recipients: z.array(z.string()) })).min(1),
  }).optional(),
});

const type = "monitor-notification-rule";

/** What is answered as the time of the last change before there was one. */
const never = "1970-01-01T00:00:00+00:00";

export const notificationRuleRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path: "/api/v2/monitor/notification_rule",
    type,
    told,
    changedBy: "PATCH",
    missing: () => "Monitor notification rule not found",
    attributes: (wanted, before) => {
      const { recipients, conditional_recipients: conditional } = wanted;
      if ((recipients === undefined) === (conditional === undefined))
        return "Exactly one of recipients and conditional_recipients is needed";
      const now = stamp(org.clock());
      return {
        ...stated({ name: before?.["name"], filter: before?.["filter"], ...stated(wanted) }),
        created_at: before?.["created_at"] ?? now,
        modified_at: before === undefined ? never : now,
      };
    },
    describe: (item) => ({
      data: { type, ...item, relationships: { created_by: { data: { type: "users", id: org.me.uuid } } } },
      included: [describeMaker(org.me)],
    }),
  }).routes;
