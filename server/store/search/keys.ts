/**
 * What the index knows of a text: a number for each three bytes in a row, for each end of a word with what follows it, and for each word that is
 * shorter; and one for each thing that a receipt says.
 */

import { fold, isOfWord } from "../../model/fold.ts";

/** Numbers of three bytes are in the first third, those of short words and tags in the second, those of ends of words in the last; then those of repositories. */
const third = 2 ** 18;
/** They are in one part of a block: all that somebody sees are looked up at once. */
export const repositoryKeys = { from: 3 * third, count: 2 ** 12 } as const;
export const keySpace = repositoryKeys.from + repositoryKeys.count;
/** Blocks say it; other gateways, older or newer, may have other keys. */
export const keysVersion = 2;

/** Gathers the keys of one call, each once. Kept and used again: it is large. */
export class KeyGatherer {
  readonly #seen = new Uint32Array(keySpace);
  readonly #keys = new Uint32Array(keySpace);
  #turn = 0;
  #count = 0;

  begin(): void {
    this.#turn += 1;
    this.#count = 0;
  }

  /** Of texts that are compared by `fold`. */
  text(text: string): void {
    const bytes = Buffer.from(fold(text), "utf8");
    let three = 0;
    let before = 0;
    let word = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      before = ((before << 8) | (three >>> 16)) & 0xffff;
      three = ((three << 8) | byte) & 0xffffff;
      if (i >= 2) this.#add(threeKey(three));
      if (i >= 4 && !isOfWord(bytes[i - 2] ?? 0)) this.#add(fiveKey(before, three));
      if (isOfWord(byte)) word += 1;
      else {
        if (word === 1 || word === 2) this.#add(shortKey(three >>> 8, word));
        word = 0;
      }
    }
    if (word === 1 || word === 2) this.#add(shortKey(three, word));
  }

  tag(tag: string): void {
    this.#add(tagKey(tag));
  }

  /** `sessions.repository` */
  repository(repository: string): void {
    this.#add(repositoryKey(repository));
  }

  /** Until the next `begin`. */
  get keys(): Uint32Array {
    return this.#keys.subarray(0, this.#count);
  }

  #add(key: number): void {
    if (this.#seen[key] === this.#turn) return;
    this.#seen[key] = this.#turn;
    this.#keys[this.#count++] = key;
  }
}

const threeKey = (three: number): number => Math.imul(three + 1, 0x9e3779b1) >>> 14;

/** Around a byte that is of no word: what tells phrases from the same words apart from one another. */
const fiveKey = (before: number, three: number): number =>
  2 * third + (Math.imul(Math.imul(before + 1, 0x85ebca6b) ^ (three + 1), 0x9e3779b1) >>> 14);

const shortKey = (bytes: number, length: number): number =>
  third + (Math.imul((length === 1 ? bytes & 0xff : (bytes & 0xffff) | 0x10000) + 7, 0x85ebca6b) >>> 14);

export const tagKey = (tag: string): number => third + (hashOf(tag) >>> 14);

export const repositoryKey = (repository: string): number => repositoryKeys.from + (hashOf(repository) >>> 20);

/** 32 bits, of which the upper ones are well mixed. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
};

/** Three bytes that are rare are looked up rather than others. */
const commonBytes = 'etaonirsd"lc:,pmu_g.0fhb1{}-y/2';
const rarity = (three: Buffer): number =>
  three.reduce((sum, byte) => {
    const rank = commonBytes.indexOf(String.fromCharCode(byte));
    return sum + (rank === -1 ? commonBytes.length : rank);
  }, 0);

/** As many tell nearly any text from others; those that tell most come first. */
const mostOfText = 8;

/** Keys that every text has in which this one stands; none where it is too short to say. */
export const keysOfText = (text: string): number[] => {
  const bytes = Buffer.from(fold(text), "utf8");
  if (bytes.length < 3) return [];
  const threes = Array.from({ length: bytes.length - 2 }, (_, at) => ({ at, three: bytes.subarray(at, at + 3) }));
  const rare = threes.map(({ at, three }) => ({ at, three, rank: rarity(three) })).toSorted((a, b) => b.rank - a.rank);
  const chosen: { at: number; three: Buffer }[] = [];
  // Those that overlap say much the same.
  for (const apart of [3, 1])
    for (const one of rare)
      if (chosen.length < mostOfText && chosen.every(({ at }) => Math.abs(at - one.at) >= apart)) chosen.push(one);
  const threeKeys = chosen.map(({ three }) => threeKey(three.readUIntBE(0, 3)));
  return [...new Set([...fivesOf(bytes), ...threeKeys])].slice(0, mostOfText);
};

const mostFives = 2;

const fivesOf = (bytes: Buffer): number[] => {
  const found: { readonly key: number; readonly rank: number }[] = [];
  for (let i = 2; i + 2 < bytes.length; i++) {
    const five = bytes.subarray(i - 2, i + 3);
    if (!isOfWord(bytes[i] ?? 0))
      found.push({ key: fiveKey(five.readUInt16BE(0), five.readUIntBE(2, 3)), rank: rarity(five) });
  }
  return found
    .toSorted((a, b) => b.rank - a.rank)
    .slice(0, mostFives)
    .map(({ key }) => key);
};

/** The same of a whole word. */
export const keysOfWord = (word: string): number[] => {
  const bytes = Buffer.from(fold(word), "utf8");
  if (bytes.length >= 3) return keysOfText(word);
  return bytes.every(isOfWord) && bytes.length > 0 ? [shortKey(bytes.readUIntBE(0, bytes.length), bytes.length)] : [];
};
