/** Takes a body apart into the resources it holds: unwraps what an answer wraps, and tells the items of a list by their ids. */

import { type Family, ownIds, weakIds } from "./family.ts";
import { leafText, type Node, outlineOf } from "./outline.ts";
import type { ResourcePlace, Step } from "./place.ts";

/**
 * One resource in a body: its bytes, and how many steps lead to it. `told`: the ids that say which it is; none where only its operation does.
 * `isClear`: whether two readers would take it for the same one.
 */
export type Resource = ResourcePlace & {
  readonly start: number;
  readonly end: number;
  readonly steps: number;
  readonly told: readonly string[];
  readonly isClear: boolean;
};

export type Layout = {
  readonly resources: readonly Resource[];
  /** For what lies outside of them: the wrapping itself, and what an answer brings along. */
  readonly outside: ResourcePlace;
  /** How the body holds its resources: `data`, `monitors`, `[]` for a plain list, `` where it is the one itself. */
  readonly wrapper: string;
  /** The whole document, and what in it holds the resources; null where the body is no JSON document. */
  readonly document: { readonly start: number; readonly end: number; readonly held: Range } | null;
};

type Range = { readonly start: number; readonly end: number };

/**
 * `query`: the request's, which says which resource it is where nothing else does. `understand`: what an id means that is written as a token.
 * `asItself`: takes the body for its own resource, however it looks.
 */
export type Asked = {
  readonly family: Family;
  readonly query: string;
  readonly understand?: (id: string) => string;
  readonly asItself?: boolean;
};

/** Members that say something about an answer and are no part of what it shows. */
const bookkeeping = new Set([
  "count",
  "counts",
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

export const layOut = (bytes: Buffer, asked: Asked): Layout => {
  const { family } = asked;
  const outside = { family: family.name, id: untold(asked) };
  const root = outlineOf(bytes, new Set([...(family.itemIds ?? []), ...ownIds]));
  if (root === null) return { resources: [], outside, wrapper: "", document: null };
  const itself = { node: root, steps: 0, wrapper: "" };
  const { node, steps, wrapper } = asked.asItself === true ? itself : unwrap(root, family);
  const isList = node.type === "array" && asked.asItself !== true;
  const items = isList ? node.children.filter(({ type }) => type === "object" || type === "array") : [node];
  const resources = withTwins(
    items.map((item, index) => ({
      family: family.name,
      ...idOf(bytes, item, { asked, index: isList ? index : null }),
      start: item.start,
      end: item.end,
      steps: steps + (isList ? 1 : 0),
    })),
  );
  const [only] = resources;
  // What an answer about one thing brings along belongs to that thing, also where only the answer says which it is.
  return {
    resources,
    outside: only !== undefined && !isList ? { family: family.name, id: only.id } : outside,
    wrapper,
    document: { start: root.start, end: root.end, held: { start: node.start, end: node.end } },
  };
};

type Unwrapped = { readonly node: Node; readonly steps: number; readonly wrapper: string };

/**
 * The one member that the operation is about. A body with any other member beside it is its own resource, so that nothing stands next to one
 * unseen; and so is one whose only member has another name.
 */
const unwrap = (root: Node, { wrappers }: Family): Unwrapped => {
  if (root.type === "array") return { node: root, steps: 0, wrapper: "[]" };
  const itself = { node: root, steps: 0, wrapper: "" };
  if (root.type !== "object") return itself;
  const [only, ...others] = root.children.filter(({ key }) => key === null || !bookkeeping.has(key));
  if (only === undefined || others.length > 0 || !isContainer(only)) return itself;
  const wrapper = wrappers.find((name) => name === only.key);
  return wrapper === undefined ? itself : { node: only, steps: 1, wrapper };
};

const isContainer = ({ type }: Node): boolean => type === "object" || type === "array";

type Identity = Pick<Resource, "id" | "told" | "isClear">;

const idOf = (
  bytes: Buffer,
  item: Node,
  { asked, index }: { readonly asked: Asked; readonly index: number | null },
): Identity => {
  const { family, understand = (id) => id } = asked;
  const names = family.itemIds ?? (index === null ? null : ownIds);
  const found = names === null ? [] : idsIn(bytes, item, names);
  const values = found.map(({ value }) => understand(value));
  const [first] = values;
  // Some answers about the one thing of the path are lists of it alone.
  const isOfPath = family.itemIds === null && values.includes(family.parents.at(-1) ?? "");
  if (first === undefined || isOfPath) {
    // Several without a name of their own are told by their order, and the first is the one that has no need of it.
    const id = untold(asked);
    return {
      id: isOfPath || index === null || index === 0 ? id : `${id},#${index}`,
      told: family.parents,
      isClear: true,
    };
  }
  if (names !== ownIds) {
    const told = [...family.parents, first];
    return { id: join(told), told, isClear: values.every((value) => value === first) };
  }
  // Nothing says which of them Datadog goes by: all of them are the id.
  const strong = found.filter(({ name }) => !weakIds.has(name));
  const counting = strong.length > 0 ? strong : found.slice(0, 1);
  const told = [...family.parents, ...counting.map(({ value }) => understand(value))];
  const named = counting.flatMap(({ name, value }) => [name, understand(value)]);
  return { id: join([...family.parents, ...named]), told, isClear: true };
};

/** In the order of `names`. */
const idsIn = (bytes: Buffer, item: Node, names: readonly string[]): { name: string; value: string }[] =>
  names.flatMap((name) => {
    const member = item.children.find(({ key }) => key === name);
    const value = member === undefined ? null : leafText(bytes, member);
    return value !== null && value !== "" && value !== "null" ? [{ name, value }] : [];
  });

/** What only the request tells apart. */
const untold = ({ family, query }: Asked): string =>
  family.parents.length > 0 || query === "" ? join(family.parents) : `?${query.split("&").toSorted().join("&")}`;

const join = (ids: readonly string[]): string => ids.map((id) => `${id.length}:${id}`).join(",");

/** Of two that say they are the same, one could hold the value and the other decide where it goes. */
const withTwins = (resources: readonly Resource[]): readonly Resource[] => {
  const times = new Map<string, number>();
  for (const { id } of resources) times.set(id, (times.get(id) ?? 0) + 1);
  return times.size === resources.length
    ? resources
    : resources.map((resource) => ((times.get(resource.id) ?? 0) > 1 ? { ...resource, isClear: false } : resource));
};

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
