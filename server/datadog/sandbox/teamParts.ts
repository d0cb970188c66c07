/** What the routes of teams and of what hangs on them share. */

import { z } from "zod";
import type { Membership, TeamLink } from "./documents.ts";
import type { Organization } from "./organization.ts";
import { looking } from "./route.ts";

/** For routes under one team; what cannot be the id of one is said to be none. */
export const lookingForTeam = ({ teams }: Organization) =>
  looking(
    (asked) => teams.get(asked.params["team_id"] ?? ""),
    (asked) => missing("Team", asked.params["team_id"] ?? ""),
  );

/** How the teams' service says that something is not there. */
export const missing = (kind: string, id: string): string =>
  z.guid().safeParse(id).success ? `${kind} for ID ${id} not found` : `${id} is not a valid UUID not found`;

export const membersOf = (org: Organization, team: string): readonly Membership[] =>
  [...org.memberships.values()].filter((membership) => membership.team === team);

export const linksOfTeam = (org: Organization, team: string): readonly TeamLink[] =>
  [...org.teamLinks.values()].filter((link) => link.team === team).toSorted((a, b) => a.position - b.position);
