/** How a team is notified, and who may change it: https://docs.datadoghq.com/api/latest/teams/. */

import { z } from "zod";
import { created, jsonApi, noContent, ok, problem } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";
import { lookingForTeam } from "./teamParts.ts";

type Rule = { readonly id: string; readonly team: string; readonly attributes: JsonObject };

const rule = z.object({
  data: loose({
    type: z.literal("team_notification_rules"),
    id: z.string().optional(),
    attributes: z.object({
      email: loose({ enabled: z.boolean() }).optional(),
      ms_teams: loose({ connector_name: z.string() }).optional(),
      pagerduty: loose({ service_name: z.string() }).optional(),
      slack: loose({ channel: z.string(), workspace: z.string() }).optional(),
    }),
  }),
});

const values = ["admins", "members", "organization", "user_access_manage", "teams_manage"] as const;
const setting = z.object({
  data: loose({ type: z.literal("team_permission_settings"), attributes: loose({ value: z.enum(values) }) }),
});

const actions = { manage_membership: "Membership", edit: "Team Details" } as const;
type Action = keyof typeof actions;

export const teamRuleRoutes = (org: Organization): readonly Route[] => [
  ...notificationRoutes(org),
  ...permissionRoutes(org),
];

/** A team has one rule at most. */
const notificationRoutes = (org: Organization): readonly Route[] => {
  const path = "/api/v2/team/{team_id}/notification-rules";
  const rules = org.room.shelf<string, Rule>();
  const team = lookingForTeam(org);
  const describe = ({ id, attributes }: Rule): JsonObject => ({ id, type: "team_notification_rules", attributes });
  const unknown = problem(404, "Not Found", "rule not found");

  return [
    get(
      path,
      team(({ id }) => {
        const own = rules.get(id);
        return jsonApi(ok({ data: own === undefined ? [] : [describe(own)] }));
      }),
    ),
    post(
      path,
      team(({ id }, asked) =>
        accept(asked, rule, ({ data: { attributes } }) => {
          if (rules.has(id)) return problem(409, "Conflict", "notification rule already exists for this team");
          const own = { id: org.ids.uuid(), team: id, attributes };
          rules.set(id, own);
          return jsonApi(created({ data: describe(own) }));
        }),
      ),
    ),
    get(
      `${path}/{rule_id}`,
      team(({ id }, asked) => {
        const own = rules.get(id);
        return own !== undefined && own.id === asked.params["rule_id"] ? jsonApi(ok({ data: describe(own) })) : unknown;
      }),
    ),
    put(
      `${path}/{rule_id}`,
      team(({ id }, asked) =>
        accept(asked, rule, ({ data }) => {
          const own = rules.get(id);
          if (own === undefined) return unknown;
          if (own.id !== asked.params["rule_id"] || (data.id !== undefined && data.id !== own.id))
            return problem(409, "Conflict", "rule id does not match with team's rule id");
          const next = { ...own, attributes: data.attributes };
          rules.set(id, next);
          return jsonApi(ok({ data: describe(next) }));
        }),
      ),
    ),
    del(
      `${path}/{rule_id}`,
      team(({ id }, asked) => {
        if (rules.get(id)?.id !== asked.params["rule_id"]) return unknown;
        rules.delete(id);
        return noContent;
      }),
    ),
  ];
};

const permissionRoutes = (org: Organization): readonly Route[] => {
  const path = "/api/v2/team/{team_id}/permission-settings";
  const settings = org.room.shelf<string, string>();
  const team = lookingForTeam(org);
  const describe = (id: string, action: Action): JsonObject => ({
    id: `TeamPermission-${id}-${action}`,
    type: "team_permission_settings",
    attributes: {
      action,
      editable: true,
      options: values,
      title: actions[action],
      value: settings.get(`${id}/${action}`) ?? "teams_manage",
    },
  });
  const names: readonly Action[] = ["manage_membership", "edit"];

  return [
    get(
      path,
      team(({ id }) => jsonApi(ok({ data: names.map((action) => describe(id, action)) }))),
    ),
    put(`${path}/{action}`, (asked) =>
      looking(
        () => names.find((action) => action === asked.params["action"]),
        () => `Permission setting ${asked.params["action"]} not found`,
      )((action) =>
        team(({ id }) =>
          accept(asked, setting, ({ data }) => {
            settings.set(`${id}/${action}`, data.attributes.value);
            return jsonApi(ok({ data: describe(id, action) }));
          }),
        )(asked),
      )(asked),
    ),
  ];
};
