/** Takes a body apart into the resources it holds: unwraps what an answer wraps, and tells the items of a list by their ids. */

import type { Family } from "./family.ts";
import { leafText, type Node, outlineOf } from "./outline.ts";
import type { ResourcePlace, Step } from "./place.ts";

/** One resource in a body: its bytes, and how many steps lead to it. */
export type Resource = ResourcePlace & { readonly start: number; readonly end: number; readonly steps: number };

export type Layout = {
  readonly resources: readonly Resource[];
  /** For what lies outside of them: the wrapping itself, and what an answer brings along. */
  readonly outside: ResourcePlace;
  /** The whole document, and what in it holds the resources; null where the body is no JSON document. */
  readonly document: { readonly start: number; readonly end: number; readonly held: Range } | null;
};

type Range = { readonly start: number; readonly end: number };

/** Members that say something about an answer and are no part of what it shows. */
const bookkeeping = new Set([
  "count",
  "errors",
  "included",
  "jsonapi",
  "links",
  "meta",
  "metadata",
  "page",
  "pagination",
  "page_count",
  "start_at",
  "status",
  "total",
  "total_count",
  "warnings",
]);

/** What stands outside of the resources is at a path of its own, which no resource has. */
export const outsideStep = -2;

/** `understand`: what an id means that is written as a token. */
export const layOut = (bytes: Buffer, family: Family, understand: (id: string) => string = (id) => id): Layout => {
  const outside = { family: family.name, id: join(family.parents) };
  const root = outlineOf(bytes, new Set(family.itemIds ?? []));
  if (root === null) return { resources: [], outside, document: null };
  const { node, steps } = unwrap(root, family);
  const items =
    node.type === "array" ? node.children.filter(({ type }) => type === "object" || type === "array") : [node];
  const isList = node.type === "array";
  const resources = items.map((item, index) => ({
    family: family.name,
    id: idOf(bytes, item, { family, index: isList ? index : null, understand }),
    start: item.start,
    end: item.end,
    steps: steps + (isList ? 1 : 0),
  }));
  const [only] = resources;
  // What an answer about one thing brings along belongs to that thing, also where only the answer says which it is.
  return {
    resources,
    outside: only !== undefined && !isList ? { family: family.name, id: only.id } : outside,
    document: { start: root.start, end: root.end, held: { start: node.start, end: node.end } },
  };
};

type Unwrapped = { readonly node: Node; readonly steps: number };

/**
 * `{"data": …, "meta": …}`, `{"monitors": […]}`, `{"user": {…}}`: the one member that the operation is about. A body with any other member
 * beside it is its own resource, so that nothing stands next to one unseen.
 */
const unwrap = (root: Node, { name }: Family): Unwrapped => {
  const itself = { node: root, steps: 0 };
  if (root.type !== "object") return itself;
  const [only, ...others] = root.children.filter(({ key }) => key === null || !bookkeeping.has(key));
  if (only === undefined || others.length > 0 || !isContainer(only)) return itself;
  const isNamed = only.key === "data" || plain(name).includes(plain(only.key ?? "?").replace(/s$/, ""));
  return isNamed || only.type === "array" ? { node: only, steps: 1 } : itself;
};

const isContainer = ({ type }: Node): boolean => type === "object" || type === "array";

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

type Position = {
  readonly family: Family;
  readonly index: number | null;
  readonly understand: (id: string) => string;
};

const idOf = (bytes: Buffer, item: Node, { family, index, understand }: Position): string => {
  const own = family.itemIds === null ? null : ownId(bytes, item, family.itemIds);
  if (own !== null) return join([...family.parents, understand(own)]);
  // Several without a name of their own are told by their order, and the first is the one that has no need of it.
  return index === null || index === 0 ? join(family.parents) : join([...family.parents, `#${index}`]);
};

const ownId = (bytes: Buffer, item: Node, names: readonly string[]): string | null => {
  for (const name of names) {
    const member = item.children.find(({ key }) => key === name);
    const text = member === undefined ? null : leafText(bytes, member);
    if (text !== null && text !== "" && text !== "null") return text;
  }
  return null;
};

const join = (ids: readonly string[]): string => ids.map((id) => `${id.length}:${id}`).join(",");

/** The resource that holds a byte, and the path from it. */
export const relative = (
  { resources, outside }: Layout,
  start: number,
  path: readonly Step[],
): { readonly resource: Resource | null; readonly place: ResourcePlace; readonly path: readonly Step[] } => {
  const resource = find(resources, start);
  if (resource === null) return { resource, place: outside, path: [outsideStep, ...path] };
  return { resource, place: resource, path: path.slice(resource.steps) };
};

const find = (resources: readonly Resource[], start: number): Resource | null => {
  let low = 0;
  let high = resources.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const resource = resources[middle];
    if (resource === undefined) return null;
    if (start < resource.start) high = middle - 1;
    else if (start >= resource.end) low = middle + 1;
    else return resource;
  }
  return null;
};
