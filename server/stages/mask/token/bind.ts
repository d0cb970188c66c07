/** Turns what was found in one body into tokens, each bound to its place. */

import { setImmediate as turn } from "node:timers/promises";
import type { Finding } from "../findings.ts";
import type { Family } from "../place/family.ts";
import { type CallPlace, Places, type ResourcePlace } from "../place/place.ts";
import { layOut, relative, type Resource } from "../place/resource.ts";
import { type Remembered, remembered, Surroundings } from "../place/surroundings.ts";
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
  const surroundings = new Surroundings({ bytes, layout, masked: findings });
  const known = new Map<Resource | null, Remembered & { readonly key: string }>();
  const ofResource = (resource: Resource | null, place: ResourcePlace): Remembered & { readonly key: string } => {
    const before = known.get(resource);
    if (before !== undefined) return before;
    const key = places.resource(place);
    const now = { key, ...remembered(places, surroundings.standing(resource), { key, most: mostDestinations }) };
    known.set(resource, now);
    return now;
  };
  return (finding) => {
    const { resource, place, path } = relative(layout, finding.start, finding.path);
    const { key, ...around } = ofResource(resource, place);
    const nth = surroundings.nth(resource, finding.start) ?? 0;
    return seal(sealing.keys, finding.kind, {
      value: finding.text,
      place: places.value(key, [resource === null ? "" : layout.wrapper, ...path], nth),
      ...around,
    });
  };
};

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
