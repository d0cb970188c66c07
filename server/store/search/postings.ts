/** Postings of a block: which of its places have which key, by parts that are read one by one. Lists of neighbouring blocks join without being unpacked. */

import { keySpace, repositoryKeys } from "./keys.ts";

/** Ascending places, the first as it is and then distances, as base-128 numbers. */
type List = {
  readonly key: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly rest: Buffer;
};

/** A key is in this part, of a power of two parts. */
export const partOf = (key: number, parts: number): number => (key >= repositoryKeys.from ? 0 : key & (parts - 1));

/** Takes the keys of one place after the other; a place may come again right away. Kept and used again: it is large. */
export class BlockWriter {
  readonly #head = new Int32Array(keySpace).fill(-1);
  readonly #tail = new Int32Array(keySpace);
  #keys: number[] = [];
  #places = new Uint16Array(1 << 16);
  #next = new Int32Array(1 << 16);
  #used = 0;
  readonly #scratch = new NumberWriter(1_024);

  add(place: number, keys: Uint32Array): void {
    this.#makeRoom(keys.length);
    for (const key of keys) {
      const isNew = this.#head[key] === -1;
      if (!isNew && this.#places[this.#tail[key] ?? 0] === place) continue;
      const at = this.#used++;
      this.#places[at] = place;
      this.#next[at] = -1;
      if (isNew) {
        this.#head[key] = at;
        this.#keys.push(key);
      } else this.#next[this.#tail[key] ?? 0] = at;
      this.#tail[key] = at;
    }
  }

  /** By part; parts without a key are left out. Empties it. */
  finish(parts: number): Map<number, Buffer> {
    const into = new PartWriter(parts);
    for (const key of this.#keys.toSorted((a, b) => a - b)) into.list(this.#list(key));
    this.clear();
    return into.finish();
  }

  clear(): void {
    for (const key of this.#keys) this.#head[key] = -1;
    this.#keys = [];
    this.#used = 0;
  }

  /** Until the next one is asked for. */
  #list(key: number): List {
    const first = this.#places[this.#head[key] ?? 0] ?? 0;
    const rest = this.#scratch;
    rest.clear();
    let last = first;
    let count = 1;
    for (let at = this.#next[this.#head[key] ?? 0] ?? -1; at !== -1; at = this.#next[at] ?? -1) {
      const place = this.#places[at] ?? 0;
      rest.number(place - last);
      last = place;
      count += 1;
    }
    return { key, count, first, last, rest: rest.bytes };
  }

  #makeRoom(more: number): void {
    if (this.#used + more <= this.#places.length) return;
    const size = Math.max(this.#used + more, this.#places.length * 2);
    const [places, next] = [this.#places, this.#next];
    this.#places = new Uint16Array(size);
    this.#places.set(places);
    this.#next = new Int32Array(size);
    this.#next.set(next);
  }
}

/** The parts with this number of neighbouring blocks, as parts of one; `base` is what the places of a block are moved by. */
export const joinParts = (
  neighbours: readonly { readonly base: number; readonly bytes: Buffer }[],
  parts: number,
): Map<number, Buffer> => {
  const joined = new Map<number, List>();
  for (const { base, bytes } of neighbours)
    for (const list of readPart(bytes)) {
      const before = joined.get(list.key);
      joined.set(
        list.key,
        before === undefined ? { ...list, first: list.first + base, last: list.last + base } : join(before, list, base),
      );
    }
  const into = new PartWriter(parts);
  for (const list of [...joined.values()].toSorted((a, b) => a.key - b.key)) into.list(list);
  return into.finish();
};

const join = (before: List, { key, count, first, last, rest }: List, base: number): List => {
  const gap = new NumberWriter(8);
  gap.number(first + base - before.last);
  return {
    key,
    count: before.count + count,
    first: before.first,
    last: last + base,
    rest: Buffer.concat([before.rest, gap.bytes, rest]),
  };
};

/** Sets the bits of the places that a key has in its part; says whether there are any. */
export const markPlaces = (part: Buffer, key: number, bits: Uint8Array): boolean => {
  const reader = new NumberReader(part);
  for (let at = 0; !reader.ended; ) {
    at += reader.number();
    const count = reader.number();
    let place = reader.number();
    if (count > 1) reader.number();
    const end = count > 1 ? reader.number() + reader.at : reader.at;
    if (at > key) return false;
    if (at === key) {
      mark(bits, place);
      while (reader.at < end) {
        place += reader.number();
        mark(bits, place);
      }
      return true;
    }
    reader.at = end;
  }
  return false;
};

const mark = (bits: Uint8Array, place: number): void => {
  bits[place >>> 3] = (bits[place >>> 3] ?? 0) | (1 << (place & 7));
};

function* readPart(part: Buffer): Generator<List> {
  const reader = new NumberReader(part);
  for (let key = 0; !reader.ended; ) {
    key += reader.number();
    const count = reader.number();
    const first = reader.number();
    const last = count > 1 ? reader.number() : first;
    const length = count > 1 ? reader.number() : 0;
    const rest = part.subarray(reader.at, reader.at + length);
    reader.at += length;
    yield { key, count, first, last, rest };
  }
}

/** Takes lists in the order of their keys. */
class PartWriter {
  readonly #parts: number;
  readonly #writers = new Map<number, { readonly writer: NumberWriter; key: number }>();

  constructor(parts: number) {
    this.#parts = parts;
  }

  list({ key, count, first, last, rest }: List): void {
    const part = partOf(key, this.#parts);
    let into = this.#writers.get(part);
    if (into === undefined) {
      into = { writer: new NumberWriter(1_024), key: 0 };
      this.#writers.set(part, into);
    }
    const { writer } = into;
    writer.number(key - into.key);
    into.key = key;
    writer.number(count);
    writer.number(first);
    if (count === 1) return;
    writer.number(last);
    writer.number(rest.length);
    writer.raw(rest);
  }

  finish(): Map<number, Buffer> {
    return new Map([...this.#writers].map(([part, { writer }]) => [part, writer.bytes]));
  }
}

class NumberWriter {
  #held: Buffer;
  #size = 0;

  constructor(room: number) {
    this.#held = Buffer.allocUnsafe(room);
  }

  get bytes(): Buffer {
    return this.#held.subarray(0, this.#size);
  }

  clear(): void {
    this.#size = 0;
  }

  number(value: number): void {
    this.#makeRoom(5);
    let left = value;
    while (left > 127) {
      this.#held[this.#size++] = (left & 127) | 128;
      left >>>= 7;
    }
    this.#held[this.#size++] = left;
  }

  raw(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    bytes.copy(this.#held, this.#size);
    this.#size += bytes.length;
  }

  #makeRoom(more: number): void {
    if (this.#size + more <= this.#held.length) return;
    const held = this.#held;
    this.#held = Buffer.allocUnsafe(Math.max(this.#size + more, held.length * 2));
    held.copy(this.#held, 0, 0, this.#size);
  }
}

class NumberReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
}
