/** Dashboards, their lists and public links: https://docs.datadoghq.com/api/latest/dashboards/. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import type { Dashboard } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, count, del, get, looking, patch, post, put, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const widget = loose({ definition: loose({ type: z.string() }) });

const draft = loose({
  title: z.string().min(1),
  layout_type: z.enum(["ordered", "free"]),
  widgets: z.array(widget),
  tags: z
    .array(z.string().regex(/^team:/, "Invalid tag format. Valid tag keys are: team."))
    .max(5)
    .nullish(),
});

const chosen = z.object({
  data: z.array(z.object({ id: z.string(), type: z.literal("dashboard") })).min(1),
});

export const dashboardRoutes = (org: Organization): readonly Route[] => {
  const { dashboards, deletedDashboards } = org;
  const one = looking(
    (asked) => dashboards.get(asked.params["dashboard_id"] ?? ""),
    (asked) => `Dashboard with ID ${asked.params["dashboard_id"]} not found`,
  );
  const move = (from: Map<string, Dashboard>, to: Map<string, Dashboard>, ids: readonly string[]) => {
    const moved = ids.map((id) => from.get(id));
    if (moved.includes(undefined)) return refused(404, `Dashboards with IDs ${ids.join(", ")} not found`);
    for (const dashboard of moved.filter((found) => found !== undefined)) {
      from.delete(dashboard.id);
      to.set(dashboard.id, dashboard);
    }
    return noContent;
  };

  return [
    get("/api/v1/dashboard", (asked) => {
      const shared = new Set([...org.sharedDashboards.values()].map(({ dashboard_id }) => dashboard_id));
      const shelf = asked.query.get("filter[deleted]") === "true" ? deletedDashboards : dashboards;
      const found = [...shelf.values()].filter(
        ({ id }) => asked.query.get("filter[shared]") !== "true" || shared.has(id),
      );
      const page = { offset: count(asked, "start", 0), limit: count(asked, "count", 100) };
      return ok({ dashboards: slice(found, page).map(summarize), total: found.length });
    }),
    post("/api/v1/dashboard", (asked) =>
      accept(asked, draft, (body) => {
        const dashboard = createDashboard(org, body);
        dashboards.set(dashboard.id, dashboard);
        return ok(dashboard);
      }),
    ),
    del("/api/v1/dashboard", (asked) =>
      accept(asked, chosen, ({ data }) =>
        move(
          dashboards,
          deletedDashboards,
          data.map(({ id }) => id),
        ),
      ),
    ),
    patch("/api/v1/dashboard", (asked) =>
      accept(asked, chosen, ({ data }) =>
        move(
          deletedDashboards,
          dashboards,
          data.map(({ id }) => id),
        ),
      ),
    ),
    get(
      "/api/v1/dashboard/{dashboard_id}",
      one((dashboard) => ok(dashboard)),
    ),
    put(
      "/api/v1/dashboard/{dashboard_id}",
      one((before, asked) =>
        accept(asked, draft, (body) => {
          const after = { ...createDashboard(org, body), id: before.id, created_at: before["created_at"] };
          const dashboard = { ...after, url: urlOf(before.id, after.title) };
          dashboards.set(before.id, dashboard);
          return ok(dashboard);
        }),
      ),
    ),
    del(
      "/api/v1/dashboard/{dashboard_id}",
      one(({ id }) => {
        move(dashboards, deletedDashboards, [id]);
        return ok({ deleted_dashboard_id: id });
      }),
    ),
  ];
};

const urlOf = (id: string, title: string): string =>
  `/dashboard/${id}/${title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 80)}`;

const createDashboard = (org: Organization, body: z.infer<typeof draft>): Dashboard => {
  const id = org.ids.dashboard();
  const now = stamp(org.clock());
  return {
    description: null,
    template_variables: null,
    notify_list: null,
    restricted_roles: [],
    ...body,
    id,
    author_handle: org.me.handle,
    author_name: org.me.name,
    url: urlOf(id, body.title),
    widgets: body.widgets.map((each) => ({ ...each, id: each["id"] ?? org.ids.number("widget", 16) })),
    created_at: now,
    modified_at: now,
  };
};

const summarize = (dashboard: Dashboard): JsonObject => ({
  id: dashboard.id,
  title: dashboard.title,
  description: dashboard["description"],
  author_handle: dashboard["author_handle"],
  layout_type: dashboard["layout_type"],
  url: dashboard["url"],
  is_read_only: false,
  created_at: dashboard["created_at"],
  modified_at: dashboard["modified_at"],
});
