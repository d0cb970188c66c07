/** Notebooks, v1: https://docs.datadoghq.com/api/latest/notebooks/. */

import { z } from "zod";
import { noContent, ok } from "./answer.ts";
import type { Notebook } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import { creator, type Organization } from "./organization.ts";
import { iconOf } from "./profiles.ts";
import { accept, count, del, get, looking, numeric, post, put, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const cell = loose({
  id: z.string().optional(),
  type: z.literal("notebook_cells"),
  attributes: loose({ definition: loose({ type: z.string() }) }),
});

const draft = z.object({
  data: z.object({
    type: z.literal("notebooks"),
    attributes: loose({ name: z.string().min(1).max(80), cells: z.array(cell), time: loose({}) }),
  }),
});

export const notebookRoutes = (org: Organization): readonly Route[] => {
  const { notebooks } = org;
  const one = looking(
    (asked) => notebooks.get(numeric(asked.params["notebook_id"])),
    () => "Notebook not found",
  );
  const describe = ({ id, attributes }: Notebook): JsonObject => ({ type: "notebooks", id, attributes });
  const keep = (id: number, wanted: z.infer<typeof draft>["data"]["attributes"]) => {
    const now = stamp(org.clock());
    const attributes = {
      metadata: { is_favorite: false, is_template: false, type: null, take_snapshots: false },
      template_variables: [],
      status: "published",
      ...wanted,
      cells: wanted.cells.map((each) => ({ ...each, id: each.id ?? org.ids.word(8) })),
      created: notebooks.get(id)?.attributes["created"] ?? now,
      modified: now,
      author: { ...creator(org), icon: iconOf(org.me), title: null, verified: true, disabled: false, status: "Active" },
    };
    notebooks.set(id, { id, attributes });
    return ok({ data: describe({ id, attributes }) });
  };

  return [
    get("/api/v1/notebooks", (asked) => {
      const text = asked.query.get("query")?.toLowerCase() ?? "";
      const found = [...notebooks.values()].filter(
        ({ attributes: { name } }) => typeof name === "string" && name.toLowerCase().includes(text),
      );
      const shown = slice(found, { offset: count(asked, "start", 0), limit: count(asked, "count", 100) });
      return ok({
        data: shown.map(describe),
        meta: { page: { total_count: notebooks.size, total_filtered_count: found.length } },
      });
    }),
    post("/api/v1/notebooks", (asked) =>
      accept(asked, draft, ({ data }) => keep(org.ids.number("notebook", 7), data.attributes)),
    ),
    get(
      "/api/v1/notebooks/{notebook_id}",
      one((notebook) => ok({ data: describe(notebook) })),
    ),
    put(
      "/api/v1/notebooks/{notebook_id}",
      one(({ id }, asked) => accept(asked, draft, ({ data }) => keep(id, data.attributes))),
    ),
    del(
      "/api/v1/notebooks/{notebook_id}",
      one(({ id }) => {
        notebooks.delete(id);
        return noContent;
      }),
    ),
  ];
};
