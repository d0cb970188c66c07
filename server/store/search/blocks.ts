/** Blocks of the index in the database: small ones, of the newest calls, are joined into large ones, and the days that are over into few. */

import { setImmediate as turn } from "node:timers/promises";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { sql } from "slonik";
import { z } from "zod";
import { count, type Questions, type Rows, time } from "../rows.ts";
import { keysVersion } from "./keys.ts";
import { joinParts } from "./postings.ts";

export const tables = ["receipt", "body"] as const;
/** Two sorts of postings: of receipts, and of bodies, which go before. */
export type Sort = (typeof tables)[number];

/** Places of a small block, and how many parts its postings are in, by which it is known. */
export const smallBlock = { places: 256, parts: 16 } as const;
/** So many blocks with so many parts make one larger one; of a day that is over, small ones make one however many they are. */
const joins = [
  { parts: smallBlock.parts, blocks: 32 },
  { parts: 256, blocks: 4 },
] as const;
type Join = (typeof joins)[number];
/** Parts of about the same size, whether it was a quiet day or not. */
const partsFor = (places: number): number => {
  if (places <= 8 * smallBlock.places) return 32;
  return places <= 32 * smallBlock.places ? 256 : 1_024;
};

const none = z.object({});

/** A part is a few KiB: what another thread would take to be told costs more than the work. */
const packPart = (bytes: Buffer): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
export const unpackPart = (bytes: Buffer): Buffer => zstdDecompressSync(bytes);
/** Parts between two turns of the event loop. */
const partsOfTurn = 16;

export const tableOf = (sort: Sort) => sql.identifier([`search_${sort}_parts`]);

export type Block = { readonly epoch: number; readonly first: number; readonly places: number; readonly parts: number };
export type TimedBlock = Block & { readonly since: Date; readonly until: Date };
export type Parts = Readonly<Record<Sort, ReadonlyMap<number, Buffer>>>;

const blockRow = z.object({ epoch: count, first: count, places: count, parts: count, since: time, until: time });
const partRow = z.object({ first: count, part: count, bytes: z.instanceof(Buffer) });

/** Postings of bodies that retention took meanwhile are not written. */
export const insertBlock = async (db: Questions, block: TimedBlock, parts: Parts): Promise<void> => {
  const { epoch, first, places } = block;
  await db.query(sql.type(none)`
    INSERT INTO search_blocks (epoch, first, places, parts, since, until, keys)
    VALUES (${epoch}, ${first}, ${places}, ${block.parts}, ${block.since.toISOString()}::timestamptz, ${block.until.toISOString()}::timestamptz,
      ${keysVersion})`);
  const bodiesAreKept = await db.exists(sql.type(none)`SELECT FROM epochs WHERE epoch = ${epoch}`);
  for (const sort of tables) {
    if (sort === "body" && !bodiesAreKept) continue;
    const packed: [number, number, number, Buffer][] = [];
    for (const [part, bytes] of parts[sort]) {
      if (packed.length % partsOfTurn === partsOfTurn - 1) await turn();
      packed.push([epoch, first, part, packPart(bytes)]);
    }
    if (packed.length > 0)
      await db.query(sql.type(none)`
        INSERT INTO ${tableOf(sort)} (epoch, first, part, bytes)
        SELECT * FROM ${sql.unnest(packed, ["int4", "int4", "int4", "bytea"])} AS p (epoch, first, part, bytes)`);
  }
};

/** Joins what can be joined, one large block at a time; false when there is nothing to do. Two gateways at it are told apart by the lock. */
export const joinBlocks = async (rows: Rows, today: number): Promise<boolean> => {
  for (const join of joins) {
    const neighbours = await rows.ask((db) => findNeighbours(db, join, today));
    if (neighbours.length === 0) continue;
    await joinAll(rows, neighbours);
    return true;
  }
  return false;
};

const joinAll = async (rows: Rows, neighbours: readonly TimedBlock[]): Promise<void> => {
  const [oldest] = neighbours;
  const newest = neighbours.at(-1);
  if (oldest === undefined || newest === undefined) return;
  const places = newest.first + newest.places - oldest.first;
  const joined: TimedBlock = {
    epoch: oldest.epoch,
    first: oldest.first,
    places,
    parts: partsFor(places),
    since: new Date(Math.min(...neighbours.map(({ since }) => since.getTime()))),
    until: new Date(Math.max(...neighbours.map(({ until }) => until.getTime()))),
  };
  const parts = {
    receipt: await joinSort(rows, { neighbours, parts: joined.parts }, "receipt"),
    body: await joinSort(rows, { neighbours, parts: joined.parts }, "body"),
  };
  await rows.transact(async (db) => {
    const gone = await db.any(sql.type(z.object({ first: count }))`
      DELETE FROM search_blocks WHERE epoch = ${joined.epoch} AND first >= ${joined.first} AND first <= ${newest.first} AND parts = ${oldest.parts} RETURNING first`);
    // Another gateway has joined them.
    if (gone.length !== neighbours.length) throw new Error("these blocks are joined already");
    for (const sort of tables)
      await db.query(sql.type(none)`
        DELETE FROM ${tableOf(sort)} WHERE epoch = ${joined.epoch} AND first >= ${joined.first} AND first <= ${newest.first}`);
    await insertBlock(db, joined, parts);
  });
};

/** The oldest that make a larger one; none where calls that came late stand between them. */
const findNeighbours = async (
  db: Questions,
  { parts, blocks }: Join,
  today: number,
): Promise<readonly TimedBlock[]> => {
  const found = await db.any(sql.type(blockRow)`
    SELECT b.epoch, b.first, b.places, b.parts, b.since, b.until FROM search_blocks b JOIN (
      SELECT b.epoch FROM search_blocks b JOIN search_epochs e ON e.epoch = b.epoch WHERE b.parts = ${parts}
      GROUP BY b.epoch, e.places, e.indexed
      HAVING count(*) >= ${blocks} OR (${parts} = ${smallBlock.parts} AND b.epoch < ${today - 1} AND e.places = e.indexed)
      ORDER BY b.epoch LIMIT 1
    ) due ON due.epoch = b.epoch
    WHERE b.parts = ${parts} ORDER BY b.first LIMIT ${blocks}`);
  return found.every((block, i) => i === 0 || isNext(found[i - 1], block)) ? found : [];
};

const isNext = (before: TimedBlock | undefined, block: TimedBlock): boolean =>
  before !== undefined && before.first + before.places === block.first;

type Joining = { readonly neighbours: readonly TimedBlock[]; readonly parts: number };

const joinSort = async (rows: Rows, { neighbours, parts }: Joining, sort: Sort): Promise<Map<number, Buffer>> => {
  const joined = new Map<number, Buffer>();
  const [oldest] = neighbours;
  if (oldest === undefined) return joined;
  const { epoch, first } = oldest;
  for (let part = 0; part < oldest.parts; part++) {
    const found = await rows.ask((db) =>
      db.any(sql.type(partRow)`
        SELECT first, part, bytes FROM ${tableOf(sort)}
        WHERE epoch = ${epoch} AND first = ANY (${sql.array(
          neighbours.map((block) => block.first),
          "int4",
        )}) AND part = ${part} ORDER BY first`),
    );
    const unpacked = found.map((row) => ({ base: row.first - first, bytes: unpackPart(row.bytes) }));
    for (const [into, bytes] of joinParts(unpacked, parts)) joined.set(into, bytes);
  }
  return joined;
};
