/** A recorded request as it is sent here: with the ids that things have here, in its path, its query and its body. */

import { segmentsOf } from "../../datadog/catalogue.ts";
import { keyedPathParameters } from "../../datadog/credentials.ts";
import { type JsonNode, type JsonObject, withReplaced } from "../../model/jsonTree.ts";
import type { Operation } from "../../model/operation.ts";
import type { Found, Ids } from "./ids.ts";
import {
  familyOf,
  idPlace,
  memberPlace,
  itemPlace,
  namedType,
  type Place,
  rootPlace,
  type Subject,
  textOf,
} from "./places.ts";
import type { IdType, Resources } from "./resources.ts";

/** Why a call cannot be sent; never a guess. */
export type Unsendable = { readonly outcome: "failed" | "skipped"; readonly reason: string };

export const isUnsendable = (value: object): value is Unsendable => "outcome" in value && "reason" in value;

export type Rewriting = {
  readonly resources: Resources;
  readonly ids: Ids;
  readonly operation: Operation;
  /** Of the recorded answer; null when there is none. */
  readonly status: number | null;
  /** Gathers what its body names and no call of the session created: these ids stay what they are. */
  readonly strange: Set<string>;
};

export const subjectOf = ({
  resources,
  ids,
  operation,
}: Pick<Rewriting, "resources" | "ids" | "operation">): Subject => ({
  resources,
  kinds: ids.kinds,
  own: resources.own(operation),
  path: operation.path,
});

/** @returns the path, percent-encoded as it was where nothing changed */
export function rewritePath(rewriting: Rewriting, path: string): string | Unsendable {
  const { operation, resources } = rewriting;
  const template = segmentsOf(operation.path);
  const segments = path.split("/");
  for (const [index, step] of template.entries()) {
    const [, name] = /^\{(\w+)\}$/.exec(step) ?? [];
    const written = segments[index + 1];
    if (name === undefined || written === undefined || !operation.known) continue;
    const type = resources.ofParameter(operation.path, name);
    if (type === null) continue;
    const value = rewriteParameter(rewriting, { type, name, value: operation.params[name] ?? "" });
    if (typeof value !== "string") return value;
    if (value === operation.params[name]) continue;
    if (!isSegment(value)) return noSegment(type, value);
    segments[index + 1] = encodeURIComponent(value).replaceAll("%3A", ":");
  }
  return segments.join("/");
}

/** A sandbox may answer anything as an id. */
export const isSegment = (value: string): boolean => value !== "" && value.isWellFormed() && !/^\.\.?$/.test(value);

const noSegment = (type: IdType, value: string): Unsendable => ({
  outcome: "failed",
  reason: `the counterpart of this ${type} here, ${quoted(value.toWellFormed())}, is no part of an address`,
});

type Parameter = { readonly type: IdType; readonly name: string; readonly value: string };

function rewriteParameter(rewriting: Rewriting, parameter: Parameter): string | Unsendable {
  const { ids, operation } = rewriting;
  const { type, name, value } = parameter;
  if (keyedPathParameters.get(operation.id) === name) return ids.onlyOf(type) ?? secretInPath(name);
  const found = ids.find(type, value);
  if (found.kind === "mapped") return found.value;
  if (found.kind === "lost") return lost(type, value, found);
  const composed = rewriteComposed(rewriting, value, type);
  if (composed !== null) return composed;
  return unknownInPath(rewriting, parameter);
}

/** What nothing in the session created: nothing here is known to be its counterpart, so nothing here is changed in its place. */
function unknownInPath({ operation, status }: Rewriting, { type, value }: Parameter): string | Unsendable {
  const wasMissing = status !== null && status >= 400 && status < 500;
  return operation.access === "read" && wasMissing ? value : unknownId(type, value);
}

const unknownId = (type: IdType, value: string): Unsendable => ({
  outcome: "skipped",
  reason: `${type} ${quoted(value)} was not created in this session: nothing here is known to be its counterpart`,
});

const secretInPath = (name: string): Unsendable => ({
  outcome: "failed",
  reason: `the ${name} in the path is not recorded, for it is a secret, and more than one or none was created here`,
});

