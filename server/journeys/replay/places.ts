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

/** JSON:API's word for a kind of thing, as answers of this session used it, and the type of its ids. */
export type Kinds = ReadonlyMap<string, IdType>;

/** Whose bodies these are: `own` is the type of the things that the operation is about, null for none. */
export type Subject = {
  readonly resources: Resources;
  readonly kinds: Kinds;
  readonly own: IdType | null;
  readonly path: string;
};

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
export function idPlace(subject: Subject, place: Place): IdPlace | null {
  const { resources, own, path } = subject;
  const { name, pattern, isItem } = place;
  const inside = { type: `${familyOf(own, path)} ${pattern}`, exact: false, isOwn: false };
  if (ownNames.has(name) && !isItem) {
    if (own !== null && isWhole(place)) return { type: own, exact: true, isOwn: true };
    const kind = kindOf(subject, place.parent);
    if (kind !== null) return { type: kind, exact: true, isOwn: own !== null && kind === own && isListed(place, own) };
    return own !== null && isListed(place, own) ? { type: own, exact: true, isOwn: true } : inside;
  }
  if (own !== null && isItem && (name === "ids" || name === "public_ids"))
    return { type: own, exact: true, isOwn: false };
  if (own !== null && isKeyOf(own, place)) return { type: own, exact: true, isOwn: true };
  const named = namedType(resources, name);
  if (named !== null) return { type: named, exact: true, isOwn: false };
  return /_(?:id|uuid|public_id)s?$/.test(name) ? inside : null;
}

/** `monitor_id`, `monitor_ids`, and what says more of it before: `parse_test_public_id`. */
export function namedType(resources: Resources, name: string): IdType | null {
  if (!/_(?:id|uuid)s?$/.test(name)) return null;
  const words = name.split("_");
  for (let from = 0; from < words.length - 1; from++) {
    const type = resources.named(words.slice(from).join("_"));
    if (type !== null) return type;
  }
  return null;
}

export const familyOf = (own: IdType | null, path: string): string => own ?? path;

const ofThing = new Set(["id", "type", "attributes", "relationships", "links", "meta"]);

/** JSON:API's `{"type": "users", "id": …}`: https://jsonapi.org/format/#document-resource-objects */
export function kindText(parent: JsonObject | null): string | null {
  const type = parent?.members.get("type")?.value;
  if (parent === null || type?.kind !== "string" || !/^[A-Za-z][\w-]*$/.test(type.value)) return null;
  return [...parent.members.keys()].every((name) => ofThing.has(name)) ? type.value : null;
}

function kindOf({ resources, kinds }: Subject, parent: JsonObject | null): IdType | null {
  const text = kindText(parent);
  return text === null ? null : (kinds.get(text) ?? resources.ofKind(text));
}

/** The thing itself, and nothing of it. */
const isWhole = ({ pattern, parent }: Place): boolean =>
  parent !== null && /^(?:\[\]\.|data\.|data\[\]\.)?\w+$/.test(pattern);

/** The thing itself in a list of them, or in a member that is called as it is: `monitors[].id`, `event.id`. */
function isListed({ pattern, parent }: Place, own: IdType): boolean {
  const around = pattern.slice(0, Math.max(0, pattern.lastIndexOf("."))).replace(/\[\]$/, "");
  const stem = own.replace(/_id$/, "");
  return parent !== null && [stem, `${stem}s`, `${stem.replace(/y$/, "ie")}s`].includes(around);
}

/** Of things that are named by a secret: `token` of a shared dashboard, `key` of `api_key`. */
const isKeyOf = (own: IdType, { name, pattern }: Place): boolean =>
  (name === "token" || name === "key") && own.endsWith(`_${name}`) && /^(?:\w+\.)?\w+$/.test(pattern);
