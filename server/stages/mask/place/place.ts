/** Where a value stands: connection, session, operation family, resource, path. A token opens only there. */

import type { Cmac } from "../token/cmac.ts";

/** A member's name or an element's position, from the resource down. */
export type Step = string | number;

/** What all values of one call have in common. */
export type CallPlace = { readonly connection: string; readonly session: string };

/** One thing of Datadog's that operations read and change. `family`: see family.ts; `id` is empty where there is only one. */
export type ResourcePlace = { readonly family: string; readonly id: string };

/** A field that decides where the resource's values are sent, as its reader sees it: what masks took out is named by kind only. */
export type Destination = { readonly path: readonly Step[]; readonly written: readonly string[] };

/**
 * Keyed digests of places, so that a token holds 8 bytes of its place and not the place. Each part goes in with its length: `["ab", "c"]`
 * and `["a", "bc"]` are two places.
 */
export class Places {
  readonly #mac: Cmac;
  readonly #call: string;
  constructor(mac: Cmac, { connection, session }: CallPlace) {
    this.#mac = mac;
    this.#call = mac.of(encode(["call", connection, session])).toString("latin1");
  }

  /** 16 bytes as text, for the two below: computed once a resource. */
  resource({ family, id }: ResourcePlace): string {
    return this.#mac.of(encode(["resource", this.#call, family, id])).toString("latin1");
  }

  /** 8 bytes. `path`: behind how the body wraps the resource (`Layout.wrapper`). `nth`: which of several values in one field, where their order matters; else 0. */
  value(resource: string, path: readonly Step[], nth: number): Buffer {
    return this.#mac.of(encode(["value", resource, nth, ...path])).subarray(0, 8);
  }

  /** 5 bytes: enough for a guess that costs a recorded attempt each time. */
  destination(resource: string, { path, written }: Destination): Buffer {
    return this.#mac
      .of(encode(["destination", resource, path.length, ...path, ...written]))
      .subarray(0, destinationBytes);
  }

  /** 5 bytes for everything that decides around the resource. */
  beside(resource: string, all: readonly Destination[]): Buffer {
    return this.#mac.of(encode(["beside", resource, ...partsOf(all)])).subarray(0, destinationBytes);
  }

  /** 16 bytes for all destinations of a resource that has too many to be named one by one. */
  destinations(resource: string, all: readonly Destination[]): Buffer {
    return this.#mac.of(encode(["destinations", resource, ...partsOf(all)]));
  }
}

const partsOf = (all: readonly Destination[]): Step[] =>
  all.flatMap(({ path, written }): Step[] => [path.length, ...path, written.length, ...written]);

export const destinationBytes = 5;

const encode = (parts: readonly Step[]): Buffer => {
  let text = "";
  // A number and its digits are two steps: an array's element and an object's member.
  for (const part of parts) text += typeof part === "number" ? `#${part},` : `${part.length}:${wellFormed(part)},`;
  return Buffer.from(text, "utf8");
};

/** UTF-8 would make all lone surrogates one; a real text that looks so has another length. */
const wellFormed = (text: string): string =>
  text.isWellFormed() ? text : text.replaceAll(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
