/** Suites of Synthetics tests, v2: https://docs.datadoghq.com/api/latest/synthetics/#create-a-test-suite. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import { creator, type Organization } from "./organization.ts";
import { accept, get, looking, post, put, type Route } from "./route.ts";
import { stamp } from "./time.ts";

type Suite = { readonly id: string; readonly attributes: JsonObject };

const draft = z.object({
  data: z.object({
    type: z.literal("suites"),
    attributes: loose({
      name: z.string().min(1),
      type: z.literal("suite"),
      options: loose({}),
      tests: z.array(loose({ public_id: z.string() })),
      message: z.string().optional(),
      tags: z.array(z.string()).optional(),
    }),
  }),
});

const chosen = z.object({
  data: z.object({
    type: z.literal("delete_suites_request"),
    attributes: loose({ public_ids: z.array(z.string()).min(1) }),
  }),
});

const path = "/api/v2/synthetics/suites";

export const suiteRoutes = (org: Organization): readonly Route[] => {
  const suites = org.room.shelf<string, Suite>();
  const one = looking(
    (asked) => suites.get(asked.params["public_id"] ?? ""),
    () => "Suite not found",
  );
  const keep = (id: string, told: z.infer<typeof draft>["data"]["attributes"]): Answer => {
    const missing = told.tests.find(({ public_id }) => !org.tests.has(public_id));
    if (missing !== undefined) return refused(404, `Synthetics test ${missing.public_id} not found`);
    const now = stamp(org.clock());
    const before = suites.get(id)?.attributes;
    const attributes = {
      message: "",
      tags: [],
      ...told,
      public_id: id,
      monitor_id: before?.["monitor_id"] ?? org.ids.number("monitor", 9),
      org_id: org.id,
      created_at: before?.["created_at"] ?? now,
      modified_at: now,
      created_by: before?.["created_by"] ?? creator(org),
      modified_by: creator(org),
    };
    const suite = { id, attributes };
    suites.set(id, suite);
    return ok({ data: { type: "suites", ...suite } });
  };

  return [
    post(path, (asked) => accept(asked, draft, ({ data }) => keep(org.ids.dashboard(), data.attributes))),
    post(`${path}/bulk-delete`, (asked) =>
      accept(asked, chosen, ({ data }) => {
        const ids = data.attributes.public_ids;
        if (ids.some((id) => !suites.has(id))) return refused(404, "Suite not found");
        // Of all times only this one is written with a blank and without an offset.
        const deleted_at = org.clock().toISOString().replace("T", " ").replace("Z", "000");
        for (const id of ids) suites.delete(id);
        return ok({
          data: ids.map((id) => ({ type: "suites", id, attributes: { public_id: id, deleted_at } })),
        });
      }),
    ),
    get(
      `${path}/{public_id}`,
      one((suite) => ok({ data: { type: "suites", ...suite } })),
    ),
    put(
      `${path}/{public_id}`,
      one(({ id }, asked) => accept(asked, draft, ({ data }) => keep(id, data.attributes))),
    ),
  ];
};
