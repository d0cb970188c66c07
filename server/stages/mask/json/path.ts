/** The subset of JSONPath (RFC 9535) that names fields to mask: members, elements, wildcards and descendants; no filters, no slices. */

import type { Step } from "../place/place.ts";

type Wanted =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "any" };

/** One segment; `descends`: at any depth below (`..`). */
type Segment = { readonly descends: boolean; readonly wanted: Wanted };

export type FieldPath = readonly Segment[];

/** `offset`: UTF-16 units into the written path. */
export type PathFault = { readonly message: string; readonly offset: number };

export const isFieldPath = (read: FieldPath | PathFault): read is FieldPath => Array.isArray(read);

const mostSegments = 32;

/** `$.a.b`, `$..attributes.email`, `$.items[*].url`, `$.list[0]`, `$['odd name']`. */
export const readFieldPath = (written: string): FieldPath | PathFault => {
  if (!written.startsWith("$")) return { message: "must begin with $, like $.attributes.email", offset: 0 };
  const segments: Segment[] = [];
  let at = 1;
  while (at < written.length) {
    const read = readSegment(written, at);
    if ("message" in read) return read;
    segments.push(read.segment);
    at = read.end;
    if (segments.length > mostSegments) return { message: `has more than ${mostSegments} steps`, offset: at };
  }
  if (segments.length === 0)
    return { message: "names the whole body; name fields in it, like $.attributes.email", offset: 0 };
  return segments;
};

type Read = { readonly segment: Segment; readonly end: number };

const readSegment = (written: string, at: number): Read | PathFault => {
  const descends = written.startsWith("..", at);
  const dots = descends ? 2 : written[at] === "." ? 1 : 0;
  const next = written[at + dots];
  if (next === "[") {
    if (dots === 1) return { message: "has a dot before [; write $.a[0] or $..[0]", offset: at };
    return readBracket(written, at + dots, descends);
  }
  if (dots === 0) return { message: `has ${show(next)} where . or [ was expected`, offset: at };
  if (next === "*") return { segment: { descends, wanted: { kind: "any" } }, end: at + dots + 1 };
  const name = /^[\p{L}_][\p{L}\p{N}_-]*/u.exec(written.slice(at + dots))?.[0];
  if (name === undefined)
    return {
      message: `has ${show(next)} where a name was expected; odd names go in quotes: $['odd name']`,
      offset: at + dots,
    };
  return { segment: { descends, wanted: { kind: "name", name } }, end: at + dots + name.length };
};

const readBracket = (written: string, at: number, descends: boolean): Read | PathFault => {
  const rest = written.slice(at);
  const index = /^\[(\d{1,9})\]/.exec(rest);
  if (index !== null) return done(descends, { kind: "index", index: Number(index[1]) }, at + index[0].length);
  if (rest.startsWith("[*]")) return done(descends, { kind: "any" }, at + 3);
  const quoted = /^\[(?:'((?:[^'\\]|\\.)+)'|"((?:[^"\\]|\\.)+)")\]/.exec(rest);
  if (quoted !== null) {
    const name = (quoted[1] ?? quoted[2] ?? "").replaceAll(/\\(.)/g, "$1");
    return done(descends, { kind: "name", name }, at + quoted[0].length);
  }
  if (rest.startsWith("[?"))
    return { message: "has a filter; conditions on other fields are not known here", offset: at };
  return { message: "must have a position, * or a name in quotes between [ and ]", offset: at + 1 };
};

const done = (descends: boolean, wanted: Wanted, end: number): Read => ({ segment: { descends, wanted }, end });

const show = (char: string | undefined): string => (char === undefined ? "its end" : JSON.stringify(char));

/** Whether a value at `path` is one that the field path names. */
export const matchesPath = (segments: FieldPath, path: readonly Step[]): boolean => {
  // The steps up to which the segments so far can have come.
  let reached = new Set([0]);
  for (const { descends, wanted } of segments) {
    const next = new Set<number>();
    for (const from of reached) {
      const until = descends ? path.length : Math.min(path.length, from + 1);
      for (let step = from; step < until; step++) if (fits(wanted, path[step])) next.add(step + 1);
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(path.length);
};

const fits = (wanted: Wanted, step: Step | undefined): boolean => {
  switch (wanted.kind) {
    case "any":
      return step !== undefined;
    case "name":
      return wanted.name === step;
    case "index":
      return wanted.index === step;
    default:
      return wanted satisfies never;
  }
};

/**
 * By what most values are told apart at once: the last name of a field path, and how many steps without a name follow it. Null where it has
 * no name at all.
 */
export const anchorOf = (segments: FieldPath): { readonly name: string; readonly behind: number } | null => {
  const last = segments.findLastIndex(({ wanted }) => wanted.kind === "name");
  const segment = segments[last];
  if (segment === undefined || segment.wanted.kind !== "name") return null;
  const behind = segments.slice(last + 1);
  return behind.some(({ descends }) => descends) ? null : { name: segment.wanted.name, behind: behind.length };
};