const lost = (type: IdType, value: string, { by, why }: Extract<Found, { kind: "lost" }>): Unsendable => ({
  outcome: "failed",
  reason: `${type} ${quoted(value)} was created by call ${by}, which ${why}: there is no counterpart here`,
});

/** `dashboard:abc-def-ghi`, `1,2`: each part for itself. Null when no part is known. */
function rewriteComposed({ ids, resources }: Rewriting, value: string, type: IdType): string | Unsendable | null {
  const parts = value.split(/([:,|;])/);
  if (parts.length === 1) return null;
  let changed = false;
  for (const [index, part] of parts.entries()) {
    const kind = parts[index - 1] === ":" ? resources.ofKind(parts[index - 2] ?? "") : null;
    const found = ids.find(kind ?? type, part);
    if (found.kind === "lost") return lost(kind ?? type, part, found);
    if (found.kind !== "mapped") continue;
    parts[index] = found.value;
    changed = true;
  }
  return changed ? parts.join("") : null;
}

/** Raw, without `?`; what does not change keeps its spelling. */
export function rewriteQuery(rewriting: Rewriting, query: string): string | Unsendable {
  if (query === "") return query;
  const pairs = query.split("&");
  for (const [index, pair] of pairs.entries()) {
    const equals = pair.indexOf("=");
    if (equals === -1) continue;
    const name = decoded(pair.slice(0, equals));
    const value = decoded(pair.slice(equals + 1));
    const changed = rewriteField(rewriting, name, value);
    if (typeof changed !== "string") return changed;
    if (!changed.isWellFormed()) return noSegment("id", changed);
    if (changed !== value)
      pairs[index] = `${pair.slice(0, equals)}=${encodeURIComponent(changed).replaceAll("%2C", ",")}`;
  }
  return pairs.join("&");
}

function rewriteField(rewriting: Rewriting, name: string, value: string): string | Unsendable {
  const inner = /\[(\w+)\]$/.exec(name)?.[1] ?? name;
  if (/^(?:q|query|search)$/.test(inner)) return rewriteSearch(rewriting, value);
  const type = typeOfField(rewriting, inner);
  if (type === null) return value;
  const found = rewriting.ids.find(type, value);
  if (found.kind === "lost") return lost(type, value, found);
  return found.kind === "mapped" ? found.value : (rewriteComposed(rewriting, value, type) ?? value);
}

/** Terms of a search that name an id: `id:abc-def-ghi OR monitor_id:123`. https://docs.datadoghq.com/getting_started/search/ */
function rewriteSearch(rewriting: Rewriting, search: string): string | Unsendable {
  let problem: Unsendable | null = null;
  const changed = search.replaceAll(/\b\w+:"?[\w-]+/g, (term) => {
    const [, before = "", name = "", value = ""] = /^((\w+):"?)(.*)$/.exec(term) ?? [];
    const type = typeOfField(rewriting, name);
    const found = type === null ? null : rewriting.ids.find(type, value);
    if (type !== null && found?.kind === "lost") problem ??= lost(type, value, found);
    return found?.kind === "mapped" ? before + found.value : term;
  });
  return problem ?? changed;
}

/** `monitor_ids`, `filter[monitor_id]`, `ids` of what the operation lists. */
const typeOfField = ({ resources, operation }: Rewriting, name: string): IdType | null =>
  /^(?:ids?|public_ids?)$/.test(name) ? resources.own(operation) : namedType(resources, name);

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};

/** The text of a JSON body; every character that is no such id stays. */
export function rewriteBody(rewriting: Rewriting, text: string, tree: JsonNode): string | Unsendable {
  const subject = subjectOf(rewriting);
  const edits: Edit[] = [];
  const problem =
    walk({ rewriting, subject, edits }, tree, rootPlace) ?? composite({ rewriting, subject, edits }, tree);
  return problem ?? (edits.length === 0 ? text : withReplaced(text, edits));
}

type Edit = { readonly start: number; readonly end: number; readonly text: string };
type Walk = { readonly rewriting: Rewriting; readonly subject: Subject; readonly edits: Edit[] };

