/** What security monitoring leaves alone or watches more closely, v2: https://docs.datadoghq.com/api/latest/security-monitoring/. */

import { z } from "zod";
import { collect, type Item } from "./collections.ts";
import { type JsonObject, loose, stated, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { type Asked, count, type Route, slice } from "./route.ts";
import { createSearch } from "./search.ts";

const base = "/api/v2/security_monitoring/configuration";

const suppression = loose({
  name: z.string().min(1),
  enabled: z.boolean(),
  description: z.string().optional(),
  rule_query: z.string(),
  suppression_query: z.string().optional(),
  data_exclusion_query: z.string().optional(),
  expiration_date: z.number().int().nullish(),
  tags: z.array(z.string()).optional(),
  version: z.number().int().optional(),
});

const asset = loose({
  query: z.string().min(1),
  rule_query: z.string().min(1),
  severity: z.enum(["info", "low", "medium", "high", "critical", "increase", "decrease", "no-op"]),
  enabled: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  version: z.number().int().optional(),
});

export const suppressionRoutes = (org: Organization): readonly Route[] => [
  ...collect(org, {
    path: `${base}/suppressions`,
    type: "suppressions",
    told: suppression,
    changedBy: "PATCH",
    idOf: () => org.ids.dashboard(),
    missing: (id) => `not_found(Suppression with ID ${id} not found)`,
    attributes: ({ tags, ...told }, before) => {
      if (told.suppression_query === undefined && told.data_exclusion_query === undefined && before === undefined)
        return "One of suppression_query and data_exclusion_query is required";
      const sorted = stated({ tags: tags?.toSorted() });
      const empty = { description: "", suppression_query: "", data_exclusion_query: "" };
      return versioned(org, { ...empty, ...before, ...stated(told), ...sorted }, { told, before });
    },
    list: listSuppressions,
  }).routes,
  ...collect(org, {
    path: `${base}/critical_assets`,
    type: "critical_assets",
    told: asset,
    changedBy: "PATCH",
    missing: (id) => `not_found(Critical asset with ID ${id} not found)`,
    attributes: (told, before) => {
      const next = versioned(org, { enabled: true, tags: [], ...before, ...stated(told) }, { told, before });
      if (typeof next === "string") return next;
      return { ...next, creation_author_id: org.me.id, update_author_id: org.me.id };
    },
  }).routes,
];

type Change = { readonly told: { readonly version?: number | undefined }; readonly before: JsonObject | undefined };

/** Whoever names a version must name the present one: somebody else may have changed it meanwhile. */
const versioned = (org: Organization, wanted: JsonObject, { told, before }: Change): JsonObject | string => {
  const version = Number(before?.["version"] ?? 0);
  if (before !== undefined && told.version !== undefined && told.version !== version)
    return `input_validation_error(Field 'version' is invalid: the present version is ${version})`;
  const now = org.clock().getTime();
  const me = { handle: org.me.handle, name: org.me.name };
  return {
    ...wanted,
    editable: true,
    creation_date: before?.["creation_date"] ?? now,
    creator: before?.["creator"] ?? me,
    update_date: now,
    updater: me,
    version: version + 1,
  };
};

const suppressionSearch = createSearch<Item>({
  text: ({ attributes }) => textOf(attributes["name"]),
  field: ({ id, attributes }, name) => {
    if (name === "id") return [id];
    const value = attributes[name];
    return [value].flat().flatMap((each) => (typeof each === "object" ? [] : [textOf(each)]));
  },
});

const listSuppressions = (all: readonly Item[], asked: Asked): { readonly shown: readonly Item[] } & JsonObject => {
  const matches = suppressionSearch(asked.query.get("query") ?? "");
  const found = all.filter((item) => typeof matches === "string" || matches(item));
  const sort = asked.query.get("sort") ?? "";
  const by = sort.replace(/^-/, "");
  const sorted = by === "" ? found : found.toSorted((a, b) => compare(a.attributes[by], b.attributes[by]));
  if (sort.startsWith("-")) sorted.reverse();
  const size = count(asked, "page[size]", sorted.length);
  const number = count(asked, "page[number]", 0);
  return {
    shown: slice(sorted, { offset: number * size, limit: size }),
    meta: { page: { totalCount: sorted.length, pageSize: size, pageNumber: number } },
  };
};

const compare = (a: unknown, b: unknown): number =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
