/** Narrows the index down to the places in which what is wanted may stand: bits of a block, from the postings of the keys that it must have. */

import { sql } from "slonik";
import { z } from "zod";
import type { Place } from "../../model/searched.ts";
import { count, type Questions } from "../rows.ts";
import { type Block, type Sort, tableOf, tables, unpackPart } from "./blocks.ts";
import { keysOfText, keysOfWord, repositoryKey, tagKey } from "./keys.ts";
import { markPlaces, partOf } from "./postings.ts";

/** What every call that is looked for has; `anything` is what no index tells. */
export type Wanted =
  | "anything"
  | { readonly all: readonly Wanted[] }
  | { readonly any: readonly Wanted[] }
  | { readonly text: string }
  | { readonly word: string }
  | { readonly tag: string }
  /** In one of these: `sessions.repository`. */
  | { readonly repositories: readonly string[] };

/** A run of places; without parts, of calls that are not in blocks yet. */
export type Slice = Omit<Block, "parts"> & { readonly parts: number | null };

/** What is looked up: `keys` that a call has in its receipt, or all in its bodies. */
type Leaf = { readonly keys: readonly number[]; readonly sorts: readonly Sort[] };
export type Plan = null | { readonly all: readonly Plan[] } | { readonly any: readonly Plan[] } | Leaf;

export const planOf = (wanted: Wanted): Plan => {
  if (wanted === "anything") return null;
  if ("all" in wanted) {
    const all = wanted.all.map(planOf).filter((plan) => plan !== null);
    return all.length === 0 ? null : { all };
  }
  if ("any" in wanted) {
    const any = wanted.any.map(planOf);
    return any.includes(null) ? null : { any };
  }
  if ("repositories" in wanted)
    return {
      any: wanted.repositories.map((repository) => ({ keys: [repositoryKey(repository)], sorts: ["receipt"] })),
    };
  if ("tag" in wanted) return { keys: [tagKey(wanted.tag)], sorts: ["receipt"] };
  const keys = "text" in wanted ? keysOfText(wanted.text) : keysOfWord(wanted.word);
  return keys.length === 0 ? null : { keys, sorts: tables };
};

const leavesOf = (plan: Plan): Leaf[] => {
  if (plan === null) return [];
  if ("all" in plan) return plan.all.flatMap(leavesOf);
  return "any" in plan ? plan.any.flatMap(leavesOf) : [plan];
};

/** So many keys of a text are looked up everywhere, and all of them where these leave more than so many places of a block. */
const keysAtFirst = 4;
const fewPlaces = 3;

/** Places of these slices in which what is wanted may stand, the newest first. */
export const candidates = async (db: Questions, plan: Plan, slices: readonly Slice[]): Promise<Place[]> => {
  const marked = plan === null ? new Map<Slice, Bits>() : await markAll(db, plan, slices);
  return slices.flatMap((slice) => {
    const bits = marked.get(slice);
    const found: Place[] = [];
    for (let place = slice.places - 1; place >= 0; place--)
      if (bits === undefined || isMarked(bits, place)) found.push({ epoch: slice.epoch, place: slice.first + place });
    return found;
  });
};

/** Of those that are in blocks. */
const markAll = async (
  db: Questions,
  plan: Exclude<Plan, null>,
  slices: readonly Slice[],
): Promise<ReadonlyMap<Slice, Bits>> => {
  const blocks = slices.filter((slice): slice is Block => slice.parts !== null);
  const read = await readParts(db, keysBySort(plan, [0, keysAtFirst]), blocks);
  const mark = (block: Block, most: number): Bits =>
    evaluate(plan, {
      size: Math.ceil(block.places / 8),
      most,
      part: (sort, key) => read.get(partName(sort, { ...block, part: partOf(key, block.parts) })),
    });
  const marked = new Map(blocks.map((block) => [block, mark(block, keysAtFirst)]));
  const crowded = blocks.filter((block) => countMarks(marked.get(block)) > fewPlaces);
  const more = keysBySort(plan, [keysAtFirst, Number.POSITIVE_INFINITY]);
  if (crowded.length === 0 || tables.every((sort) => more[sort].length === 0)) return marked;
  for (const [name, part] of await readParts(db, more, crowded)) read.set(name, part);
  for (const block of crowded) marked.set(block, mark(block, Number.POSITIVE_INFINITY));
  return marked;
};

