/** Which logs roles may see, v2: https://docs.datadoghq.com/api/latest/logs-restriction-queries/. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import { collect } from "./collections.ts";
import type { Organization } from "./organization.ts";
import { describeRole } from "./profiles.ts";
import { accept, type Asked, del, get, looking, post, type Route } from "./route.ts";
import { stamp } from "./time.ts";

const chosen = z.object({ data: z.object({ id: z.string(), type: z.literal("roles") }) });

const path = "/api/v2/logs/config/restriction_queries";

export const restrictionQueryRoutes = (org: Organization): readonly Route[] => {
  const granted = org.room.shelf<string, readonly string[]>();
  const rolesOf = (id: string): readonly string[] => (granted.get(id) ?? []).filter((role) => org.roles.has(role));

  const { items, routes } = collect(org, {
    path,
    type: "logs_restriction_queries",
    told: z.object({ restriction_query: z.string() }),
    changedBy: "PATCH",
    missing: () => "Restriction query not found",
    attributes: (told, before) => {
      const now = stamp(org.clock());
      return { created_at: now, ...before, ...told, modified_at: now };
    },
  });
  const one = looking(
    (asked) => items.get(asked.params["item_id"] ?? ""),
    () => "Restriction query not found",
  );
  const granting = (change: (roles: readonly string[], role: string) => readonly string[]) => (asked: Asked) =>
    accept(asked, chosen, ({ data: { id: role } }) => {
      if (!org.roles.has(role)) return refused(404, `Role with id: ${role} not found`);
      return one(({ id }) => {
        granted.set(id, change(rolesOf(id), role));
        return noContent;
      })(asked);
    });

  return [
    // One by itself says which roles it is for.
    get(
      `${path}/{item_id}`,
      one((item) => {
        const roles = { data: rolesOf(item.id).map((id) => ({ type: "roles", id })) };
        return ok({ data: { type: "logs_restriction_queries", ...item, relationships: { roles } } });
      }),
    ),
    ...routes.filter(({ method, path: at }) => method !== "GET" || at === path),
    get(
      `${path}/{item_id}/roles`,
      one(({ id }) => {
        const roles = [...org.roles.values()].filter((role) => rolesOf(id).includes(role.id));
        return ok({
          data: roles.map((role) => describeRole(org, role)),
          meta: { page: { total_count: roles.length, total_filtered_count: roles.length } },
        });
      }),
    ),
    post(
      `${path}/{item_id}/roles`,
      granting((roles, role) => [...new Set([...roles, role])]),
    ),
    del(
      `${path}/{item_id}/roles`,
      granting((roles, role) => roles.filter((each) => each !== role)),
    ),
  ];
};
