/**
 * Of which type an id is: read from the catalogue's paths, where `/api/v1/monitor/{monitor_id}` says that monitors have a `monitor_id` and
 * that what is created at `/api/v1/monitor` gets one.
 */

import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Operation } from "../../model/operation.ts";

/** `monitor_id`, `dashboard_id`; of ids inside a thing `dashboard_id widgets[].id`. */
export type IdType = string;

export type Resources = {
  /** Of a path parameter; null for names, which callers choose and which are the same everywhere. */
  ofParameter(path: string, name: string): IdType | null;
  /** Of the things that an operation's path is about. */
  own(operation: Pick<Operation, "path">): IdType | null;
  /** Of a member or query parameter with this name: `monitor_id`, `monitor_ids`; null for names of nothing. */
  named(name: string): IdType | null;
  /** Of JSON:API's `{"type": "users", "id": …}`. */
  ofKind(kind: string): IdType | null;
};

/** Several names for ids of one thing. Each: https://docs.datadoghq.com/api/latest/ at the operations that take it. */
const aliases: ReadonlyMap<string, IdType> = new Map([
  // Dashboard lists: `list_id` in v1, `dashboard_list_id` in v2, one number.
  ["list_id", "dashboard_list_id"],
  ["user_uuid", "user_id"],
  // A service account is a user.
  ["service_account_id", "user_id"],
  ["super_team_id", "team_id"],
  ["member_team_id", "team_id"],
  ["application_key_id", "app_key_id"],
  ["corrections_id", "slo_correction_id"],
  ["correction_id", "slo_correction_id"],
  ["service_level_objective_id", "slo_id"],
  // Widgets of dashboards name a monitor so.
  ["alert_id", "monitor_id"],
  // Items of dashboard lists say what kind of dashboard they are.
  ["custom_timeboard_id", "dashboard_id"],
  ["custom_screenboard_id", "dashboard_id"],
  ["integration_timeboard_id", "dashboard_id"],
  ["integration_screenboard_id", "dashboard_id"],
  ["host_timeboard_id", "dashboard_id"],
  ["new_dashboard_id", "dashboard_id"],
]);

/** `account_id` of one integration is not that of another: what comes before it in the path is part of the type. */
const generic = new Set(
  "account action archive config connection deployment field file group handle instance interface job link metric model page policy project report resource result rule schedule service snapshot task template token update variable version view".split(
    " ",
  ),
);

const idName = /^(?:id|uuid|public_id|token|key)$|_(?:id|uuid|ocid)$/;

export function readResources({ entries }: Pick<Catalogue, "entries">): Resources {
  const items = new Map<string, IdType>();
  const known = new Set<IdType>(aliases.values());
  for (const { path } of entries) {
    for (const [whole, name = ""] of path.matchAll(/\{(\w+)\}/g)) {
      const type = typeOf(path, name);
      if (type === null) continue;
      known.add(type);
      const collection = path.slice(0, path.indexOf(whole) - 1);
      if (path.endsWith(`/${whole}`) && !items.has(plain(collection))) items.set(plain(collection), type);
    }
  }
  const checked = (type: IdType): IdType | null => (known.has(type) ? type : null);
  return {
    ofParameter: typeOf,
    own: ({ path }) => ownOf(items, path),
    named: (name) => checked(canonical(name.replace(/s$/, "").replace(/_(?:uuid|public_id)$/, "_id"))),
    ofKind: (kind) => checked(canonical(`${singular(kind.toLowerCase().replaceAll("-", "_"))}_id`)),
  };
}

const canonical = (name: string): IdType => aliases.get(name) ?? name;

/** Synthetic tests are made at `…/tests/api` and found at `…/tests/{public_id}`. */
const synthetics = /^\/api\/v\d\/synthetics\/tests(?:\/|$)/;

function ownOf(items: ReadonlyMap<string, IdType>, path: string): IdType | null {
  const collection = items.get(plain(path));
  if (collection !== undefined) return collection;
  if (synthetics.test(path)) return "test_id";
  // `/api/v1/slo/bulk_delete`, `/api/v1/monitor/search`.
  const [, whole] = /^(.*)\/[a-z_-]+$/.exec(plain(path)) ?? [];
  const around = whole === undefined ? undefined : items.get(whole);
  if (around !== undefined) return around;
  const [, last] = /\/\{(\w+)\}(?:\/[a-z_]+)?$/.exec(path) ?? [];
  return last === undefined ? null : typeOf(path, last);
}

/** `/api/v1/monitor/` and `/api/v1/monitor` are one collection, whatever its parameters are called. */
const plain = (path: string): string => path.replace(/\/$/, "").replaceAll(/\{\w+\}/g, "{}");

function typeOf(path: string, name: string): IdType | null {
  if (!idName.test(name)) return null;
  const before = path
    .slice(0, path.indexOf(`{${name}}`))
    .split("/")
    .filter((segment) => segment !== "" && !segment.startsWith("{"));
  const [segment = "", previous = ""] = before.toReversed().map((one) => singular(one.replaceAll("-", "_")));
  if (name === "public_id" && synthetics.test(path)) return "test_id";
  if (aliases.has(name)) return canonical(name);
  const stem = name.replace(/_?(?:public_id|id|uuid|ocid|token|key)$/, "");
  if (stem === "") return canonical(name === "token" || name === "key" ? `${segment}_${name}` : `${segment}_id`);
  // `…/notification_rule/{rule_id}`: the path says it better than the parameter.
  if (segment !== stem && segment.endsWith(`_${stem}`)) return canonical(`${segment}_id`);
  return generic.has(stem) ? `${previous}_${stem}_id` : canonical(`${stem}_id`);
}

const singular = (word: string): string => {
  if (/(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(?:ches|shes|sses|xes)$/.test(word)) return word.slice(0, -2);
  return word.endsWith("s") ? word.slice(0, -1) : word;
};
