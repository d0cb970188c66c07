/** A small print of a value, by which it is told how much two of them have in common without reading either again. */

/** Bottom-k sketch, https://en.wikipedia.org/wiki/MinHash: the least of the hashes of its fields. Values of fewer fields are in it whole. */
export type Print = Uint32Array;

const most = 64;
/** Of a text; longer ones are told apart by their length too. */
const hashedCharacters = 512;

export const printOf = (value: unknown): Print => {
  const hashes = new Set<number>();
  visit(value, seed, hashes);
  return Uint32Array.from(hashes).toSorted().slice(0, most);
};

/** Fields that both have. */
export const inCommon = (one: Print, other: Print): number => {
  let [a, b, count] = [0, 0, 0];
  while (a < one.length && b < other.length) {
    const [left = 0, right = 0] = [one[a], other[b]];
    if (left === right) count += 1;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
  }
  return count;
};

const seed = 0x811c9dc5;

const visit = (value: unknown, place: number, hashes: Set<number>): void => {
  if (value instanceof Map) {
    for (const [name, member] of value as ReadonlyMap<string, unknown>) visit(member, add(place, `.${name}`), hashes);
  } else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) visit(item, add(place, `[${at}`), hashes);
  } else hashes.add(add(place, `${typeof value === "string" ? "s" : "="}${String(value)}`));
};

/** FNV-1a. */
const add = (hash: number, text: string): number => {
  let next = hash ^ text.length;
  for (let at = 0; at < Math.min(text.length, hashedCharacters); at++)
    next = Math.imul(next ^ text.charCodeAt(at), 0x01000193);
  return next >>> 0;
};
