/** What decides where the values of a body's resources go, drawn up once a resource: the same to remember it and to compare with what is remembered. */

import { besideIn } from "./beside.ts";
import { type DestinationField, isShown, type MaskedRange } from "./destination.ts";
import type { Destination, Places, Step } from "./place.ts";
import { type Destinations, fieldsIn, standingIn, writtenIn } from "./remember.ts";
import type { Layout, Resource } from "./resource.ts";

/** `masked`: in order. `understand`: a path as its reader means it. */
export type Surrounded = {
  readonly bytes: Buffer;
  readonly layout: Layout;
  readonly masked: readonly MaskedRange[];
  readonly understand?: (path: readonly Step[]) => readonly Step[];
};

/** Of one resource, or of what lies outside of all. */
export type Standing = {
  readonly base: number;
  readonly fields: readonly DestinationField[];
  readonly written: Destinations;
  /** What stands around the resource and decides too. */
  readonly beside: readonly Destination[];
};

/** As tokens hold it. `destinations`: one by one, or, where there are more than `most`, one longer digest of them all. */
export type Remembered = {
  readonly destinations: readonly Buffer[];
  /** How many of them may not be left out; they come first. */
  readonly deciding: number;
  readonly beside: Buffer | null;
};

export class Surroundings {
  readonly #of: Surrounded;
  readonly #known = new Map<Resource | null, Standing>();
  #beside: readonly Destination[] | null = null;
  constructor(of: Surrounded) {
    this.#of = of;
  }

  standing(resource: Resource | null): Standing {
    const known = this.#known.get(resource) ?? this.#drawUp(resource);
    this.#known.set(resource, known);
    return known;
  }

  /** Which of the masked values in a field that decides begins at `start`: their order matters, one host is not another. Null in no such field. */
  nth(resource: Resource | null, start: number): number | null {
    const { base, fields } = this.standing(resource);
    return standingIn(fields, base, { start, masked: this.#of.masked });
  }

  #drawUp(resource: Resource | null): Standing {
    const { bytes, layout, masked, understand } = this.#of;
    // What stands outside of the resources goes wherever anything in the body does.
    const range = resource ?? layout.document;
    if (range === null) return { base: 0, fields: [], written: { present: [], deciding: 0 }, beside: [] };
    const base = range.start;
    const { family } = resource ?? layout.outside;
    const scope = { bytes: bytes.subarray(base, range.end), base, masked };
    const fields = fieldsIn(scope, family);
    const hasBeside = resource !== null && !isShown(family);
    return {
      base,
      fields,
      written: writtenIn(scope, fields, understand),
      beside: hasBeside ? this.#besideAll() : [],
    };
  }

  #besideAll(): readonly Destination[] {
    const { bytes, layout, masked } = this.#of;
    this.#beside ??= besideIn({ bytes, base: 0, masked }, layout);
    return this.#beside;
  }
}

/** `key`: of the resource. */
export const remembered = (
  places: Places,
  { written: { present, deciding }, beside }: Standing,
  { key, most }: { readonly key: string; readonly most: number },
): Remembered => {
  const around = beside.length === 0 ? null : places.beside(key, beside);
  if (present.length > most) return { destinations: [places.destinations(key, present)], deciding: 0, beside: around };
  return {
    destinations: present.map((destination) => places.destination(key, destination)),
    deciding,
    beside: around,
  };
};
