/** Teams: https://docs.datadoghq.com/api/latest/teams/. Who is on them is in memberships.ts, what hangs on them in teamLinks.ts and teamRules.ts. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok, refused } from "./answer.ts";
import type { Team } from "./documents.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { pageOfList } from "./pages.ts";
import { accept, type Asked, del, get, patch, post, type Route } from "./route.ts";
import { linksOfTeam, lookingForTeam, membersOf } from "./teamParts.ts";
import { stamp } from "./time.ts";

const attributes = loose({
  handle: z.string().min(1).max(195),
  name: z.string().min(1).max(200),
  description: z.string().nullish(),
  avatar: z.string().nullish(),
  banner: z.number().int().nullish(),
  hidden_modules: z.array(z.string()).nullish(),
  visible_modules: z.array(z.string()).nullish(),
});

const draft = z.object({ data: loose({ type: z.literal("team"), attributes }) });

export const teamRoutes = (org: Organization): readonly Route[] => {
  const { teams } = org;
  const one = lookingForTeam(org);
  const keep = (team: Team, wanted: z.infer<typeof attributes>): Team | Answer => {
    const { handle, name, description, avatar, banner, hidden_modules, visible_modules } = wanted;
    const taken = [...teams.values()].find((each) => each.handle === handle && each.id !== team.id);
    if (taken !== undefined) return refused(409, `Team with handle ${handle} already exists`);
    const said = stated({ handle, name, description, avatar, banner, hidden_modules, visible_modules });
    const next = { ...team, ...said, modified: org.clock() };
    teams.set(team.id, next);
    return next;
  };

  return [
    get("/api/v2/team", (asked) => listTeams(org, asked)),
    post("/api/v2/team", (asked) =>
      accept(asked, draft, ({ data }) => {
        const kept = keep(newTeam(org), data.attributes);
        return "status" in kept ? kept : jsonApi(created({ data: describeTeam(org, kept) }));
      }),
    ),
    get(
      "/api/v2/team/{team_id}",
      one((team) => jsonApi(ok({ data: describeTeam(org, team) }))),
    ),
    patch(
      "/api/v2/team/{team_id}",
      one((team, asked) =>
        accept(asked, draft, ({ data }) => {
          const kept = keep(team, data.attributes);
          return "status" in kept ? kept : jsonApi(ok({ data: describeTeam(org, kept) }));
        }),
      ),
    ),
    del(
      "/api/v2/team/{team_id}",
      one(({ id }) => {
        teams.delete(id);
        for (const shelf of [org.memberships, org.teamLinks])
          for (const [key, { team }] of shelf) if (team === id) shelf.delete(key);
        return noContent;
      }),
    ),
  ];
};

const newTeam = (org: Organization): Team => {
  const now = org.clock();
  return {
    id: org.ids.uuid(),
    handle: "",
    name: "",
    description: null,
    avatar: null,
    // Which of Datadog's pictures a team gets is a matter of chance.
    banner: org.ids.number("banner", 6) % 16,
    hidden_modules: null,
    visible_modules: null,
    created: now,
    modified: now,
  };
};

const listTeams = (org: Organization, asked: Asked): Answer => {
  const text = asked.query.get("filter[keyword]")?.toLowerCase() ?? "";
  const mine = asked.query.get("filter[me]") === "true";
  const found = [...org.teams.values()].filter(
    (team) =>
      `${team.name} ${team.handle}`.toLowerCase().includes(text) &&
      (!mine || membersOf(org, team.id).some(({ user }) => user === org.me.uuid)),
  );
  const sort = asked.query.get("sort") ?? "name";
  const sorted = found.toSorted((a, b) => a.name.localeCompare(b.name));
  if (sort.startsWith("-")) sorted.reverse();
  const { shown, meta, links } = pageOfList(sorted, asked);
  return ok({ data: shown.map((team) => describeTeam(org, team)), meta, links });
};

export const describeTeam = (org: Organization, team: Team): JsonObject => ({
  id: team.id,
  type: "team",
  attributes: {
    avatar: team.avatar,
    banner: team.banner,
    created_at: stamp(team.created),
    description: team.description,
    handle: team.handle,
    hidden_modules: team.hidden_modules,
    is_managed: false,
    link_count: linksOfTeam(org, team.id).length,
    modified_at: stamp(team.modified),
    name: team.name,
    summary: team.description,
    user_count: membersOf(org, team.id).length,
    visible_modules: team.visible_modules,
  },
  relationships: {
    team_links: {
      data: linksOfTeam(org, team.id).map(({ id }) => ({ type: "team_links", id })),
      links: { related: `/api/v2/team/${team.id}/links` },
    },
    user_team_permissions: { data: null, links: { related: `/api/v2/team/${team.id}/permission-settings` } },
  },
});
