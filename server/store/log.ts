/** The log of seals at rest: its tiles, its size, the checkpoints that were signed. Leaves are added by one gateway at a time. */

import { type CommonQueryMethods, sql } from "slonik";
import { z } from "zod";
import { count, type Rows, time } from "./rows.ts";
import type { SealText } from "../model/seal.ts";

export type TilePlace = { readonly level: number; readonly n: number };
export type Tile = TilePlace & { readonly hashes: Buffer };

/** What one gateway does to the log while the others wait. */
export type Turn = {
  readonly size: number;
  /** The newest checkpoint that was signed; null before the first. */
  readonly checkpoint: string | null;
  /** Seals that are not in the log yet, the first first. */
  readonly waiting: readonly SealText[];
  readTile(place: TilePlace): Promise<Buffer>;
};

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface SealLog {
  size(): Promise<number>;
  /** The newest one that was signed; null before the first. */
  checkpoint(): Promise<string | null>;
  /** @throws Error when it is not there */
  readTile(place: TilePlace): Promise<Buffer>;
  /**
   * Gives the seals that wait the next places, in their order, and keeps the tiles that `grow` gives for them; all or nothing. What
   * `grow` throws stops it. Returns the new size.
   */
  append(grow: (turn: Turn) => Promise<readonly Tile[]>): Promise<number>;
  /** Keeps a checkpoint that was signed; another one of the same size stays as it is. */
  publish(size: number, note: string): Promise<void>;
}

/** Leaves of one turn at most: they are in memory together. */
const mostAtOnce = 1_000;

const sizeRow = z.object({ size: count });
const noteRow = z.object({ note: z.string() });
const tileRow = z.object({ hashes: z.instanceof(Buffer) });
const nothing = z.object({});
const waitingRow = z.object({
  session_id: z.uuid(),
  calls: count,
  head: z.string(),
  state: z.enum(["closed", "expired"]),
  sealed_at: time,
});

export const createSealLog = (rows: Rows): SealLog => ({
  size: async () => (await rows.ask((db) => db.one(sql.type(sizeRow)`SELECT size FROM log_size`))).size,
  checkpoint: () => rows.ask(newestCheckpoint),
  readTile: (place) => rows.ask((db) => readTile(db, place)),
  append: (grow) =>
    rows.transact(async (db) => {
      const { size } = await db.one(sql.type(sizeRow)`SELECT size FROM log_size FOR UPDATE`);
      const waiting = await db.any(sql.type(waitingRow)`
        SELECT session_id, calls, encode(head, 'hex') AS head, state, sealed_at FROM seals
        WHERE log_index IS NULL ORDER BY sealed_at, session_id LIMIT ${mostAtOnce}`);
      const checkpoint = await newestCheckpoint(db);
      const tiles = await grow({ size, checkpoint, waiting, readTile: (place) => readTile(db, place) });
      if (waiting.length === 0) return size;
      for (const { level, n, hashes } of tiles)
        await db.query(sql.type(nothing)`
          INSERT INTO log_tiles (level, n, hashes) VALUES (${level}, ${n}, ${sql.binary(hashes)})
          ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes`);
      const places = waiting.map(({ session_id }, i) => [session_id, size + i]);
      await db.query(sql.type(nothing)`
        UPDATE seals z SET log_index = p.place FROM ${sql.unnest(places, ["uuid", "int4"])} AS p (session_id, place)
        WHERE z.session_id = p.session_id`);
      await db.query(sql.type(nothing)`UPDATE log_size SET size = ${size + waiting.length}`);
      return size + waiting.length;
    }),
  publish: async (size, note) => {
    await rows.ask((db) =>
      db.query(sql.type(nothing)`
        INSERT INTO log_checkpoints (size, note) VALUES (${size}, ${note}) ON CONFLICT DO NOTHING`),
    );
  },
});

/** Of those that say the size they are kept under: an old one in a row of its own would hide what came since. */
const newestCheckpoint = async (db: CommonQueryMethods): Promise<string | null> => {
  const found = await db.maybeOne(sql.type(noteRow)`
    SELECT note FROM log_checkpoints WHERE split_part(note, E'\\n', 2) = size::text ORDER BY size DESC LIMIT 1`);
  return found?.note ?? null;
};

const readTile = async (db: CommonQueryMethods, { level, n }: TilePlace): Promise<Buffer> => {
  const found = await db.maybeOne(sql.type(tileRow)`
    SELECT hashes FROM log_tiles WHERE level = ${level} AND n = ${n}`);
  if (found === null) throw new Error(`tile ${level}/${n} of the log is not there`);
  return found.hashes;
};
