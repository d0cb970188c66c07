/** Of a request that was not recorded: the recorded call that is most like it, and every field in which it differs. */

import { differencesOf, type FieldDifference } from "../../model/differences.ts";
import type { Address } from "./address.ts";
import { plainPath, segmentsIn } from "./address.ts";
import type { Comparable } from "./comparable.ts";
import { type Hidden, unshown } from "./hidden.ts";
import { type Likeness, writeScalar } from "./keys.ts";
import { fits, patternOf } from "./masked.ts";
import { inCommon, type Print, printOf } from "./print.ts";
import { comparableOf, type Indexed, type Recording } from "./recording.ts";

export type Closest = { readonly call: Indexed; readonly differences: readonly FieldDifference[] };

/** `sent`: as a message may show it. */
export type Unrecorded = {
  readonly address: Address;
  readonly value: Comparable;
  readonly sent: Hidden;
  /** How like a recorded call has to be. */
  readonly likeness: Likeness;
};

/** Calls that are read and compared field by field; those that may be most like it come first. */
const mostCompared = 24;
/** Bytes of their bodies. */
const mostRead = 32 * 2 ** 20;
/** Of one call. Who differs in more is not close. */
const mostDifferences = 200;
/** Of each way of being close. */
const mostOfAKind = 12;
const mostOfANeighbour = 2;

/** Everything that can be asked for without looking at every call, made once. */
export class Nearby {
  readonly #recording: Recording;
  readonly #byOperation: ReadonlyMap<string, readonly Indexed[]>;
  /** Calls to one path by one method, by path, so that those that begin alike are neighbours. */
  readonly #byPath: readonly (readonly Indexed[])[];

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#byOperation = Map.groupBy(recording.calls, ({ call }) => call.operation);
    const routes = Map.groupBy(recording.calls, ({ call, plain }) => `${plain} ${call.method}`);
    this.#byPath = [...routes].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, calls]) => calls);
  }

  /** Null of an empty recording only. */
  async closestTo(unrecorded: Unrecorded): Promise<Closest | null> {
    let best: Closest | null = null;
    let read = 0;
    for (const call of this.#candidates(unrecorded)) {
      read += call.call.request.body?.size ?? 0;
      if (best !== null && read > mostRead) break;
      const differences = await differencesFrom(call, unrecorded);
      if (best === null || weigh(differences) < weigh(best.differences)) best = { call, differences };
    }
    return best;
  }

  /** Each once, those that share most first. */
  #candidates({ address, value }: Unrecorded): readonly Indexed[] {
    const { method, path, operation } = address;
    const here = this.#recording.routesOf({ method, host: null, path }).flatMap(({ calls }) => calls);
    const sameOperation = operation.known ? (this.#byOperation.get(operation.id) ?? []) : [];
    const print = printOf(value);
    const near = this.#neighbours(plainPath(path)).flatMap((calls) =>
      mostLike(calls, print).slice(0, mostOfANeighbour),
    );
    return [
      ...new Set([
        ...mostLike(here, print),
        ...near.filter(({ call }) => call.method === method).slice(0, mostOfAKind),
        ...mostLike(sameOperation, print),
        ...near,
      ]),
    ].slice(0, mostCompared);
  }

  /** Around the place that the path would have, the nearest first. */
  #neighbours(plain: string): readonly (readonly Indexed[])[] {
    let [low, high] = [0, this.#byPath.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#byPath[middle]?.[0]?.plain ?? "") < plain) low = middle + 1;
      else high = middle;
    }
    const around: (readonly Indexed[])[] = [];
    for (let away = 0; away <= mostOfAKind; away++)
      for (const at of [low + away, low - away - 1]) {
        const calls = this.#byPath[at];
        if (calls !== undefined) around.push(calls);
      }
    return around;
  }
}

/** Those that have most in common with it, the first of each request. */
const mostLike = (calls: readonly Indexed[], print: Print): readonly Indexed[] => {
  const distinct = new Map<unknown, Indexed>();
  for (const call of calls) {
    const request = call.keys === null ? call : `${call.keys.exact} ${call.plain}`;
    if (!distinct.has(request)) distinct.set(request, call);
  }
  return [...distinct.values()]
    .map((call) => ({ call, common: inCommon(call.print, print) }))
    .toSorted((one, other) => other.common - one.common)
    .slice(0, mostOfAKind)
    .map(({ call }) => call);
};

async function differencesFrom(
  { call, segments }: Indexed,
  { address, sent, likeness }: Unrecorded,
): Promise<readonly FieldDifference[]> {
  // A body that cannot be read again is named as what differs.
  const recorded = await comparableOf(call).catch(() => null);
  const said = new Map<string, unknown>(sent.value);
  const there = new Map<string, unknown>(
    recorded ?? [
      ["query", said.get("query")],
      ["body", unshown(`not there as a whole: its body ${call.request.body?.missing ?? "cannot be read any more"}`)],
    ],
  );
  // Of a body in another form every field would differ.
  if (recorded === null || there.get("content") === said.get("content")) {
    there.delete("content");
    said.delete("content");
  }
  const comparing = {
    most: mostDifferences,
    same: (one: unknown, other: unknown, name: string) => isSame(one, other, { name, likeness }),
  };
  const path = segmentsIn(address.path);
  return [
    ...(call.method === address.method ? [] : [{ path: "method", recorded: call.method, sent: address.method }]),
    ...(address.host === null || call.host === address.host
      ? []
      : [{ path: "host", recorded: call.host, sent: address.host }]),
    ...(segments.length === path.length && segments.every((segment, at) => isSame(segment, path[at], noName))
      ? []
      : [{ path: "path", recorded: call.path, sent: sent.path }]),
    ...differencesOf(there, said, comparing),
  ];
}

type Named = { readonly name: string; readonly likeness: Likeness };
const noName: Named = { name: "", likeness: "exact" };

/** As the keys tell it. */
const isSame = (recorded: unknown, sent: unknown, named: Named): boolean => {
  if (!isScalar(recorded) || !isScalar(sent)) return false;
  if (writeScalar(recorded, named) === writeScalar(sent, named)) return true;
  const pattern = typeof recorded === "string" ? patternOf(recorded) : null;
  return pattern !== null && fits(pattern, sent);
};

const isScalar = (value: unknown): boolean =>
  value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);

/** Another method or path is farther than any field of the same call. */
const weigh = (differences: readonly FieldDifference[]): number =>
  differences.reduce((sum, { path, recorded, sent }) => {
    const segments = path === "path" ? segmentsApart(recorded, sent) : 1;
    return sum + (weights[path] ?? 1) * segments;
  }, 0);

const weights: Readonly<Record<string, number>> = { method: 60, path: 40, host: 5, content: 20 };

const segmentsApart = (one: unknown, other: unknown): number => {
  const [a, b] = [String(one).split("/", 64), String(other).split("/", 64)];
  const most = Math.max(a.length, b.length);
  let apart = 0;
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) apart += 1;
  return apart;
};