function walk(walking: Walk, node: JsonNode, place: Place): Unsendable | null {
  switch (node.kind) {
    case "object":
      for (const [name, { name: at, value }] of node.members) {
        const problem = memberName(walking, name, at) ?? walk(walking, value, memberPlace(place, name, node));
        if (problem !== null) return problem;
      }
      return null;
    case "array":
      for (const item of node.items) {
        const problem = walk(walking, item, itemPlace(place));
        if (problem !== null) return problem;
      }
      return null;
    case "string":
    case "number":
      return scalar(walking, node, place);
    case "word":
      return null;
    default:
      return node satisfies never;
  }
}

function scalar(
  { rewriting, subject, edits }: Walk,
  node: Extract<JsonNode, { kind: "string" | "number" }>,
  place: Place,
): Unsendable | null {
  const at = idPlace(subject, place);
  if (at === null) return null;
  const value = textOf(node);
  const found = at.exact
    ? rewriting.ids.find(at.type, value)
    : findInside(rewriting, subject, { type: at.type, value });
  if (found.kind === "lost") return lost(at.type, value, found);
  const changed = found.kind === "mapped" ? found.value : rewriteComposed(rewriting, value, at.type);
  if (changed === null && at.exact && at.type === subject.own && choosesByBody(rewriting))
    return unknownId(at.type, value);
  if (changed === null && at.exact && !at.isOwn) rewriting.strange.add(`${at.type} ${quoted(value)}`);
  if (changed === null || changed === value) return null;
  if (typeof changed !== "string") return changed;
  if (node.kind === "number" && !/^-?\d+$/.test(changed))
    return {
      outcome: "failed",
      reason: `${place.pattern} is a number, and its counterpart here is ${quoted(changed)}`,
    };
  edits.push({ ...node, text: node.kind === "number" ? changed : JSON.stringify(changed) });
  return null;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function findInside(
  { ids }: Rewriting,
  { own, path }: Subject,
  { type, value }: { readonly type: IdType; readonly value: string },
): Found {
  const exact = ids.find(type, value);
  if (exact.kind !== "unknown") return exact;
  const inside = ids.findInside(familyOf(own, path), value);
  return inside.kind === "unknown" && uuid.test(value) ? ids.findAnywhere(value) : inside;
}

/** `{"<slo id>": ["7d"]}` of a bulk delete: a member that is called as one of the things is. */
function memberName(
  { rewriting, subject, edits }: Walk,
  name: string,
  at: { readonly start: number; readonly end: number },
): Unsendable | null {
  if (subject.own === null) return null;
  const found = rewriting.ids.find(subject.own, name);
  if (found.kind === "lost") return lost(subject.own, name, found);
  if (found.kind === "unknown" && isIdLike.test(name) && choosesByBody(rewriting)) return unknownId(subject.own, name);
  if (found.kind === "mapped" && found.value !== name) edits.push({ ...at, text: JSON.stringify(found.value) });
  return null;
}

/** What changes or removes things that only its body names: `DELETE /api/v1/dashboard`, `POST /api/v1/slo/bulk_delete`. */
const choosesByBody = ({ operation }: Rewriting): boolean =>
  operation.known &&
  !operation.path.includes("{") &&
  (operation.access === "destructive" || (operation.access === "write" && /^(?:PUT|PATCH)$/.test(operation.method)));

const isIdLike =
  /^(?:\d{4,}|[0-9a-f]{16,}|[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** A composite monitor's query is made of ids: `123 && !456`. https://docs.datadoghq.com/monitors/types/composite/ */
function composite({ rewriting, subject, edits }: Walk, tree: JsonNode): Unsendable | null {
  if (subject.own !== "monitor_id" || tree.kind !== "object" || !says(tree, "type", "composite")) return null;
  const query = tree.members.get("query")?.value;
  if (query?.kind !== "string") return null;
  let problem: Unsendable | null = null;
  const changed = query.value.replaceAll(/\b\d+\b/g, (id) => {
    const found = rewriting.ids.find("monitor_id", id);
    if (found.kind === "lost") problem ??= lost("monitor_id", id, found);
    return found.kind === "mapped" ? found.value : id;
  });
  if (changed !== query.value) edits.push({ ...query, text: JSON.stringify(changed) });
  return problem;
}

const says = ({ members }: JsonObject, name: string, text: string): boolean => {
  const value = members.get(name)?.value;
  return value?.kind === "string" && value.value === text;
};

const quoted = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 99)}…` : value);