const isMarked = (bits: Bits, place: number): boolean => ((bits[place >>> 3] ?? 0) & (1 << (place & 7))) !== 0;

const countMarks = (bits: Bits | undefined): number =>
  bits?.reduce((sum, byte) => {
    let count = sum;
    for (let left = byte; left !== 0; left &= left - 1) count += 1;
    return count;
  }, 0) ?? 0;

type KeysBySort = Readonly<Record<Sort, readonly number[]>>;

const keysBySort = (plan: Plan, [from, to]: readonly [number, number]): KeysBySort => {
  const keysOf = (sort: Sort): number[] =>
    leavesOf(plan).flatMap(({ keys, sorts }) => (sorts.includes(sort) ? keys.slice(from, to) : []));
  return { receipt: keysOf("receipt"), body: keysOf("body") };
};

type Bits = Uint8Array<ArrayBuffer>;
/** `most`: so many keys of each text decide. */
type InBlock = { readonly size: number; readonly most: number; part(sort: Sort, key: number): Buffer | undefined };

const evaluate = (plan: Exclude<Plan, null>, block: InBlock): Bits => {
  if ("all" in plan) return combine(plan.all, block, (one, other) => one & other);
  if ("any" in plan) return combine(plan.any, block, (one, other) => one | other);
  const sums = plan.sorts.map((sort) => placesWith(plan.keys.slice(0, block.most), sort, block));
  return sums.reduce((one, other) => merge(one, other, (a, b) => a | b));
};

type Operation = (one: number, other: number) => number;

const combine = (plans: readonly Plan[], block: InBlock, operation: Operation): Bits =>
  plans
    .flatMap((plan) => (plan === null ? [] : [evaluate(plan, block)]))
    .reduce((one, other) => merge(one, other, operation));

const merge = (one: Bits, other: Bits, operation: Operation): Bits => {
  for (let i = 0; i < one.length; i++) one[i] = operation(one[i] ?? 0, other[i] ?? 0);
  return one;
};

const placesWith = (keys: readonly number[], sort: Sort, block: InBlock): Bits => {
  const marked = keys.map((key) => {
    const bits = new Uint8Array(block.size);
    const part = block.part(sort, key);
    if (part !== undefined) markPlaces(part, key, bits);
    return bits;
  });
  return marked.reduce((one, other) => merge(one, other, (a, b) => a & b));
};

const partRow = z.object({ epoch: count, first: count, part: count, bytes: z.instanceof(Buffer) });
const partName = (
  sort: Sort,
  { epoch, first, part }: { readonly epoch: number; readonly first: number; readonly part: number },
): string => `${sort} ${epoch} ${first} ${part}`;

const readParts = async (db: Questions, keys: KeysBySort, blocks: readonly Block[]): Promise<Map<string, Buffer>> => {
  const read = new Map<string, Buffer>();
  for (const sort of tables) {
    const wanted = blocks.flatMap(({ epoch, first, parts }) =>
      [...new Set(keys[sort].map((key) => partOf(key, parts)))].map((part) => [epoch, first, part]),
    );
    if (wanted.length === 0) continue;
    const found = await db.any(sql.type(partRow)`
      SELECT p.epoch, p.first, p.part, p.bytes FROM ${sql.unnest(wanted, ["int4", "int4", "int4"])} AS w (epoch, first, part)
      JOIN ${tableOf(sort)} p ON p.epoch = w.epoch AND p.first = w.first AND p.part = w.part`);
    for (const row of found) read.set(partName(sort, row), unpackPart(row.bytes));
  }
  return read;
};
