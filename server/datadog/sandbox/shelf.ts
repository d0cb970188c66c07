/** Where documents are kept: maps and streams that share one room, so that a sandbox cannot fill the memory of its machine. */

import type { Json } from "./json.ts";

/** Thrown when a document does not fit any more. */
export class NoRoom extends Error {
  constructor() {
    super("The sandbox is full: delete something, or start it again");
    this.name = "NoRoom";
  }
}

/** A list that forgets its oldest items, so that telemetry cannot fill the memory. */
export type Stream<T> = { readonly items: readonly T[]; add(item: T): void };

export type Room = {
  /** A map that refuses what does not fit. */
  shelf<K, V>(entries?: Iterable<readonly [K, V]>): Map<K, V>;
  /** Of at most about `limit` items, and of at most about a quarter of the room in all. */
  stream<T>(limit: number): Stream<T>;
};

/** `limit`: bytes of all that is on shelves, as `weigh` estimates them. */
export const createRoom = (limit: number): Room => {
  const used = { bytes: 0 };
  return {
    shelf: <K, V>(entries: Iterable<readonly [K, V]> = []) => {
      const shelf = new Shelf<K, V>(used, limit);
      for (const [key, value] of entries) shelf.set(key, value);
      return shelf;
    },
    stream: (items) => createStream({ items, bytes: limit / 4 }),
  };
};

class Shelf<K, V> extends Map<K, V> {
  readonly #weights = new Map<K, number>();
  readonly #used: { bytes: number };
  readonly #limit: number;

  constructor(used: { bytes: number }, limit: number) {
    super();
    this.#used = used;
    this.#limit = limit;
  }

  override set(key: K, value: V): this {
    const added = weigh(key) + weigh(value);
    const before = this.#weights.get(key) ?? 0;
    if (added > before && this.#used.bytes + added - before > this.#limit) throw new NoRoom();
    this.#used.bytes += added - before;
    this.#weights.set(key, added);
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#used.bytes -= this.#weights.get(key) ?? 0;
    this.#weights.delete(key);
    return super.delete(key);
  }
}

const createStream = <T>(limit: { items: number; bytes: number }): Stream<T> => {
  const items: T[] = [];
  const weights: number[] = [];
  let bytes = 0;
  return {
    items,
    add: (item) => {
      const weight = weigh(item);
      items.push(item);
      weights.push(weight);
      bytes += weight;
      if (items.length <= limit.items * 1.25 && bytes <= limit.bytes * 1.25) return;
      // In steps: taking one off the front each time would move the whole list each time.
      let gone = 0;
      while (gone < items.length - 1 && (items.length - gone > limit.items || bytes > limit.bytes)) {
        bytes -= weights[gone] ?? 0;
        gone += 1;
      }
      items.splice(0, gone);
      weights.splice(0, gone);
    },
  };
};

/** About as many bytes as a value takes. Without recursion: what a caller sends may be nested deeper than a stack is high. */
export const weigh = (value: unknown): number => {
  const open: unknown[] = [value];
  let bytes = 0;
  while (open.length > 0) {
    const next = open.pop();
    bytes += 16;
    if (typeof next === "string") bytes += next.length;
    else if (typeof next === "bigint") bytes += 16;
    else if (Array.isArray(next)) for (const each of next as Json[]) open.push(each);
    else if (typeof next === "object" && next !== null) {
      for (const [name, inner] of Object.entries(next)) {
        bytes += name.length + 16;
        open.push(inner);
      }
    }
  }
  return bytes;
};
