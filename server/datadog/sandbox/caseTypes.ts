/** Kinds of cases and the attributes that they have of their own, v2: https://docs.datadoghq.com/api/latest/case-management-type/. */

import { z } from "zod";
import { created, jsonApi, noContent, ok } from "./answer.ts";
import { unknown } from "./cases.ts";
import { collect } from "./collections.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, post, type Route } from "./route.ts";

const kind = loose({ name: z.string().min(1), description: z.string().optional(), emoji: z.string().optional() });

const draft = z.object({
  data: loose({
    type: z.literal("custom_attribute"),
    attributes: loose({
      display_name: z.string().min(1),
      key: z.string().min(1),
      type: z.enum(["URL", "TEXT", "NUMBER", "SELECT"]),
      is_multi: z.boolean(),
      description: z.string().optional(),
    }),
  }),
});

const only = (name: string): JsonObject => ({ status_options: [{ name }], default: name });

/** Which statuses its cases go through. */
const statuses = { open: only("Open"), in_progress: only("In Progress"), closed: only("Closed") };

const path = "/api/v2/cases/types";

export const caseTypeRoutes = (org: Organization): readonly Route[] => {
  const attributes = org.room.shelf<string, { readonly of: string; readonly data: JsonObject }>();
  const types = collect(org, {
    path,
    type: "case_type",
    told: kind,
    strict: true,
    changedBy: "PUT",
    missing: () => unknown("case_type not found"),
    attributes: (told, before) => ({ internal: false, statuses_config: statuses, ...before, ...stated(told) }),
  });
  const of = (asked: Asked): readonly JsonObject[] =>
    [...attributes.values()].filter((each) => each.of === asked.params["item_id"]).map(({ data }) => data);

  return [
    // One by itself cannot be read.
    ...types.routes.filter(({ method, path: at }) => method !== "GET" || at === path),
    get(`${path}/custom_attributes`, () => jsonApi(ok({ data: [...attributes.values()].map(({ data }) => data) }))),
    get(
      `${path}/{item_id}/custom_attributes`,
      types.one((_, asked) => jsonApi(ok({ data: of(asked) }))),
    ),
    post(
      `${path}/{item_id}/custom_attributes`,
      types.one(({ id: type }, asked) =>
        accept(asked, draft, ({ data: { attributes: told } }) => {
          const id = org.ids.uuid();
          const data = {
            id,
            type: "custom_attribute",
            attributes: { ...told, case_type: "TUNKNOWN", case_type_id: type },
          };
          attributes.set(id, { of: type, data });
          return jsonApi(created({ data }));
        }),
      ),
    ),
    del(
      `${path}/{item_id}/custom_attributes/{attribute_id}`,
      types.one(({ id }, asked) => {
        const attribute = asked.params["attribute_id"] ?? "";
        if (attributes.get(attribute)?.of !== id) return unknown("custom attribute not found");
        attributes.delete(attribute);
        return noContent;
      }),
    ),
  ];
};
