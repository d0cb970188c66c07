/** Which attribute of an identity provider gives which role, v2: https://docs.datadoghq.com/api/latest/authn-mappings/. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { describeRole } from "./profiles.ts";
import type { Route } from "./route.ts";
import { stamp } from "./time.ts";

const type = "authn_mappings";

const related = z.object({ role: z.object({ data: z.object({ id: z.string(), type: z.literal("roles") }) }) });

export const authnMappingRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path: "/api/v2/authn_mappings",
    type,
    told: loose({ attribute_key: z.string().min(1), attribute_value: z.string().min(1) }),
    changedBy: "PATCH",
    missing: (id) => `AuthN Mapping ${id} not found`,
    attributes: (told, before) => {
      const now = stamp(org.clock());
      return { created_at: now, ...before, ...stated(told), modified_at: now };
    },
    relationships: (told, before): JsonObject | string => {
      const parsed = related.safeParse(told);
      if (!parsed.success) return before ?? "A role is required";
      return org.roles.has(parsed.data.role.data.id) ? parsed.data : `Role ${parsed.data.role.data.id} not found`;
    },
    list: (all) => ({
      shown: all,
      meta: { page: { total_count: all.length, total_filtered_count: all.length } },
    }),
    describe: (item) => {
      const parsed = related.safeParse(item.relationships);
      const role = parsed.success ? org.roles.get(parsed.data.role.data.id) : undefined;
      return { data: { type, ...item }, included: role === undefined ? [] : [describeRole(org, role)] };
    },
  }).routes;
