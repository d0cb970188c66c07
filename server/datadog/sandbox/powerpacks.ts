/** Powerpacks, groups of widgets for many dashboards, v2: https://docs.datadoghq.com/api/latest/powerpack/. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { count, type Route, slice } from "./route.ts";

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
    list: (all, asked) => {
      const limit = count(asked, "page[limit]", 25);
      const offset = count(asked, "page[offset]", 0);
      const before = Math.max(0, offset - limit);
      const path = `https://${asked.headers.host ?? "api.datadoghq.com"}${asked.path}`;
      const to = (at: number): string => `${path}?page[offset]=${at}&page[limit]=${limit}`;
      // It does not count them: nobody can tell which page is the last.
      const places = { first_offset: 0, prev_offset: before, next_offset: offset + limit, last_offset: null };
      return {
        shown: slice(all, { offset, limit }),
        meta: { pagination: { offset, ...places, limit, type: "offset_limit" } },
        links: {
          self: asked.query.size === 0 ? path : `${path}?${asked.query.toString()}`,
          last: null,
          next: to(offset + limit),
          prev: offset === 0 ? null : to(before),
          first: to(0),
        },
      };
    },
    describe: (item) => ({
      data: {
        type: "powerpack",
        ...item,
        relationships: { author: { data: { type: "users", id: org.me.uuid } } },
      },
      included: [{ type: "users", id: org.me.uuid, attributes: { name: org.me.name, email: org.me.email } }],
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
