/** Seals: which sessions can have theirs, what was sealed call by call, and the salts by which bodies are named in it. */

import { sql } from "slonik";
import { z } from "zod";
import type { CallApproval, NewSeal, Seal, SealedDigests, SealForm } from "../model/seal.ts";
import { count, type Rows, time } from "./rows.ts";
import { type CallRange, readApprovals } from "./sealedApprovals.ts";

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface Seals {
  get(session_id: string): Promise<Seal | null>;
  /** Sessions that have ended, of which no call is in flight, and that have no seal: by id, after this one. */
  unsealed(after: string | null, most: number): Promise<readonly string[]>;
  /** Sessions that have ended and have no leaf among the first `size`: by id, after this one. */
  outside(size: number, after: string | null, most: number): Promise<readonly string[]>;
  /** Whether it has ended and no call of it is in flight. Once it has, that stays so. */
  isOver(session_id: string): Promise<boolean>;
  /** Digests of what is about to be sealed; of several gateways that seal one session, all write the same. */
  keepDigests(session_id: string, digests: SealedDigests): Promise<void>;
  /** By number, the first of them from `from` on. */
  digests(session_id: string, from: number): Promise<SealedDigests | null>;
  /** The seal that the session has from now on: this one, or the one it had already. */
  add(seal: NewSeal): Promise<Seal>;
  /** In which form receipts were sealed; null when the session has no seal. */
  form(session_id: string): Promise<SealForm | null>;
  /** What people said about these calls of a session, by number; of most calls nobody was asked. */
  approvals(session_id: string, calls: CallRange): Promise<ReadonlyMap<number, CallApproval>>;
  /** In the order of the log, from this leaf on. */
  logged(from: number, most: number): Promise<readonly Seal[]>;
  /** The salt of the day that the session began; null when its bodies have expired, also where those of others of that day have not. */
  salt(session_id: string): Promise<Buffer | null>;
}

const sealRow = z.object({
  session_id: z.uuid(),
  calls: count,
  head: z.string(),
  state: z.enum(["closed", "expired"]),
  sealed_at: time,
  log_index: count.nullable(),
  checkpoint: z.string().nullable(),
});
const digestsRow = z.object({ from: count, digests: z.instanceof(Buffer), prints: z.instanceof(Buffer) });
const saltRow = z.object({ salt: z.instanceof(Buffer) });
const idRow = z.object({ id: z.uuid() });
const formRow = z.object({ form: z.union([z.literal(1), z.literal(2)]) });

/** That covers the seal `z`. */
export const firstCheckpoint = sql.fragment`
  (SELECT k.note FROM log_checkpoints k WHERE k.size > z.log_index ORDER BY k.size LIMIT 1)`;

const selectSeals = sql.fragment`
  SELECT z.session_id, z.calls, encode(z.head, 'hex') AS head, z.state, z.sealed_at, z.log_index, ${firstCheckpoint} AS checkpoint
  FROM seals z`;

export const createSeals = (rows: Rows): Seals => ({
  salt: async (session_id) => {
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(saltRow)`
        SELECT salt FROM epochs WHERE epoch = epoch_of(${session_id}::uuid)
          AND NOT EXISTS (SELECT FROM sessions WHERE id = ${session_id} AND bodies_expired)`),
    );
    return found?.salt ?? null;
  },
  get: (session_id) =>
    rows.ask((db) => db.maybeOne(sql.type(sealRow)`${selectSeals} WHERE z.session_id = ${session_id}`)),
  unsealed: async (after, most) => {
    const found = await rows.ask((db) =>
      db.any(sql.type(idRow)`
          SELECT s.id FROM sessions s
          WHERE s.state <> 'open' AND NOT s.sealed AND (${after}::uuid IS NULL OR s.id > ${after}::uuid)
            AND NOT EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id)
          ORDER BY s.id LIMIT ${most}`),
    );
    return found.map(({ id }) => id);
  },
  outside: async (size, after, most) => {
    const found = await rows.ask((db) =>
      db.any(sql.type(idRow)`
        SELECT s.id FROM sessions s LEFT JOIN seals z ON z.session_id = s.id
        WHERE s.state <> 'open' AND (z.log_index IS NULL OR z.log_index >= ${size}) AND (${after}::uuid IS NULL OR s.id > ${after}::uuid)
        ORDER BY s.id LIMIT ${most}`),
    );
    return found.map(({ id }) => id);
  },
  isOver: (session_id) =>
    rows.ask((db) =>
      db.exists(sql.type(idRow)`
          SELECT FROM sessions s WHERE s.id = ${session_id} AND s.state <> 'open'
            AND NOT EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id)`),
    ),
  keepDigests: async (session_id, { from, digests, prints }) => {
    await rows.ask((db) =>
      db.query(sql.type(z.object({}))`
          INSERT INTO sealed_digests (session_id, from_n, digests, prints)
          VALUES (${session_id}, ${from}, ${sql.binary(digests)}, ${sql.binary(prints)}) ON CONFLICT DO NOTHING`),
    );
  },
  digests: (session_id, from) =>
    rows.ask((db) =>
      db.maybeOne(sql.type(digestsRow)`
          SELECT from_n AS "from", digests, prints FROM sealed_digests
          WHERE session_id = ${session_id} AND from_n >= ${from} ORDER BY from_n LIMIT 1`),
    ),
  add: (seal) =>
    rows.transact(async (db) => {
      await db.query(sql.type(z.object({}))`
          INSERT INTO seals (session_id, calls, head, state, sealed_at, form)
          SELECT s.id, ${seal.calls}, decode(${seal.head}, 'hex'), s.state, ${seal.sealed_at.toISOString()}::timestamptz, ${seal.form}
          FROM sessions s WHERE s.id = ${seal.session_id} AND s.state = ${seal.state} AND s.calls = ${seal.calls}
            AND NOT EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id)
          ON CONFLICT (session_id) DO NOTHING`);
      await db.query(sql.type(z.object({}))`
          UPDATE sessions s SET sealed = true WHERE s.id = ${seal.session_id} AND NOT s.sealed
            AND EXISTS (SELECT FROM seals z WHERE z.session_id = s.id)`);
      return db.one(sql.type(sealRow)`${selectSeals} WHERE z.session_id = ${seal.session_id}`);
    }),
  form: async (session_id) => {
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(formRow)`SELECT form FROM seals WHERE session_id = ${session_id}`),
    );
    return found?.form ?? null;
  },
  approvals: (session_id, calls) => rows.ask((db) => readApprovals(db, session_id, calls)),
  logged: (from, most) =>
    rows.ask((db) =>
      db.any(sql.type(sealRow)`${selectSeals} WHERE z.log_index >= ${from} ORDER BY z.log_index LIMIT ${most}`),
    ),
});
