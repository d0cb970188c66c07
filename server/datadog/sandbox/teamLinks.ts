/** Links that a team shows: https://docs.datadoghq.com/api/latest/teams/#create-a-team-link. */

import { z } from "zod";
import { noContent, ok } from "./answer.ts";
import type { TeamLink } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, patch, post, type Route } from "./route.ts";
import { linksOfTeam, lookingForTeam, missing } from "./teamParts.ts";

const draft = z.object({
  data: loose({
    type: z.literal("team_links"),
    attributes: loose({
      label: z.string().min(1).max(256),
      url: z.string().min(1).max(2048),
      position: z.number().int().min(0).max(2_147_483_647).optional(),
    }),
  }),
});

const path = "/api/v2/team/{team_id}/links";

export const teamLinkRoutes = (org: Organization): readonly Route[] => {
  const { teamLinks } = org;
  const team = lookingForTeam(org);
  const one = looking(
    (asked) => {
      const link = teamLinks.get(asked.params["link_id"] ?? "");
      return link?.team === asked.params["team_id"] ? link : undefined;
    },
    (asked) => missing("Link", asked.params["link_id"] ?? ""),
  );
  const keep = (link: TeamLink) => {
    teamLinks.set(link.id, link);
    return ok({ data: describe(link) });
  };

  return [
    get(
      path,
      team(({ id }) => ok({ data: linksOfTeam(org, id).map(describe) })),
    ),
    post(
      path,
      team(({ id }, asked) =>
        accept(asked, draft, ({ data: { attributes } }) => {
          const { label, url, position = linksOfTeam(org, id).length } = attributes;
          return keep({ id: org.ids.uuid(), team: id, label, url, position });
        }),
      ),
    ),
    get(
      `${path}/{link_id}`,
      one((link) => ok({ data: describe(link) })),
    ),
    patch(
      `${path}/{link_id}`,
      one((link, asked) =>
        accept(asked, draft, ({ data: { attributes } }) => {
          const { label, url, position = link.position } = attributes;
          return keep({ ...link, label, url, position });
        }),
      ),
    ),
    del(
      `${path}/{link_id}`,
      one(({ id }) => {
        teamLinks.delete(id);
        return noContent;
      }),
    ),
  ];
};

const describe = ({ id, team, label, url, position }: TeamLink): JsonObject => ({
  type: "team_links",
  id,
  attributes: { team_id: team, label, url, position },
});
