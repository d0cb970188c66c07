/** Powerpacks, groups of widgets for many dashboards, v2: https://docs.datadoghq.com/api/latest/powerpack/. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { describeMaker } from "./profiles.ts";
import type { Route } from "./route.ts";

const group = loose({
  definition: loose({
    type: z.literal("group"),
    layout_type: z.literal("ordered"),
    widgets: z.array(loose({ definition: loose({ type: z.string() }) })),
  }),
});

const told = loose({
  name: z.string().min(1),
  description: z.string().optional(),
  group_widget: group,
  tags: z.array(z.string()).max(8).optional(),
  template_variables: z.array(loose({ name: z.string() })).optional(),
});

export const powerpackRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path: "/api/v2/powerpacks",
    type: "powerpack",
    told,
    changedBy: "PATCH",
    missing: () => "Powerpack not found",
    attributes: (wanted, before) => ({
      description: "",
      tags: [],
      template_variables: [],
      ...before,
      ...stated(wanted),
      ...(wanted.group_widget === undefined ? {} : { group_widget: numbered(org, wanted.group_widget) }),
    }),
    describe: (item) => ({
      data: {
        type: "powerpack",
        ...item,
        relationships: { author: { data: { type: "users", id: org.me.uuid } } },
      },
      included: [describeMaker(org.me)],
    }),
  }).routes;

/** Every widget in it gets a number. */
const numbered = (org: Organization, widget: z.infer<typeof group>): z.infer<typeof group> => ({
  ...widget,
  definition: {
    ...widget.definition,
    widgets: widget.definition.widgets.map((each) => ({ ...each, id: each["id"] ?? org.ids.number("widget", 16) })),
  },
});
