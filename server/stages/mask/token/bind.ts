/** Turns what was found in one body into tokens, each bound to its place. */

import type { Finding } from "../findings.ts";
import { type DestinationField, destinationsOf, sendsNothing } from "../place/destination.ts";
import type { Family } from "../place/family.ts";
import { type CallPlace, Places } from "../place/place.ts";
import { standingIn, writtenAs } from "../place/remember.ts";
import { layOut, relative, type Resource } from "../place/resource.ts";
import type { MaskKeys } from "./keys.ts";
import { mostDestinations, seal } from "./sealer.ts";

/** Everything that tokens of one call's bodies are made with. */
export type Sealing = { readonly keys: MaskKeys; readonly call: CallPlace; readonly family: Family };

/** A token for each of the findings in `bytes`, which are in order. */
export type Binder = (bytes: Buffer, findings: readonly Finding[]) => string[];

/** Each token opens at its place only. */
export const bindTokens =
  (sealing: Sealing): Binder =>
  (bytes, findings) => {
    const places = new Places(sealing.keys[0].places, sealing.call);
    const layout = layOut(bytes, sealing.family);
    const known = new Map<Resource | null, Remembered>();
    return findings.map((finding, index) => {
      const { resource, place, path } = relative(layout, finding.start, finding.path);
      let remembered = known.get(resource);
      if (remembered === undefined) {
        remembered = remember({ places, key: places.resource(place), resource, bytes, findings, from: index });
        known.set(resource, remembered);
      }
      // In a field that decides where values go the order of its tokens matters: one host is not another.
      const nth = standingIn(remembered.fields, resource?.start ?? 0, { start: finding.start, masked: findings }) ?? 0;
      return seal(sealing.keys, finding.kind, {
        value: finding.text,
        place: places.value(remembered.key, path, nth),
        destinations: remembered.digests,
      });
    });
  };

type Remembered = {
  readonly key: string;
  readonly fields: readonly DestinationField[];
  readonly digests: readonly Buffer[];
};

type ToRemember = {
  readonly places: Places;
  readonly key: string;
  readonly resource: Resource | null;
  readonly bytes: Buffer;
  readonly findings: readonly Finding[];
  /** The first finding in this resource. */
  readonly from: number;
};

const remember = ({ places, key, resource, bytes, findings, from }: ToRemember): Remembered => {
  if (resource === null || sendsNothing(resource.family)) return { key, fields: [], digests: [] };
  const { start, end } = resource;
  const fields = destinationsOf(bytes.subarray(start, end));
  let until = from;
  while ((findings[until]?.start ?? end) < end) until++;
  const inside = findings.slice(from, until);
  const destinations = fields.flatMap((field) => writtenAs(bytes, { ...field, base: start }, inside) ?? []);
  const digests =
    destinations.length > mostDestinations
      ? [places.destinations(key, destinations)]
      : destinations.map((destination) => places.destination(key, destination));
  return { key, fields, digests };
};

/** Whatever streams is gone before its resource is known: its tokens stand for their values where people may reveal them, and never turn back. */
const streamStep = -4;

export const bindLoose = ({ keys, call, family }: Sealing): Binder => {
  const places = new Places(keys[0].places, call);
  const key = places.resource({ family: family.name, id: "" });
  return (_bytes, findings) =>
    findings.map(({ kind, text, path }) =>
      seal(keys, kind, { value: text, place: places.value(key, [streamStep, ...path], 0), destinations: [] }),
    );
};
