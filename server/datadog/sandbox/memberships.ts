/** Who is on which team: https://docs.datadoghq.com/api/latest/teams/#add-a-user-to-a-team. */

import { z } from "zod";
import { type Answer, jsonApi, noContent, ok, refused } from "./answer.ts";
import type { Membership, Person } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { pageOfList } from "./pages.ts";
import { iconOf, statusOf } from "./profiles.ts";
import { accept, del, get, looking, patch, post, type Route } from "./route.ts";
import { lookingForTeam, membersOf, missing } from "./teamParts.ts";

const draft = z.object({
  data: loose({
    type: z.literal("team_memberships"),
    attributes: loose({ role: z.string().nullish() }).optional(),
    relationships: z.object({ user: z.object({ data: loose({ id: z.string() }) }) }),
  }),
});

const change = z.object({
  data: loose({ type: z.literal("team_memberships"), attributes: loose({ role: z.string().nullish() }) }),
});

const path = "/api/v2/team/{team_id}/memberships";

export const membershipRoutes = (org: Organization): readonly Route[] => {
  const { memberships } = org;
  const team = lookingForTeam(org);
  const one = looking(
    (asked) => memberships.get(keyOf(asked.params["team_id"] ?? "", asked.params["user_id"] ?? "")),
    (asked) => missing("Membership", asked.params["user_id"] ?? ""),
  );
  const answer = (membership: Membership): Answer => {
    const person = org.people.get(membership.user);
    return jsonApi(ok({ data: describe(membership), included: person === undefined ? [] : [describeMember(person)] }));
  };

  return [
    get(
      path,
      team(({ id }, asked) => {
        const { shown, meta, links } = pageOfList(membersOf(org, id), asked);
        const people = shown.map(({ user }) => org.people.get(user)).filter((person) => person !== undefined);
        return jsonApi(ok({ data: shown.map(describe), included: people.map(describeMember), meta, links }));
      }),
    ),
    post(
      path,
      team(({ id }, asked) =>
        accept(asked, draft, ({ data: { attributes, relationships } }) => {
          const person = org.people.get(relationships.user.data.id);
          if (person === undefined) return refused(404, missing("User", relationships.user.data.id));
          if (memberships.has(keyOf(id, person.uuid)))
            return refused(409, `User ${person.uuid} is already a member of team ${id}`);
          return withRole(attributes?.role, (role) => {
            const membership = { team: id, user: person.uuid, number: person.id, by: org.me.uuid, role };
            memberships.set(keyOf(id, person.uuid), membership);
            return answer(membership);
          });
        }),
      ),
    ),
    patch(
      `${path}/{user_id}`,
      one((membership, asked) =>
        accept(asked, change, ({ data }) =>
          withRole(data.attributes.role, (role) => {
            const next = { ...membership, role };
            memberships.set(keyOf(next.team, next.user), next);
            return answer(next);
          }),
        ),
      ),
    ),
    del(
      `${path}/{user_id}`,
      one(({ team: id, user }) => {
        memberships.delete(keyOf(id, user));
        return noContent;
      }),
    ),
    get(
      "/api/v2/users/{user_uuid}/memberships",
      looking(
        (asked) => org.people.get(asked.params["user_uuid"] ?? ""),
        (asked) => missing("User", asked.params["user_uuid"] ?? ""),
      )(({ uuid }) => {
        const found = [...memberships.values()].filter(({ user }) => user === uuid);
        return jsonApi(ok({ data: found.map(describe) }));
      }),
    ),
  ];
};

/** Members have no role, or they are admins; Datadog's refusal is its service's, spelled out. */
const withRole = (role: string | null | undefined, handle: (role: "admin" | null) => Answer): Answer => {
  if (role == null || role === "admin") return handle(role ?? null);
  const detail = "{'detail': 'Not a valid choice.', 'source': {'pointer': '/data/attributes/role'}}";
  return refused(400, `{'errors': [${detail}]}`);
};

const keyOf = (team: string, user: string): string => `${team}/${user}`;

const describe = ({ team, user, number, by, role }: Membership): JsonObject => ({
  id: `TeamMembership-${team}-${number}`,
  type: "team_memberships",
  attributes: { provisioned_by: null, provisioned_by_id: by, role },
  relationships: { user: { data: { id: user, type: "users" } } },
});

const describeMember = (person: Person): JsonObject => ({
  id: person.uuid,
  type: "users",
  attributes: {
    disabled: person.disabled,
    email: person.email,
    handle: person.handle,
    icon: iconOf(person),
    name: person.name,
    service_account: person.service_account,
    status: statusOf(person),
  },
});
