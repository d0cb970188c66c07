/** Which resource an operation is about: what `GET /api/v1/monitor` lists is what `PUT /api/v1/monitor/{monitor_id}` changes. */

import type { CatalogueEntry } from "../../../datadog/catalogue.ts";
import type { Operation } from "../../../model/operation.ts";

/** What operations of the catalogue read or change. `id` is null where each item of the answer has its own. */
export type Family = {
  readonly name: string;
  /** The path's parameters, in order. */
  readonly parents: readonly string[];
  /** Null: the items, or the one object of the body, say which they are; by the first of these members that they have. */
  readonly itemIds: readonly string[] | null;
};

/** Template of a collection → name of the parameter that picks one of its items. */
export type Families = ReadonlyMap<string, string>;

export const buildFamilies = (entries: readonly CatalogueEntry[]): Families => {
  const families = new Map<string, string>();
  for (const { path } of entries) {
    const [, collection, parameter] = /^(.+)\/\{(\w+)\}$/.exec(path) ?? [];
    if (collection !== undefined && parameter !== undefined) families.set(canonical(collection), parameter);
  }
  return families;
};

/** Templates that show or change the same things as another one. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["/api/v1/synthetics/tests/api", "/api/v1/synthetics/tests"],
  ["/api/v1/synthetics/tests/browser", "/api/v1/synthetics/tests"],
  ["/api/v1/synthetics/tests/mobile", "/api/v1/synthetics/tests"],
  ["/api/v2/synthetics/tests/network", "/api/v1/synthetics/tests"],
]);

/** Last segments that only say how a collection is read. */
const views = new Set(["search", "list"]);

/** Where nothing else names an item, what Datadog's integrations call theirs: an account is known by its id, not by its secrets. */
const ownIds = [
  "id",
  "public_id",
  "uuid",
  "account_id",
  "project_id",
  "tenant_name",
  "access_key_id",
  "name",
  "handle",
];

export const familyOf = (families: Families, { path, params, known }: Operation): Family => {
  if (!known) return { name: path, parents: [], itemIds: null };
  const parents = Object.values(params);
  const [, collection] = /^(.+)\/\{\w+\}$/.exec(path) ?? [];
  if (collection !== undefined) return { name: canonical(collection), parents, itemIds: null };
  const [, viewed = path, view = ""] = /^(.+)\/([^/{}]+)$/.exec(path) ?? [];
  const name = canonical(views.has(view) && families.has(canonical(viewed)) ? viewed : path);
  const parameter = families.get(name);
  if (parameter !== undefined) return { name, parents, itemIds: idNames(parameter) };
  return { name, parents, itemIds: parents.length > 0 ? null : ownIds };
};

/** `webhook_name` → `webhook_name`, `name`, `id`. */
const idNames = (parameter: string): readonly string[] => {
  const last = parameter.slice(parameter.lastIndexOf("_") + 1);
  return [...new Set([parameter, last, "id"])];
};

/** Without the names of parameters, which differ between operations of one family. */
const canonical = (template: string): string => {
  const plain = template.replaceAll(/\{\w+\}/g, "{}");
  return aliases.get(plain) ?? plain;
};
