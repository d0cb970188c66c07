/** The calls of a recording, indexed so that a request finds those that are like it without looking at the others. */

import { type Catalogue, segmentsOf } from "../../datadog/catalogue.ts";
import { operationOf, plainPath, segmentsIn } from "./address.ts";
import { isWait, type RecordedCall } from "./call.ts";
import { type Comparable, readComparable } from "./comparable.ts";
import { keyOf, type Likeness, likenesses } from "./keys.ts";
import { allFit, blanksAt, fits, type MaskedPlace, maskedPlaces, type Pattern, patternOf } from "./masked.ts";
import { type Print, printOf } from "./print.ts";

/** A call, and what it is found by. */
export type Indexed = {
  readonly call: RecordedCall;
  /** Its path in one spelling, and segment by segment. */
  readonly plain: string;
  readonly segments: readonly string[];
  readonly thing: Thing;
  /** Null where the request is not there as a whole: nothing is known to be like it. */
  readonly keys: Readonly<Record<Likeness, string>> | null;
  readonly masked: readonly MaskedPlace[];
  /** By which it is found when nothing is like it. */
  readonly print: Print;
};

/** What a path is about: the word behind `/api/v1/`, and behind it segment by segment which id; null for what is none. */
type Thing = { readonly word: string; readonly ids: readonly (string | null)[] };

/** What is looked for. */
export type Wanted = {
  readonly method: string;
  readonly host: string | null;
  readonly path: string;
  readonly value: Comparable;
};

/** Calls to one path of one host by one method. */
type Route = {
  readonly method: string;
  readonly host: string;
  readonly plain: string;
  /** Where masks took something out of the path. */
  readonly patterns: readonly (Pattern | string)[] | null;
  readonly calls: Indexed[];
  readonly byKey: Readonly<Record<Likeness, Map<string, Indexed[]>>>;
  /** By the shape: which places masks took out in calls of that shape, each set once. */
  readonly maskedSets: Map<string, Map<string, readonly MaskedPlace[]>>;
};

export class Recording {
  /** In the order of their numbers. */
  readonly calls: readonly Indexed[];
  /** Calls that an agent was told to wait for elsewhere, and so no answers. */
  readonly waits: number;
  readonly #site: string;
  readonly #routes = new Map<string, Route[]>();
  readonly #patterned: Route[] = [];

  private constructor(calls: readonly Indexed[], waits: number, site: string) {
    this.calls = calls;
    this.waits = waits;
    this.#site = site;
    for (const call of calls) this.#add(call);
  }

  static async of(calls: readonly RecordedCall[], catalogue: Catalogue, site: string): Promise<Recording> {
    const answers = calls.filter((call) => !isWait(call)).toSorted((one, other) => one.n - other.n);
    const indexed: Indexed[] = [];
    for (const call of answers) indexed.push(await index(call, catalogue, site));
    return new Recording(indexed, calls.length - answers.length, site);
  }

  /** Those that are as like it as that, in the order of their numbers. */
  alike(wanted: Wanted, likeness: Likeness): readonly Indexed[] {
    for (const route of this.routesOf(wanted)) {
      const found = [...plainlyAlike(route, wanted, likeness), ...maskedAlike(route, wanted, likeness)];
      if (found.length > 0) return found.toSorted((one, other) => one.call.n - other.call.n);
    }
    return [];
  }

  /** By method, path and host; without a host, the API's first. */
  routesOf({ method, host, path }: Omit<Wanted, "value">): readonly Route[] {
    const plain = plainPath(path);
    const segments = segmentsIn(path);
    const routes = [
      ...(this.#routes.get(`${method} ${plain}`) ?? []),
      ...this.#patterned.filter((route) => route.method === method && pathFits(route, segments)),
    ];
    if (host !== null) return routes.filter((route) => route.host === host);
    const api = `api.${this.#site}`;
    return routes.toSorted((one, other) => Number(other.host === api) - Number(one.host === api));
  }

  #add(indexed: Indexed): void {
    const { method, host } = indexed.call;
    const name = `${method} ${indexed.plain}`;
    const routes = this.#routes.get(name) ?? [];
    this.#routes.set(name, routes);
    let route = routes.find((route) => route.host === host);
    if (route === undefined) {
      route = newRoute(indexed);
      routes.push(route);
      if (route.patterns !== null) this.#patterned.push(route);
    }
    addTo(route, indexed);
  }
}

