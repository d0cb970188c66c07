/** Roles, what they may do and who has them: https://docs.datadoghq.com/api/latest/roles/. */

import { z } from "zod";
import { type Answer, noContent, ok, refused } from "./answer.ts";
import type { Role } from "./documents.ts";
import type { Organization } from "./organization.ts";
import { type Permission, permissions } from "./permissions.ts";
import { describePermission, describeRole, describeUser, grantedTo } from "./profiles.ts";
import { accept, type Asked, count, del, get, looking, patch, post, type Route, slice } from "./route.ts";

const granted = z.object({
  permissions: z.object({ data: z.array(z.object({ id: z.string(), type: z.literal("permissions") })) }).optional(),
});

const draft = z.object({
  data: z.object({
    type: z.literal("roles").optional(),
    attributes: z.object({ name: z.string() }),
    relationships: granted.optional(),
  }),
});
const change = z.object({
  data: z.object({
    type: z.literal("roles"),
    id: z.string(),
    attributes: z.object({ name: z.string().optional() }),
    relationships: granted.optional(),
  }),
});

const chosen = z.object({ data: z.object({ id: z.string(), type: z.string() }) });

export const roleRoutes = (org: Organization): readonly Route[] => {
  const { roles } = org;
  const one = looking(
    (asked) => roles.get(asked.params["role_id"] ?? ""),
    (asked) => `${asked.params["role_id"]} not found`,
  );
  const answer = (role: Role): Answer => ok({ data: describeRole(org, role) });

  return [
    get("/api/v2/permissions", () => ok({ data: permissions.map(describePermission) })),
    get("/api/v2/roles", (asked) => listRoles(org, asked)),
    post("/api/v2/roles", (asked) =>
      accept(asked, draft, ({ data: { attributes, relationships } }) =>
        keep(org, { name: attributes.name, wanted: relationships?.permissions?.data ?? [] }, answer),
      ),
    ),
    post(
      "/api/v2/roles/{role_id}/clone",
      one((role, asked) =>
        accept(asked, draft, ({ data: { attributes } }) =>
          keep(org, { name: attributes.name, wanted: grantedTo(role) }, answer),
        ),
      ),
    ),
    get("/api/v2/roles/{role_id}", one(answer)),
    patch(
      "/api/v2/roles/{role_id}",
      one((role, asked) =>
        accept(asked, change, ({ data: { id, attributes, relationships } }) => {
          if (id !== role.id) return refused(400, "Invalid input ");
          const wanted = relationships?.permissions?.data ?? grantedTo(role);
          return keep(org, { name: attributes.name ?? role.name, wanted, before: role }, answer);
        }),
      ),
    ),
    del(
      "/api/v2/roles/{role_id}",
      one(({ id }) => {
        roles.delete(id);
        for (const person of [...org.people.values()].filter((each) => each.roles.includes(id)))
          org.people.set(person.uuid, { ...person, roles: person.roles.filter((each) => each !== id) });
        return noContent;
      }),
    ),
    ...grantRoutes(org, one),
    ...memberRoutes(org, one),
  ];
};

type Wish = {
  readonly name: string;
  readonly wanted: readonly { readonly id: string }[];
  readonly before?: Role;
};

const keep = (org: Organization, { name, wanted, before }: Wish, answer: (role: Role) => Answer): Answer => {
  if (name.trim() === "") return refused(400, "Role names cannot be only whitespace");
  const ids = new Set(wanted.map(({ id }) => id));
  if ([...ids].some((id) => !permissions.some((permission) => permission.id === id)))
    return refused(400, "Invalid input ");
  const now = org.clock();
  const role: Role = {
    id: before?.id ?? org.ids.uuid(),
    name,
    created: before?.created ?? now,
    modified: now,
    permissions: permissions.filter(({ id, restricted }) => restricted || ids.has(id)).map(({ id }) => id),
  };
  org.roles.set(role.id, role);
  return answer(role);
};

type One = (handle: (role: Role, asked: Asked) => Answer) => Route["handle"];

const grantRoutes = (org: Organization, one: One): readonly Route[] => {
  const path = "/api/v2/roles/{role_id}/permissions";
  const list = (role: Role): Answer => ok({ data: grantedTo(role).map(describePermission) });
  const changing = (next: (held: readonly string[], permission: Permission) => readonly string[]) =>
    one((role, asked) => {
      const parsed = chosen.safeParse(asked.json);
      if (!parsed.success || parsed.data.data.type !== "permissions") return refused(400, "400 BAD REQUEST");
      const permission = permissions.find(({ id }) => id === parsed.data.data.id);
      if (permission === undefined) return refused(404, `${parsed.data.data.id} not found`);
      const after = { ...role, permissions: next(role.permissions, permission), modified: org.clock() };
      org.roles.set(role.id, after);
      return list(after);
    });
  return [
    get(path, one(list)),
    post(
      path,
      changing((held, { id }) => [...new Set([...held, id])]),
    ),
    del(
      path,
      changing((held, { id, restricted }) => held.filter((each) => restricted || each !== id)),
    ),
  ];
};

const memberRoutes = (org: Organization, one: One): readonly Route[] => {
  const path = "/api/v2/roles/{role_id}/users";
  const list = ({ id }: Role, asked: Asked): Answer => {
    const members = [...org.people.values()].filter((each) => each.roles.includes(id));
    const limit = count(asked, "page[size]", 10);
    const shown = slice(members, { offset: count(asked, "page[number]", 0) * limit, limit });
    return ok({
      data: shown.map((each) => describeUser(org, each)),
      meta: { page: { total_count: members.length, total_filtered_count: members.length } },
    });
  };
  const changing = (next: (held: readonly string[], role: string) => readonly string[]) =>
    one((role, asked) =>
      accept(asked, chosen, ({ data: { id } }) => {
        const person = org.people.get(id);
        if (person === undefined) return refused(404, `${id} not found`);
        org.people.set(id, { ...person, roles: next(person.roles, role.id) });
        return list(role, asked);
      }),
    );
  return [
    get(path, one(list)),
    post(
      path,
      changing((held, role) => [...new Set([...held, role])]),
    ),
    del(
      path,
      changing((held, role) => held.filter((each) => each !== role)),
    ),
  ];
};

const listRoles = (org: Organization, asked: Asked): Answer => {
  const filter = asked.query.get("filter")?.toLowerCase() ?? "";
  const found = [...org.roles.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  const limit = count(asked, "page[size]", 10);
  const shown = slice(found, { offset: count(asked, "page[number]", 0) * limit, limit });
  return ok({
    data: shown.map((each) => describeRole(org, each)),
    meta: { page: { total_count: org.roles.size, total_filtered_count: found.length } },
  });
};
