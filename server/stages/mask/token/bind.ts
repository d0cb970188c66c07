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

/** The same for findings of `bytes` in order: one token each. */
export const bindTokens = (sealing: Sealing, bytes: Buffer, findings: readonly Finding[]): string[] => {
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
  const digests = fields.flatMap((field) => {
    const destination = writtenAs(bytes, { ...field, base: start }, inside);
    return destination === null ? [] : [places.destination(key, destination)];
  });
  return { key, fields, digests: digests.length > mostDestinations ? [places.destinations(key, digests)] : digests };
};
