/** Turns what was found in one body into tokens, each bound to its place. */

import { setImmediate as turn } from "node:timers/promises";
import type { Finding } from "../findings.ts";
import { besideIn } from "../place/beside.ts";
import { type DestinationField, isShown } from "../place/destination.ts";
import type { Family } from "../place/family.ts";
import { type CallPlace, type Destination, Places, type ResourcePlace } from "../place/place.ts";
import { fieldsIn, standingIn, writtenIn } from "../place/remember.ts";
import { type Layout, layOut, relative, type Resource } from "../place/resource.ts";
import type { MaskKeys } from "./keys.ts";
import { mostDestinations, seal } from "./sealer.ts";

/** Everything that tokens of one call's bodies are made with. `query`: the request's, which may say what the body is about. */
export type Sealing = {
  readonly keys: MaskKeys;
  readonly call: CallPlace;
  readonly family: Family;
  readonly query: string;
};

/** A token for each of the findings in `bytes`, which are in order. */
export type Binder = (bytes: Buffer, findings: readonly Finding[]) => string[];

/** Each token opens at its place only. */
export const bindTokens =
  (sealing: Sealing): Binder =>
  (bytes, findings) => {
    const sealed = sealerFor(sealing, bytes, findings);
    return findings.map(sealed);
  };

/** The same, with pauses: a body of nothing but short values has a million of them, and other calls must not wait for all. */
export const bindPaced = async (sealing: Sealing, bytes: Buffer, findings: readonly Finding[]): Promise<string[]> => {
  const sealed = sealerFor(sealing, bytes, findings);
  const tokens: string[] = [];
  for (const [index, finding] of findings.entries()) {
    if (index > 0 && index % sealedAtOnce === 0) await turn();
    tokens.push(sealed(finding));
  }
  return tokens;
};

/** Some ten milliseconds. */
const sealedAtOnce = 300;

const sealerFor = (sealing: Sealing, bytes: Buffer, findings: readonly Finding[]): ((finding: Finding) => string) => {
  const places = new Places(sealing.keys[0].places, sealing.call);
  const layout = layOut(bytes, sealing);
  const reader = new Reader({ bytes, findings, layout, places });
  return (finding) => {
    const { resource, place, path } = relative(layout, finding.start, finding.path);
    const remembered = reader.of(resource, place);
    // In a field that decides where values go the order of its tokens matters: one host is not another.
    const nth = standingIn(remembered.fields, remembered.base, { start: finding.start, masked: findings }) ?? 0;
    return seal(sealing.keys, finding.kind, {
      value: finding.text,
      place: places.value(remembered.key, [resource === null ? "" : layout.wrapper, ...path], nth),
      destinations: remembered.digests,
      deciding: remembered.deciding,
      beside: remembered.beside,
    });
  };
};

type Remembered = {
  readonly key: string;
  readonly base: number;
  readonly fields: readonly DestinationField[];
  readonly digests: readonly Buffer[];
  readonly deciding: number;
  readonly beside: Buffer | null;
};

type Read = {
  readonly bytes: Buffer;
  readonly findings: readonly Finding[];
  readonly layout: Layout;
  readonly places: Places;
};

/** What each resource of a body is remembered by, once one of its values is sealed. */
class Reader {
  readonly #read: Read;
  readonly #known = new Map<Resource | null, Remembered>();
  #beside: readonly Destination[] | null = null;
  constructor(read: Read) {
    this.#read = read;
  }

  of(resource: Resource | null, place: ResourcePlace): Remembered {
    const known = this.#known.get(resource);
    if (known !== undefined) return known;
    const remembered = this.#remember(resource, this.#read.places.resource(place));
    this.#known.set(resource, remembered);
    return remembered;
  }

  #remember(resource: Resource | null, key: string): Remembered {
    const { bytes, findings, layout, places } = this.#read;
    // What stands outside of the resources goes wherever anything in the body does.
    const range = resource ?? layout.document;
    const base = range?.start ?? 0;
    if (range === null) return { key, base, fields: [], digests: [], deciding: 0, beside: null };
    const family = resource?.family ?? layout.outside.family;
    const scope = { bytes: bytes.subarray(base, range.end), base, masked: findings };
    const fields = fieldsIn(scope, family);
    const { present, deciding } = writtenIn(scope, fields);
    this.#beside ??= besideIn({ bytes, base: 0, masked: findings }, layout);
    const hasAll = present.length > mostDestinations;
    const digests = hasAll
      ? [places.destinations(key, present)]
      : present.map((destination) => places.destination(key, destination));
    const hasBeside = resource !== null && !isShown(family) && this.#beside.length > 0;
    return {
      key,
      base,
      fields,
      digests,
      deciding: hasAll ? 0 : deciding,
      beside: hasBeside ? places.beside(key, this.#beside) : null,
    };
  }
}

/** Whatever streams is gone before its resource is known: its tokens stand for their values where people may reveal them, and never turn back. */
const streamStep = -4;

export const bindLoose = ({ keys, call, family }: Sealing): Binder => {
  const places = new Places(keys[0].places, call);
  const key = places.resource({ family: family.name, id: "" });
  return (_bytes, findings) =>
    findings.map(({ kind, text, path }) =>
      seal(keys, kind, {
        value: text,
        place: places.value(key, [streamStep, ...path], 0),
        destinations: [],
        deciding: 0,
        beside: null,
      }),
    );
};
