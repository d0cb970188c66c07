/** RFC 6962 Merkle trees over SHA-256: roots, proofs that a leaf is in a tree and that one tree continues another, and how they are checked. */

import { createHash } from "node:crypto";

/** What a log says of itself at one size. */
export type TreeHead = { readonly size: number; readonly root: Buffer };

/** Hash of a complete subtree: of the 2^level leaves from index · 2^level on. */
export type ReadHash = (level: number, index: number) => Promise<Buffer>;

export const hashLength = 32;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

export const hashLeaf = (entry: Uint8Array): Buffer => sha256(leafPrefix, entry);
export const hashNodes = (left: Uint8Array, right: Uint8Array): Buffer => sha256(nodePrefix, left, right);
export const emptyRoot: Buffer = sha256();

/** The largest power of two below `size`. No bit operators: those end at 2^31. */
const splitOf = (size: number): number => {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
};

type Range = { readonly from: number; readonly to: number };

/** Left halves of RFC 6962's division are complete and stand at a multiple of their size. */
const hashRange = async (read: ReadHash, { from, to }: Range): Promise<Buffer> => {
  const size = to - from;
  const level = Math.log2(size);
  if (Number.isInteger(level) && from % size === 0) return read(level, from / size);
  const middle = from + splitOf(size);
  const left = await hashRange(read, { from, to: middle });
  return hashNodes(left, await hashRange(read, { from: middle, to }));
};

export const rootOf = (read: ReadHash, size: number): Promise<Buffer> =>
  size === 0 ? Promise.resolve(emptyRoot) : hashRange(read, { from: 0, to: size });

/** RFC 6962 §2.1.1: the audit path of leaf `index` in the tree of `size` leaves, from the leaf upwards. */
export const proveInclusion = (read: ReadHash, index: number, size: number): Promise<Buffer[]> => {
  if (index < 0 || index >= size) throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  const path = async ({ from, to }: Range): Promise<Buffer[]> => {
    if (to - from === 1) return [];
    const middle = from + splitOf(to - from);
    const [inside, beside] =
      index < middle
        ? [
            { from, to: middle },
            { from: middle, to },
          ]
        : [
            { from: middle, to },
            { from, to: middle },
          ];
    return [...(await path(inside)), await hashRange(read, beside)];
  };
  return path({ from: 0, to: size });
};

/** RFC 6962 §2.1.2: that the tree of `size` leaves begins with the one of `earlier` leaves. */
export const proveConsistency = (read: ReadHash, earlier: number, size: number): Promise<Buffer[]> => {
  if (earlier < 0 || earlier > size) throw new RangeError(`a tree of ${size} does not continue one of ${earlier}`);
  const prove = async ({ from, to }: Range, whole: "known" | "unknown"): Promise<Buffer[]> => {
    if (earlier === to) return whole === "known" ? [] : [await hashRange(read, { from, to })];
    const middle = from + splitOf(to - from);
    if (earlier <= middle)
      return [...(await prove({ from, to: middle }, whole)), await hashRange(read, { from: middle, to })];
    return [...(await prove({ from: middle, to }, "unknown")), await hashRange(read, { from, to: middle })];
  };
  return earlier === 0 || earlier === size ? Promise.resolve([]) : prove({ from: 0, to: size }, "known");
};

export type Inclusion = {
  readonly index: number;
  readonly size: number;
  readonly leaf: Buffer;
  readonly proof: readonly Buffer[];
};

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** RFC 9162 §2.1.3.2: the root that the proof leads to; null for one of the wrong length. */
export const rootFrom = ({ index, size, leaf, proof }: Inclusion): Buffer | null => {
  if (!isCount(index) || !isCount(size) || index >= size) return null;
  let place = index;
  let last = size - 1;
  let hash = leaf;
  for (const step of proof) {
    if (last === 0 || step.length !== hashLength) return null;
    if (isOdd(place) || place === last) {
      hash = hashNodes(step, hash);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else hash = hashNodes(hash, step);
    place = half(place);
    last = half(last);
  }
  return last === 0 ? hash : null;
};

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** RFC 9162 §2.1.4.2: whether the proof shows that `later` begins with `earlier`. */
export const isConsistent = (earlier: TreeHead, later: TreeHead, proof: readonly Buffer[]): boolean => {
  if (!isCount(earlier.size) || !isCount(later.size) || earlier.size > later.size) return false;
  if (earlier.size === later.size) return proof.length === 0 && earlier.root.equals(later.root);
  if (earlier.size === 0) return proof.length === 0 && earlier.root.equals(emptyRoot);
  const isComplete = Number.isInteger(Math.log2(earlier.size));
  const [first, ...steps] = isComplete ? [earlier.root, ...proof] : proof;
  if (first === undefined || steps.length === 0 || proof.some(({ length }) => length !== hashLength)) return false;
  let place = earlier.size - 1;
  let last = later.size - 1;
  while (isOdd(place)) {
    place = half(place);
    last = half(last);
  }
  let [before, now] = [first, first];
  for (const step of steps) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      before = hashNodes(step, before);
      now = hashNodes(step, now);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else now = hashNodes(now, step);
    place = half(place);
    last = half(last);
  }
  return last === 0 && before.equals(earlier.root) && now.equals(later.root);
};

/** A tree to which leaves are added one after the other; it remembers a hash a level. */
export class GrowingTree {
  /** Complete subtrees from the left, the largest first. */
  readonly #complete: { readonly leaves: number; readonly hash: Buffer }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Buffer): void {
    let added = { leaves: 1, hash: leaf };
    for (let left = this.#complete.at(-1); left?.leaves === added.leaves; left = this.#complete.at(-1)) {
      this.#complete.pop();
      added = { leaves: left.leaves * 2, hash: hashNodes(left.hash, added.hash) };
    }
    this.#complete.push(added);
    this.#size++;
  }

  root(): Buffer {
    const [last, ...rest] = this.#complete.map(({ hash }) => hash).toReversed();
    return last === undefined ? emptyRoot : rest.reduce((right, left) => hashNodes(left, right), last);
  }
}
