/** Where ids stand in a JSON body, and of which type each is: by the name of its member, by what it is in, by the operation. */

import type { JsonNode, JsonNumber, JsonObject, JsonString } from "../../model/jsonTree.ts";
import type { IdType, Resources } from "./resources.ts";

/** `data.attributes.monitor_ids[]`: names of members, `[]` for every item of a list. */
export type Pattern = string;

/** A string or a number, and where it is. */
export type Place = {
  readonly pattern: Pattern;
  /** Of the member that it is the value of, or an item of whose value it is. */
  readonly name: string;
  readonly isItem: boolean;
  readonly parent: JsonObject | null;
};

/** `exact`: the type is a thing's own; else it is of ids inside one kind of thing, wherever they stand in it. */
export type IdPlace = { readonly type: IdType; readonly exact: boolean; readonly isOwn: boolean };

/** Whose bodies these are: `own` is the type of the things that the operation is about, null for none. */
export type Subject = { readonly resources: Resources; readonly own: IdType | null; readonly path: string };

export const rootPlace: Place = { pattern: "", name: "", isItem: false, parent: null };

export const memberPlace = (place: Place, name: string, parent: JsonObject): Place => ({
  pattern: place.pattern === "" ? name : `${place.pattern}.${name}`,
  name,
  isItem: false,
  parent,
});

export const itemPlace = (place: Place): Place => ({ ...place, pattern: `${place.pattern}[]`, isItem: true });

/** Every string and number of a document. */
export function* scalarsOf(node: JsonNode, place = rootPlace): Generator<[JsonString | JsonNumber, Place]> {
  switch (node.kind) {
    case "object":
      for (const [name, { value }] of node.members) yield* scalarsOf(value, memberPlace(place, name, node));
      return;
    case "array":
      for (const item of node.items) yield* scalarsOf(item, itemPlace(place));
      return;
    case "string":
    case "number":
      yield [node, place];
      return;
    case "word":
      return;
    default:
      node satisfies never;
  }
}

/** As an id is compared: as it is written. */
export const textOf = (node: JsonString | JsonNumber): string => (node.kind === "string" ? node.value : node.text);

const ownNames = new Set(["id", "uuid", "public_id"]);

/** Null for what is no id. */
export function idPlace({ resources, own, path }: Subject, place: Place): IdPlace | null {
  const { name, pattern, isItem } = place;
  const inside = { type: `${familyOf(own, path)} ${pattern}`, exact: false, isOwn: false };
  if (ownNames.has(name) && !isItem) {
    const kind = kindOf(resources, place.parent);
    const isOwn = own !== null && isRoot(place, own);
    if (kind !== null) return { type: kind, exact: true, isOwn: isOwn && kind === own };
    return isOwn ? { type: own, exact: true, isOwn } : inside;
  }
  if (own !== null && (name === "ids" || isKeyOf(own, place))) return { type: own, exact: true, isOwn: name !== "ids" };
  const named = /_(?:id|uuid)s?$/.test(name) ? resources.named(name) : null;
  if (named !== null) return { type: named, exact: true, isOwn: false };
  return /_(?:id|uuid|public_id)s?$/.test(name) ? inside : null;
}

export const familyOf = (own: IdType | null, path: string): string => own ?? path;

/** `{"type": "users", "id": …}` */
function kindOf(resources: Resources, parent: JsonObject | null): IdType | null {
  const type = parent?.members.get("type")?.value;
  return type?.kind === "string" && /^[A-Za-z][\w-]*$/.test(type.value) ? resources.ofKind(type.value) : null;
}

/** The thing itself, in what Datadog wraps it in: `data`, a list, or a member that is called as the thing is. */
function isRoot({ pattern, parent }: Place, own: IdType): boolean {
  const around = pattern.slice(0, Math.max(0, pattern.lastIndexOf(".")));
  const stem = own.replace(/_id$/, "");
  return parent !== null && (/^(?:(?:data|[a-z_]*)\[\]|data)?$/.test(around) || around === stem);
}

/** Of things that are named by a secret: `token` of a shared dashboard, `key` of `api_key`. */
const isKeyOf = (own: IdType, { name, pattern }: Place): boolean =>
  (name === "token" || name === "key") && own.endsWith(`_${name}`) && /^(?:\w+\.)?\w+$/.test(pattern);
