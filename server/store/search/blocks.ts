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
/**
 * So many blocks with so many parts make one larger one; of a day that is over, small ones make one however many they are. A session that goes on
 * for days has its calls in a day that is over, a few at a time: what is made of them is joined again.
 */
const joins = [
  { parts: smallBlock.parts, blocks: 32 },
  { parts: 32, blocks: 8 },
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

/** The oldest blocks that can be joined into one, those of these days last; null when there are none. */
export const findJoin = async (db: Questions, days: Days): Promise<readonly [TimedBlock, ...TimedBlock[]] | null> => {
  for (const join of joins) {
    const [oldest, ...others] = await findNeighbours(db, join, days);
    if (oldest !== undefined) return [oldest, ...others];
  }
  return null;
};

/** One large block at a time. Two gateways at it are told apart by the lock. */
export const joinBlocks = async (rows: Rows, neighbours: readonly [TimedBlock, ...TimedBlock[]]): Promise<void> => {
  const [oldest] = neighbours;
  const newest = neighbours.at(-1) ?? oldest;
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

/** `failed`: those whose turn comes when there is nothing else to do. */
export type Days = { readonly today: number; readonly failed: readonly number[] };

/** The oldest that make a larger one and have no other one between them: calls that came late may stand there for good. */
const findNeighbours = (
  db: Questions,
  { parts, blocks }: Join,
  { today, failed }: Days,
): Promise<readonly TimedBlock[]> =>
  db.any(sql.type(blockRow)`
    WITH runs AS MATERIALIZED (
      -- The places before it, less those of its like before it: the same for all that stand side by side.
      SELECT epoch, first, places, parts, since, until,
        first - sum(places) OVER (PARTITION BY epoch ORDER BY first) + places AS run
      FROM search_blocks WHERE parts = ${parts}
    ), due AS (
      SELECT r.epoch, r.run FROM runs r JOIN search_epochs e ON e.epoch = r.epoch GROUP BY r.epoch, r.run, e.places, e.indexed
      HAVING count(*) >= ${blocks} OR (${parts} = ${smallBlock.parts} AND r.epoch < ${today - 1} AND e.places = e.indexed)
      ORDER BY r.epoch = ANY (${sql.array([...failed], "int4")}), r.epoch, r.run LIMIT 1
    )
    SELECT r.epoch, r.first, r.places, r.parts, r.since, r.until FROM runs r JOIN due d ON d.epoch = r.epoch AND d.run = r.run
    ORDER BY r.first LIMIT ${blocks}`);

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
