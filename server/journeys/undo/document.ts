/** A resource as Datadog answered it: which one it is, what of it may be sent back, and what tells two versions of it apart. Values are as `readJson` makes them. */

import type { Kind } from "../../datadog/inverse.ts";
import { readJson, UnreadableJson } from "../../model/json.ts";
import { canonicalText, jsonText } from "../../stages/escalate/json.ts";
import type { Hidden } from "./hidden.ts";

export type Content = ReadonlyMap<string, unknown>;

/** `content`: its own fields without what Datadog decides. `erased`: nulls in it that may have been something else. */
export type Version = { readonly id: string; readonly content: Content; readonly erased: readonly Path[] };

export type Unknown = { readonly why: string };

export const isUnknown = (value: object): value is Unknown => "why" in value;

/** The one resource of this kind in a body that was recorded, or that was answered to nobody but the gateway. */
export function versionIn(kind: Kind, text: string, { isErased }: Pick<Hidden, "isErased">): Version | Unknown {
  try {
    const found = unwrapped(kind, readJson(text));
    if (found === null) return { why: `it is not what Datadog answers about a ${kind.noun}` };
    const id = idIn(kind, found.named);
    if (id === null) return { why: `it does not say which ${kind.noun} it is about` };
    const content = without(found.own, kind.readOnly);
    return {
      id,
      content,
      erased: isErased === null ? [] : nullsIn(content).filter((path) => isErased([...found.at, ...path])),
    };
  } catch (error) {
    if (error instanceof UnreadableJson) return { why: `it is not JSON that can be relied on (${error.message})` };
    throw error;
  }
}

type Unwrapped = { readonly named: Content; readonly own: Content; readonly at: Path };

function unwrapped({ envelope, type }: Kind, body: unknown): Unwrapped | null {
  const data = isObject(body) ? body.get("data") : undefined;
  switch (envelope) {
    case "bare":
      return isObject(body) ? { named: body, own: body, at: [] } : null;
    case "listed": {
      const isList = Array.isArray(data) && data.length === 1;
      const item: unknown = isList ? data[0] : data;
      return isObject(item) ? { named: item, own: item, at: isList ? ["data", 0] : ["data"] } : null;
    }
    case "attributes": {
      const own = isObject(data) && data.get("type") === type ? data.get("attributes") : undefined;
      return isObject(data) && isObject(own) ? { named: data, own, at: ["data", "attributes"] } : null;
    }
    default:
      return envelope satisfies never;
  }
}

const isObject = (value: unknown): value is Content => value instanceof Map;

/** Numbers keep every digit. Null for what could be no id, or a part of a path that means something else. */
function idIn({ id, idField }: Kind, named: Content): string | null {
  const value = named.get(idField);
  const text = typeof value === "bigint" ? String(value) : value;
  return typeof text === "string" && id.test(text) ? text : null;
}

export type Sending = { readonly id: string; readonly as: "create" | "change" };

/** What makes it anew, or changes the one with this id into it. */
export function bodyOf(kind: Kind, content: Content, { id, as }: Sending): string {
  const own = as === "create" ? without(content, kind.ownIds) : content;
  if (kind.envelope !== "attributes") return jsonText(own);
  const named: [string, unknown][] = kind.idInBody === as ? [["id", id]] : [];
  return jsonText(new Map([["data", new Map<string, unknown>([["type", kind.type], ...named, ["attributes", own]])]]));
}

export type Path = readonly (string | number)[];

export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );

const mostDifferences = 20;

/** Where two versions differ, ids of parts aside; the first twenty. */
export function differences(
  kind: Kind,
  [one, other]: readonly [Content, Content],
  { isSame, shown }: Pick<Hidden, "isSame" | "shown">,
): readonly string[] {
  const found: Path[] = [];
  compare(without(one, kind.ownIds), without(other, kind.ownIds), { path: [], found, isSame });
  return found.map((path) => pathText(path.map((step) => (typeof step === "string" ? shown(step) : step))));
}

type Comparing = Pick<Hidden, "isSame"> & { readonly path: Path; readonly found: Path[] };

function compare(one: unknown, other: unknown, { path, found, isSame }: Comparing): void {
  if (found.length >= mostDifferences) return;
  if (isObject(one) && isObject(other)) {
    for (const name of new Set([...one.keys(), ...other.keys()]))
      compare(one.get(name), other.get(name), { path: [...path, name], found, isSame });
  } else if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    for (const [i, item] of one.entries()) compare(item, other[i], { path: [...path, i], found, isSame });
  } else if (typeof one === "string" && typeof other === "string") {
    if (!isSame(one, other)) found.push(path);
  } else if (textOf(one) !== textOf(other)) found.push(path);
}

/** A field that is left out and one that is null say the same to Datadog. */
const textOf = (value: unknown): string => canonicalText(value ?? null);

/** Places at which a mask took something out, and names of members that it hides. */
export function maskedPlaces(content: Content, { isMasked }: Pick<Hidden, "isMasked">): readonly Path[] {
  const found: Path[] = [];
  const look = (value: unknown, path: Path): void => {
    if (typeof value === "string" && isMasked(value)) found.push(path);
    if (Array.isArray(value)) for (const [i, item] of value.entries()) look(item, [...path, i]);
    if (!isObject(value)) return;
    for (const [name, member] of value) {
      if (isMasked(name)) found.push([...path, name]);
      else look(member, [...path, name]);
    }
  };
  look(content, []);
  return found;
}

const nullsIn = (value: unknown, path: Path = []): readonly Path[] => {
  if (value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((item, i) => nullsIn(item, [...path, i]));
  return isObject(value) ? [...value].flatMap(([name, member]) => nullsIn(member, [...path, name])) : [];
};

export const valueAt = (content: unknown, [step, ...deeper]: Path): unknown => {
  if (step === undefined) return content;
  if (isObject(content) && typeof step === "string") return valueAt(content.get(step), deeper);
  return Array.isArray(content) && typeof step === "number" ? valueAt(content[step], deeper) : undefined;
};

/** The same with another value at a place that is there. */
export function withValue(content: unknown, [step, ...deeper]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (isObject(content) && typeof step === "string")
    return new Map(content).set(step, withValue(content.get(step), deeper, value));
  if (Array.isArray(content) && typeof step === "number")
    return content.with(step, withValue(content[step], deeper, value));
  return content;
}

/** `places` as in the table of kinds: `thresholds[].target_display`. */
export const without = (content: Content, places: readonly string[]): Content =>
  places.reduce<unknown>((rest, place) => dropped(rest, place.replaceAll("[]", ".[]").split(".")), content) as Content;

function dropped(value: unknown, [step = "", ...deeper]: readonly string[]): unknown {
  if (step === "[]") return Array.isArray(value) ? value.map((item) => dropped(item, deeper)) : value;
  if (!isObject(value) || !value.has(step)) return value;
  const copy = new Map(value);
  if (deeper.length === 0) copy.delete(step);
  else copy.set(step, dropped(copy.get(step), deeper));
  return copy;
}

/** What people call it: its name or title, or nothing. */
export const nameOf = (content: Content): string => {
  const name = content.get("name") ?? content.get("title");
  return typeof name === "string" ? name : "";
};
