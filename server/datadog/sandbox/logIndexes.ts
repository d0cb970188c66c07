/** Log indexes and their order, v1: https://docs.datadoghq.com/api/latest/logs-indexes/. Every log is in all of them here. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import { except, type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";

type Index = JsonObject & { readonly name: string };

const exclusion = loose({
  name: z.string().min(1),
  is_enabled: z.boolean().optional(),
  filter: loose({ query: z.string().optional(), sample_rate: z.number().min(0).max(1) }).nullish(),
});

const change = loose({
  filter: loose({ query: z.string().optional() }),
  daily_limit: z.number().int().min(1).nullish(),
  disable_daily_limit: z.boolean().optional(),
  num_retention_days: z.number().int().optional(),
  num_flex_logs_retention_days: z.number().int().optional(),
  exclusion_filters: z.array(exclusion).optional(),
  tags: z.array(z.string()).optional(),
});
const draft = change.extend({ name: z.string().regex(/^[a-z][a-z0-9-]{0,126}$/, "lower-case letters, digits and -") });

const order = z.object({ index_names: z.array(z.string()) });

const path = "/api/v1/logs/config/indexes";

export const logIndexRoutes = (org: Organization): readonly Route[] => {
  // In the order in which a log is offered to them. Every organization begins with one.
  const indexes = org.room.shelf<string, Index>([["main", describe("main", { filter: { query: "" } })]]);
  const one = looking(
    (asked) => indexes.get(asked.params["name"] ?? ""),
    () => "Index not found",
  );
  const keep = (index: Index): Answer => {
    indexes.set(index.name, index);
    return ok(index);
  };

  return [
    get(path, () => ok({ indexes: [...indexes.values()] })),
    post(path, (asked) =>
      accept(asked, draft, ({ name, ...told }) =>
        indexes.has(name) ? refused(400, `Index ${name} already exists`) : keep(describe(name, told)),
      ),
    ),
    get(
      `${path}/{name}`,
      one((index) => ok(index)),
    ),
    put(
      `${path}/{name}`,
      one((index, asked) => accept(asked, change, (told) => keep({ ...index, ...limited(told), name: index.name }))),
    ),
    del(
      `${path}/{name}`,
      one((index) => {
        indexes.delete(index.name);
        return ok(index);
      }),
    ),
    get("/api/v1/logs/config/index-order", () => ok({ index_names: [...indexes.keys()] })),
    put("/api/v1/logs/config/index-order", (asked) =>
      accept(asked, order, ({ index_names: names }) => {
        const ordered = names.map((name) => indexes.get(name)).filter((index) => index !== undefined);
        if (names.length !== indexes.size || new Set(names).size !== indexes.size || ordered.length !== indexes.size)
          return refused(400, "The order must name every index once");
        for (const name of names) indexes.delete(name);
        for (const index of ordered) indexes.set(index.name, index);
        return ok({ index_names: names });
      }),
    ),
  ];
};

type Told = z.infer<typeof change>;

const describe = (name: string, told: Told): Index => ({
  daily_limit: null,
  daily_limit_reset: null,
  daily_limit_warning_threshold_percentage: null,
  num_retention_days: 15,
  num_flex_logs_retention_days: 0,
  exclusion_filters: [],
  tags: [],
  ...limited(told),
  name,
  is_rate_limited: false,
});

const limited = (told: Told & JsonObject): JsonObject => ({
  ...stated(except(told, ["name", "is_rate_limited", "disable_daily_limit"])),
  ...(told.disable_daily_limit === true ? { daily_limit: null } : {}),
});
