/** Which team is part of which: https://docs.datadoghq.com/api/latest/teams/#create-a-team-hierarchy-link. */

import { z } from "zod";
import { type Answer, jsonApi, noContent, ok, refused } from "./answer.ts";
import type { Team } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { pageOfList } from "./pages.ts";
import { accept, del, get, looking, post, type Route } from "./route.ts";
import { linksOfTeam, membersOf, missing } from "./teamParts.ts";

type Tie = { readonly id: string; readonly parent: string; readonly sub: string; readonly created: Date };

const end = z.object({ data: loose({ id: z.string(), type: z.literal("team") }) });
const draft = z.object({
  data: loose({
    type: z.literal("team_hierarchy_links"),
    relationships: z.object({ parent_team: end, sub_team: end }),
  }),
});

const path = "/api/v2/team-hierarchy-links";

export const teamHierarchyRoutes = (org: Organization): readonly Route[] => {
  const ties = org.room.shelf<string, Tie>();
  // A tie ends with either of its teams.
  const alive = (tie: Tie | undefined): tie is Tie =>
    tie !== undefined && org.teams.has(tie.parent) && org.teams.has(tie.sub);
  const one = looking(
    (asked) => [ties.get(asked.params["link_id"] ?? "")].find(alive),
    (asked) => missing("Team hierarchy link", asked.params["link_id"] ?? ""),
  );

  return [
    get(path, (asked) => {
      const parent = asked.query.get("filter[parent_team]");
      const sub = asked.query.get("filter[sub_team]");
      const found = [...ties.values()].filter(
        (tie) => alive(tie) && (parent === null || tie.parent === parent) && (sub === null || tie.sub === sub),
      );
      const { shown, meta, links } = pageOfList(found, asked);
      const included = shown.flatMap((tie) => teamsOf(org, tie));
      return jsonApi(ok({ data: shown.map(describe), included, meta: { page: meta["pagination"] }, links }));
    }),
    post(path, (asked) =>
      accept(asked, draft, ({ data: { relationships } }) => {
        const [parent, sub] = [relationships.parent_team.data.id, relationships.sub_team.data.id];
        const refusal = whyNot(org, [...ties.values()].filter(alive), { parent, sub });
        if (refusal !== undefined) return refusal;
        const tie = { id: org.ids.uuid(), parent, sub, created: org.clock() };
        ties.set(tie.id, tie);
        return jsonApi(ok({ data: describe(tie), included: teamsOf(org, tie) }));
      }),
    ),
    get(
      `${path}/{link_id}`,
      one((tie, { headers }) =>
        jsonApi(
          ok({
            data: describe(tie),
            links: { self: `https://${headers.host ?? "api.datadoghq.com"}${path}/${tie.id}` },
            included: teamsOf(org, tie).toReversed(),
          }),
        ),
      ),
    ),
    del(
      `${path}/{link_id}`,
      one(({ id }) => {
        ties.delete(id);
        return noContent;
      }),
    ),
  ];
};

const whyNot = (
  org: Organization,
  ties: readonly Tie[],
  { parent, sub }: { parent: string; sub: string },
): Answer | undefined => {
  const gone = [parent, sub].find((id) => !org.teams.has(id));
  if (gone !== undefined) return refused(404, missing("Team", gone));
  if (parent === sub) return refused(400, "A team cannot be part of itself");
  if (!ties.some((tie) => tie.parent === parent && tie.sub === sub)) return undefined;
  const wish = `could not add team ${sub} as a member team of team ${parent} in org ${org.id}`;
  const reason = `team hierarchy link between super team ${parent} and member team ${sub} already exists in org ${org.id}`;
  return jsonApi(refused(409, `Conflict: ${wish}: ${reason}`));
};

const describe = ({ id, parent, sub, created }: Tie): JsonObject => ({
  id,
  type: "team_hierarchy_links",
  attributes: { created_at: created.toISOString(), provisioned_by: "" },
  relationships: {
    parent_team: { data: { id: parent, type: "team" } },
    sub_team: { data: { id: sub, type: "team" } },
  },
});

const teamsOf = (org: Organization, { parent, sub }: Tie): readonly JsonObject[] =>
  [org.teams.get(parent), org.teams.get(sub)]
    .filter((team) => team !== undefined)
    .map((team) => describeEnd(org, team));

const describeEnd = (org: Organization, team: Team): JsonObject => ({
  id: team.id,
  type: "team",
  attributes: {
    avatar: team.avatar,
    banner: team.banner,
    handle: team.handle,
    is_managed: false,
    is_open_membership: true,
    link_count: linksOfTeam(org, team.id).length,
    name: team.name,
    summary: team.description,
    user_count: membersOf(org, team.id).length,
  },
});
