/** How people, roles and permissions are answered, by themselves and beside what people made. */

import { createHash } from "node:crypto";
import type { Person, Role } from "./documents.ts";
import type { JsonObject } from "./json.ts";
import type { Organization } from "./organization.ts";
import { type Permission, permissions } from "./permissions.ts";
import { stamp } from "./time.ts";

export const iconOf = ({ email }: Person): string =>
  `https://secure.gravatar.com/avatar/${createHash("md5").update(email).digest("hex")}?s=48&d=retro`;

export const statusOf = (person: Person): string =>
  person.disabled ? "Disabled" : person.verified ? "Active" : "Pending";

export const describeUser = (org: Organization, person: Person): JsonObject => ({
  type: "users",
  id: person.uuid,
  attributes: { uuid: person.uuid, ...attributesOf(person), last_login_time: null },
  relationships: {
    roles: { data: person.roles.map((id) => ({ type: "roles", id })) },
    org: { data: { type: "orgs", id: org.uuid } },
  },
});

const attributesOf = (person: Person): JsonObject => ({
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
  status: statusOf(person),
});

/** A person as what is included with something that they made. */
export const describeMaker = (person: Person): JsonObject => ({
  type: "users",
  id: person.uuid,
  attributes: attributesOf(person),
});

export const grantedTo = (role: Role): readonly Permission[] =>
  permissions.filter(({ id }) => role.permissions.includes(id));

export const describeRole = (org: Organization, role: Role): JsonObject => ({
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

export const describePermission = ({ id, ...attributes }: Permission): JsonObject => ({
  type: "permissions",
  id,
  attributes,
});