const index = async (call: RecordedCall, catalogue: Catalogue, site: string): Promise<Indexed> => {
  const operation = operationOf(call, catalogue, site);
  const segments = segmentsIn(call.path);
  const thing = thingOf(segments, operation.known ? segmentsOf(operation.path) : []);
  const found = { call, plain: plainPath(call.path), segments, thing };
  const value = await comparableOf(call);
  if (value === null) return { ...found, keys: null, masked: [], print: printOf(null) };
  const masked = maskedPlaces(value);
  return { ...found, keys: keysOf(value, masked), masked, print: printOf(value) };
};

/** `template`: as the catalogue has the path; empty for one that it does not know. */
const thingOf = (segments: readonly string[], template: readonly string[]): Thing => {
  const first = segments[0] === "api" ? 2 : 0;
  const isId = (at: number): boolean => /^\{\w+\}$/.test(template[at] ?? "");
  return {
    word: segments[first] ?? "",
    ids: segments.slice(first + 1).map((segment, at) => (isId(first + 1 + at) ? segment : null)),
  };
};

/** Null where its body is not there as a whole. */
export const comparableOf = async ({ query, request: { body } }: RecordedCall): Promise<Comparable | null> => {
  if (body === null) return readComparable(query, null);
  if (body.missing !== null) return null;
  return readComparable(query, {
    bytes: await body.read(),
    contentType: body.content_type,
    encoding: body.encoding,
  });
};

/** What masks took out is left open in all of them, and which places these are is part of the key. */
const keysOf = (value: Comparable, masked: readonly MaskedPlace[]): Readonly<Record<Likeness, string>> => {
  const blanks = blanksAt(value, pathsOf(masked)) ?? undefined;
  const [exact, steady, shape] = likenesses.map((likeness) => keyOf(likeness, value, blanks));
  const set = setOf(masked);
  return { exact: `${set}${exact}`, steady: `${set}${steady}`, shape: `${set}${shape}` };
};

const pathsOf = (masked: readonly MaskedPlace[]) => masked.map(({ path }) => path);
const setOf = (masked: readonly MaskedPlace[]): string => (masked.length === 0 ? "" : JSON.stringify(pathsOf(masked)));

const newRoute = ({ call: { method, host }, plain, segments }: Indexed): Route => {
  const patterns = segments.map((segment) => patternOf(segment) ?? segment);
  const byKey = { exact: new Map(), steady: new Map(), shape: new Map() };
  const isPatterned = patterns.some((pattern) => typeof pattern !== "string");
  return { method, host, plain, patterns: isPatterned ? patterns : null, calls: [], byKey, maskedSets: new Map() };
};

const addTo = (route: Route, indexed: Indexed): void => {
  route.calls.push(indexed);
  const { keys, masked } = indexed;
  if (keys === null) return;
  for (const likeness of likenesses) {
    const calls = route.byKey[likeness].get(keys[likeness]);
    if (calls === undefined) route.byKey[likeness].set(keys[likeness], [indexed]);
    else calls.push(indexed);
  }
  if (masked.length === 0) return;
  const shape = keys.shape.slice(setOf(masked).length);
  const sets = route.maskedSets.get(shape) ?? new Map<string, readonly MaskedPlace[]>();
  route.maskedSets.set(shape, sets.set(setOf(masked), masked));
};

const plainlyAlike = ({ byKey }: Route, { value }: Wanted, likeness: Likeness): readonly Indexed[] =>
  byKey[likeness].size === 0 ? [] : (byKey[likeness].get(keyOf(likeness, value)) ?? []);

/** The request is read once for every set of places that masks took out of requests of its shape: mostly there is one. */
const maskedAlike = (route: Route, { value }: Wanted, likeness: Likeness): readonly Indexed[] => {
  if (route.maskedSets.size === 0) return [];
  const sets = route.maskedSets.get(keyOf("shape", value));
  if (sets === undefined) return [];
  return [...sets].flatMap(([set, masked]) => {
    const blanks = blanksAt(value, pathsOf(masked));
    const found = blanks === null ? [] : (route.byKey[likeness].get(`${set}${keyOf(likeness, value, blanks)}`) ?? []);
    return found.filter((call) => allFit(call.masked, value));
  });
};

const pathFits = ({ patterns }: Route, segments: readonly string[]): boolean =>
  patterns !== null &&
  patterns.length === segments.length &&
  patterns.every((pattern, at) =>
    typeof pattern === "string" ? pattern === segments[at] : fits(pattern, segments[at]),
  );
