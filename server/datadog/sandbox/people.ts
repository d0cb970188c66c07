/** Users, v2: https://docs.datadoghq.com/api/latest/users/. Whoever is deleted is disabled, and stays to be looked at. */

import { z } from "zod";
import { type Answer, created, noContent, ok, refused } from "./answer.ts";
import type { Person } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { describePermission, describeRole, describeUser, grantedTo, statusOf } from "./profiles.ts";
import { accept, type Asked, count, del, get, looking, patch, post, type Route, slice } from "./route.ts";

const roles = z.object({ roles: z.object({ data: z.array(z.object({ id: z.string(), type: z.literal("roles") })) }) });

export const personDraft = z.object({
  data: z.object({
    type: z.literal("users"),
    attributes: loose({
      email: z.string().includes("@"),
      name: z.string().nullish(),
      title: z.string().nullish(),
    }),
    relationships: roles.partial().optional(),
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
  const { people } = org;
  const one = looking(
    (asked) => people.get(asked.params["user_id"] ?? ""),
    () => "User not found",
  );

  return [
    get("/api/v2/users", (asked) => listPeople(org, asked)),
    post("/api/v2/users", (asked) =>
      accept(asked, personDraft, (body) => {
        const email = body.data.attributes.email.toLowerCase();
        if ([...people.values()].some(({ handle }) => handle === email)) return refused(409, "User already exists");
        const invited = createPerson(org, body, { handle: email, verified: false, service_account: false });
        return typeof invited === "string" ? refused(400, invited) : created({ data: describeUser(org, invited) });
      }),
    ),
    get("/api/v2/current_user", () => ok(describeWhole(org, org.me))),
    get(
      "/api/v2/users/{user_id}",
      one((someone) => ok(describeWhole(org, someone))),
    ),
    patch(
      "/api/v2/users/{user_id}",
      one((someone, asked) =>
        accept(asked, change, ({ data: { id, attributes } }) => {
          if (id !== someone.uuid) return refused(400, "The id of the body is not the id of the path");
          const { name = someone.name, disabled = someone.disabled } = attributes;
          const next = { ...someone, name, disabled, modified: org.clock() };
          people.set(next.uuid, next);
          return ok(describeWhole(org, next));
        }),
      ),
    ),
    del(
      "/api/v2/users/{user_id}",
      one((someone) => {
        if (someone.uuid === org.me.uuid) return refused(403, "You cannot disable yourself");
        people.set(someone.uuid, { ...someone, disabled: true, modified: org.clock() });
        return noContent;
      }),
    ),
  ];
};

type Standing = Pick<Person, "verified" | "service_account"> & { readonly handle?: string };

/** A new person, or why there can be none. A service account's handle is its id. */
export const createPerson = (
  org: Organization,
  { data: { attributes, relationships } }: z.infer<typeof personDraft>,
  standing: Standing,
): Person | string => {
  const wanted = (relationships?.roles?.data ?? []).map(({ id }) => id);
  const missing = wanted.find((id) => !org.roles.has(id));
  if (missing !== undefined) return `Role ${missing} not found`;
  const now = org.clock();
  const uuid = org.ids.uuid();
  const person: Person = {
    handle: uuid,
    ...standing,
    uuid,
    id: org.ids.number("person", 7),
    name: attributes.name ?? null,
    email: attributes.email.toLowerCase(),
    title: attributes.title ?? null,
    created: now,
    modified: now,
    disabled: false,
    roles: wanted,
  };
  org.people.set(uuid, person);
  return person;
};

const listPeople = (org: Organization, asked: Asked): Answer => {
  const filter = asked.query.get("filter")?.toLowerCase() ?? "";
  const statuses = asked.query.get("filter[status]")?.split(",");
  const found = [...org.people.values()].filter(
    (each) =>
      `${each.name} ${each.email}`.toLowerCase().includes(filter) &&
      (statuses === undefined || statuses.includes(statusOf(each))),
  );
  const limit = count(asked, "page[size]", 10);
  const shown = slice(found, { offset: count(asked, "page[number]", 0) * limit, limit });
  return ok({
    data: shown.map((each) => describeUser(org, each)),
    included: rolesOf(org, shown),
    meta: { page: { total_count: org.people.size, total_filtered_count: found.length } },
  });
};

/** The roles of some people, and what these may do. */
const rolesOf = (org: Organization, some: readonly Person[]): readonly JsonObject[] => {
  const held = [...org.roles.values()].filter(({ id }) => some.some((each) => each.roles.includes(id)));
  const granted = new Set(held.flatMap(grantedTo));
  return [...held.map((each) => describeRole(org, each)), ...[...granted].map(describePermission)];
};

const describeWhole = (org: Organization, person: Person): JsonObject => {
  const included = rolesOf(org, [person]);
  return { data: describeUser(org, person), ...(included.length === 0 ? {} : { included }) };
};
