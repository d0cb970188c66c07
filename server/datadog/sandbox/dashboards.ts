/** Dashboards, their lists and public links: https://docs.datadoghq.com/api/latest/dashboards/. */

import { z } from "zod";
import { noContent, ok, refused } from "./answer.ts";
import type { Dashboard, SharedDashboard } from "./documents.ts";
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

const share = loose({
  dashboard_id: z.string(),
  dashboard_type: z.enum(["custom_timeboard", "custom_screenboard"]),
  share_type: z.enum(["open", "invite", "embed", "secure-embed"]).nullish(),
  share_list: z.array(z.string()).nullish(),
});
const shareChange = share.omit({ dashboard_id: true, dashboard_type: true });

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
    ...sharingRoutes(org),
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
    is_read_only: false,
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
  is_read_only: dashboard["is_read_only"],
  created_at: dashboard["created_at"],
  modified_at: dashboard["modified_at"],
});

/** Public links: whoever knows the token sees the dashboard. */
const sharingRoutes = (org: Organization): readonly Route[] => {
  const { sharedDashboards } = org;
  const one = looking(
    (asked) => sharedDashboards.get(asked.params["token"] ?? ""),
    () => "Shared dashboard not found",
  );
  return [
    post("/api/v1/dashboard/public", (asked) =>
      accept(asked, share, (body) => {
        const dashboard = org.dashboards.get(body.dashboard_id);
        if (dashboard === undefined) return refused(404, `${body.dashboard_type} ${body.dashboard_id} not found`);
        const shared = createShared(org, body, dashboard);
        sharedDashboards.set(shared.token, shared);
        return ok(shared);
      }),
    ),
    get(
      "/api/v1/dashboard/public/{token}",
      one((shared) => ok(shared)),
    ),
    put(
      "/api/v1/dashboard/public/{token}",
      one((shared, asked) =>
        accept(asked, shareChange, (body) => {
          const next = {
            ...shared,
            ...body,
            token: shared.token,
            dashboard_id: shared.dashboard_id,
          };
          sharedDashboards.set(shared.token, next);
          return ok(next);
        }),
      ),
    ),
    del(
      "/api/v1/dashboard/public/{token}",
      one(({ token }) => {
        sharedDashboards.delete(token);
        return ok({ deleted_public_dashboard_token: token });
      }),
    ),
  ];
};

const createShared = (org: Organization, body: z.infer<typeof share>, dashboard: Dashboard): SharedDashboard => {
  const token = `${org.ids.word(16)}-${org.ids.hex(32)}`;
  return {
    viewing_preferences: {},
    expiration: null,
    last_accessed: null,
    global_time_selectable_enabled: false,
    global_time: { live_span: "1h" },
    selectable_template_vars: null,
    share_list: null,
    session_duration_in_days: null,
    invitees: [],
    embeddable_domains: [],
    ...body,
    author: { handle: org.me.handle, name: org.me.name },
    status: "active",
    title: dashboard.title,
    token,
    public_url: `https://p.datadoghq.com/sb/${token}`,
    created: stamp(org.clock()),
    share_type: body.share_type ?? "open",
  };
};
