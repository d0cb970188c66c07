/** Which resource an operation is about: what `GET /api/v1/monitor` lists is what `PUT /api/v1/monitor/{monitor_id}` changes. */

import type { CatalogueEntry } from "../../../datadog/catalogue.ts";
import type { Operation } from "../../../model/operation.ts";

/** What operations of the catalogue read or change. `id` is null where each item of the answer has its own. */
export type Family = {
  readonly name: string;
  /** The path's parameters, in order. */
  readonly parents: readonly string[];
  /** By which of its members an item, or the one object of the body, says which it is; null where the path says it. */
  readonly itemIds: readonly string[] | null;
  /** Names of the member in which a body may hold it, or a list of it. */
  readonly wrappers: readonly string[];
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
export const ownIds = [
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

/** What can be given to another by an update: counts only where no other id does. */
export const weakIds: ReadonlySet<string> = new Set(["name", "handle"]);

/** Answers whose lists are called otherwise than their path. */
const otherLists: ReadonlyMap<string, readonly string[]> = new Map([
  ["/api/v1/dashboard/lists/manual", ["dashboard_lists"]],
  ["/api/v1/integration/aws", ["accounts"]],
  ["/api/v1/integration/aws/filtering", ["filters"]],
  ["/api/v1/integration/gcp", ["accounts"]],
]);

/** `{"data": …}` (JSON:API), `{"monitors": […]}`, `{"user": {…}}`. */
const wrappersOf = (name: string): readonly string[] => {
  const [, noun = ""] = /\/([a-z_]+)$/.exec(name) ?? [];
  const own = noun === "" ? [] : [noun, `${noun}s`, noun.replace(/s$/, "")];
  return [...new Set(["data", ...own, ...(otherLists.get(name) ?? [])])];
};

/** `host`: what nobody knows is another thing on another host. */
export const familyOf = (families: Families, { path, params, known }: Operation, host: string): Family => {
  if (!known) return { name: `${host}${path}`, parents: [], itemIds: null, wrappers: wrappersOf(path) };
  const parents = Object.values(params);
  const [, collection] = /^(.+)\/\{\w+\}$/.exec(path) ?? [];
  if (collection !== undefined) {
    const name = canonical(collection);
    return { name, parents, itemIds: null, wrappers: wrappersOf(name) };
  }
  const [, viewed = path, view = ""] = /^(.+)\/([^/{}]+)$/.exec(path) ?? [];
  const name = canonical(views.has(view) && families.has(canonical(viewed)) ? viewed : path);
  const parameter = families.get(name);
  const wrappers = wrappersOf(name);
  if (parameter !== undefined) return { name, parents, itemIds: idNames(parameter), wrappers };
  return { name, parents, itemIds: parents.length > 0 ? null : ownIds, wrappers };
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
