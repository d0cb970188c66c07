/** Lists of dashboards (v1) and what is on them (v2): https://docs.datadoghq.com/api/latest/dashboard-lists/. */

import { z } from "zod";
import { ok } from "./answer.ts";
import type { DashboardItem, DashboardList } from "./documents.ts";
import type { JsonObject } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, looking, numeric, post, put, type Route } from "./route.ts";
import { stamp } from "./time.ts";

const draft = z.object({ name: z.string().min(1) });

const chosen = z.object({
  dashboards: z.array(z.object({ id: z.string(), type: z.string() })).default([]),
});

const lists = "/api/v1/dashboard/lists/manual";
const itemsOf = "/api/v2/dashboard/lists/manual/{list_id}/dashboards";

export const dashboardListRoutes = (org: Organization): readonly Route[] => {
  const { dashboardLists } = org;
  const one = looking(
    (asked) => dashboardLists.get(numeric(asked.params["list_id"])),
    (asked) => `Manual Dashboard List with id ${asked.params["list_id"]} not found`,
  );
  const keep = (list: DashboardList): JsonObject => {
    dashboardLists.set(list.id, list);
    return describeList(org, list);
  };
  const changeItems = (asked: Asked, list: DashboardList, change: (chosen: readonly DashboardItem[]) => Change) =>
    accept(asked, chosen, (body) => {
      const { items, answer } = change(body.dashboards);
      keep({ ...list, items, modified: org.clock() });
      return ok(answer);
    });

  return [
    get(lists, () => ok({ dashboard_lists: [...dashboardLists.values()].map((list) => describeList(org, list)) })),
    post(lists, (asked) =>
      accept(asked, draft, ({ name }) => {
        const now = org.clock();
        return ok(keep({ id: org.ids.number("dashboard list", 6), name, created: now, modified: now, items: [] }));
      }),
    ),
    get(
      `${lists}/{list_id}`,
      one((list) => ok(describeList(org, list))),
    ),
    put(
      `${lists}/{list_id}`,
      one((list, asked) => accept(asked, draft, ({ name }) => ok(keep({ ...list, name, modified: org.clock() })))),
    ),
    del(
      `${lists}/{list_id}`,
      one(({ id }) => {
        dashboardLists.delete(id);
        return ok({ deleted_dashboard_list_id: id });
      }),
    ),
    get(
      itemsOf,
      one(({ items }) => ok({ total: items.length, dashboards: items.map((item) => describeItem(org, item)) })),
    ),
    post(
      itemsOf,
      one((list, asked) =>
        changeItems(asked, list, (wanted) => {
          const added = wanted.filter((item) => !has(list.items, item));
          return { items: [...list.items, ...added], answer: { added_dashboards_to_list: added } };
        }),
      ),
    ),
    put(
      itemsOf,
      one((list, asked) => changeItems(asked, list, (items) => ({ items, answer: { dashboards: items } }))),
    ),
    del(
      itemsOf,
      one((list, asked) =>
        changeItems(asked, list, (unwanted) => ({
          items: list.items.filter((item) => !has(unwanted, item)),
          answer: { deleted_dashboards_from_list: unwanted.filter((item) => has(list.items, item)) },
        })),
      ),
    ),
  ];
};

type Change = { readonly items: readonly DashboardItem[]; readonly answer: JsonObject };

const has = (items: readonly DashboardItem[], wanted: DashboardItem): boolean =>
  items.some(({ id, type }) => id === wanted.id && type === wanted.type);

const describeList = (org: Organization, list: DashboardList): JsonObject => ({
  id: list.id,
  name: list.name,
  type: "manual_dashboard_list",
  author: { handle: org.me.handle, name: org.me.name },
  created: stamp(list.created),
  modified: stamp(list.modified),
  dashboard_count: list.items.length,
  dashboards: null,
  is_favorite: false,
});

/** Dashboards of Datadog's own (`integration_screenboard`…) are known by id only. */
const describeItem = (org: Organization, item: DashboardItem): JsonObject => {
  const dashboard = org.dashboards.get(item.id);
  if (dashboard === undefined) return item;
  return {
    ...item,
    title: dashboard.title,
    url: dashboard["url"],
    author: { handle: org.me.handle, name: org.me.name },
    created: dashboard["created_at"],
    modified: dashboard["modified_at"],
    is_favorite: false,
    is_read_only: false,
    is_shared: [...org.sharedDashboards.values()].some(({ dashboard_id }) => dashboard_id === item.id),
    icon: null,
    popularity: 0,
    tags: [],
  };
};
