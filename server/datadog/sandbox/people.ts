/** Users, roles and permissions, to be read: https://docs.datadoghq.com/api/latest/users/ and /roles/. */

import { createHash } from "node:crypto";
import { z } from "zod";
import { created, noContent, ok, refused } from "./answer.ts";
import type { Permission, Person, Role } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, count, del, get, looking, patch, post, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const draft = z.object({
  data: z.object({
    type: z.literal("users"),
    attributes: loose({
      email: z.string().includes("@"),
      name: z.string().nullish(),
      title: z.string().nullish(),
    }),
  }),
});

const change = z.object({
  data: z.object({
    type: z.literal("users"),
    id: z.string(),
    attributes: loose({ name: z.string().optional(), disabled: z.boolean().optional() }),
  }),
});

export const peopleRoutes = (org: Organization): readonly Route[] => {
  const { people, roles } = org;
  const person = looking(
    (asked) => people.get(asked.params["user_id"] ?? ""),
    () => "User not found",
  );
  const role = looking(
    (asked) => roles.get(asked.params["role_id"] ?? ""),
    (asked) => `${asked.params["role_id"]} not found`,
  );
  const included = (someone: Person): readonly JsonObject[] =>
    someone.roles.flatMap((id) =>
      [...roles.values()].filter((each) => each.id === id).map((each) => describeRole(org, each)),
    );

  return [
    get("/api/v2/users", (asked) => {
      const filter = asked.query.get("filter")?.toLowerCase() ?? "";
      const found = [...people.values()].filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(filter));
      const limit = count(asked, "page[size]", 10);
      const shown = slice(found, { offset: count(asked, "page[number]", 0) * limit, limit });
      return ok({
        data: shown.map((each) => describeUser(org, each)),
        included: [
          ...[...roles.values()].map((each) => describeRole(org, each)),
          ...org.permissions.map((each) => describePermission(org, each)),
        ],
        meta: { page: { total_count: people.size, total_filtered_count: found.length } },
      });
    }),
    post("/api/v2/users", (asked) =>
      accept(asked, draft, ({ data: { attributes } }) => {
        const email = attributes.email.toLowerCase();
        if ([...people.values()].some(({ handle }) => handle === email)) return refused(409, "User already exists");
        const now = org.clock();
        const invited: Person = {
          uuid: org.ids.uuid(),
          id: org.ids.number("person", 7),
          name: attributes.name ?? null,
          handle: email,
          email,
          title: attributes.title ?? null,
          created: now,
          modified: now,
          verified: false,
          disabled: false,
          service_account: false,
          roles: [],
        };
        people.set(invited.uuid, invited);
        return created({ data: describeUser(org, invited) });
      }),
    ),
    get("/api/v2/current_user", () => ok({ data: describeUser(org, org.me), included: included(org.me) })),
    get(
      "/api/v2/users/{user_id}",
      person((someone) => ok({ data: describeUser(org, someone), included: included(someone) })),
    ),
    patch(
      "/api/v2/users/{user_id}",
      person((someone, asked) =>
        accept(asked, change, ({ data: { attributes } }) => {
          const { name = someone.name, disabled = someone.disabled } = attributes;
          const next = { ...someone, name, disabled, modified: org.clock() };
          people.set(next.uuid, next);
          return ok({ data: describeUser(org, next) });
        }),
      ),
    ),
    del(
      "/api/v2/users/{user_id}",
      person((someone) => {
        if (someone.uuid === org.me.uuid) return refused(403, "You cannot disable yourself");
        people.set(someone.uuid, { ...someone, disabled: true, modified: org.clock() });
        return noContent;
      }),
    ),
    get("/api/v2/roles", () =>
      ok({
        data: [...roles.values()].map((each) => describeRole(org, each)),
        meta: { page: { total_count: roles.size, total_filtered_count: roles.size } },
      }),
    ),
    get(
      "/api/v2/roles/{role_id}",
      role((found) => ok({ data: describeRole(org, found) })),
    ),
    get(
      "/api/v2/roles/{role_id}/permissions",
      role((found) => ok({ data: granted(org, found).map((each) => describePermission(org, each)) })),
    ),
    get(
      "/api/v2/roles/{role_id}/users",
      role(({ id }) => {
        const members = [...people.values()].filter((each) => each.roles.includes(id));
        return ok({
          data: members.map((each) => describeUser(org, each)),
          meta: { page: { total_count: members.length, total_filtered_count: members.length } },
        });
      }),
    ),
    get("/api/v2/permissions", () => ok({ data: org.permissions.map((each) => describePermission(org, each)) })),
    get("/api/v1/user", () => ok({ users: [...people.values()].map(describeOldUser) })),
    get(
      "/api/v1/user/{user_handle}",
      looking(
        (asked) => [...people.values()].find(({ handle }) => handle === asked.params["user_handle"]),
        () => "User not found",
      )((someone) => ok({ user: describeOldUser(someone) })),
    ),
  ];
};

export const iconOf = ({ email }: Person): string =>
  `https://secure.gravatar.com/avatar/${createHash("md5").update(email).digest("hex")}?s=48&d=retro`;

export const describeUser = (org: Organization, person: Person): JsonObject => ({
  type: "users",
  id: person.uuid,
  attributes: {
    name: person.name,
    handle: person.handle,
    created_at: stamp(person.created),
    modified_at: stamp(person.modified),
    email: person.email,
    icon: iconOf(person),
    title: person.title,
    verified: person.verified,
    service_account: person.service_account,
    disabled: person.disabled,
    allowed_login_methods: [],
    status: person.disabled ? "Disabled" : person.verified ? "Active" : "Pending",
  },
  relationships: {
    roles: { data: person.roles.map((id) => ({ type: "roles", id })) },
    org: { data: { type: "orgs", id: org.uuid } },
  },
});

const describeOldUser = (person: Person): JsonObject => ({
  handle: person.handle,
  name: person.name,
  email: person.email,
  title: person.title,
  role: null,
  access_role: "st",
  is_admin: false,
  disabled: person.disabled,
  verified: person.verified,
  icon: iconOf(person),
});

const granted = (org: Organization, role: Role): readonly Permission[] =>
  org.permissions.filter(({ id }) => role.permissions.includes(id));

const describeRole = (org: Organization, role: Role): JsonObject => ({
  type: "roles",
  id: role.id,
  attributes: {
    name: role.name,
    created_at: stamp(role.created),
    modified_at: stamp(role.modified),
    user_count: [...org.people.values()].filter((person) => person.roles.includes(role.id)).length,
  },
  relationships: { permissions: { data: role.permissions.map((id) => ({ type: "permissions", id })) } },
});

const describePermission = (org: Organization, permission: Permission): JsonObject => ({
  type: "permissions",
  id: permission.id,
  attributes: {
    name: permission.name,
    display_name: permission.display,
    description: `${permission.display}.`,
    created: stamp(org.me.created),
    group_name: permission.group,
    display_type: permission.name.endsWith("_read") ? "read" : "write",
    restricted: false,
  },
});
