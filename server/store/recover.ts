/** Gives the calls of gateways that are gone their end, and sweeps away what nobody can need any more. */

import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import { lockClass } from "./replica.ts";
import { count, type Questions, type Rows } from "./rows.ts";

/** A replica that says nothing for so long, ms, has others speak for it. */
const grace = 3_000;
/** A look vouches for no more time, ms, than this: in a pause between two of them the database may have been away, for the replica too. */
const mostPerLook = 1_000;

const error =
  "the gateway stopped, or lost its database, before the end of this call was recorded: it may have been applied";

const errorOfHeld = "the gateway stopped while this call waited for people; nothing was sent";

const saying = z.object({ id: count, says: z.string() });

/** How long a replica has said the same, ms, while this gateway looked. */
type Silence = { readonly says: string; readonly lasts: number };

/**
 * Closes as `indeterminate`, or as `refused` where a call was held and had not left, what replicas left in flight that have said nothing
 * while this gateway looked, and whose lock is free; several gateways may do so at once, each call is closed once. No clock but this
 * process's own counts: the database's may be set, and another one's is its own after a fail-over, when no lock is left either and all
 * gateways need the same moment to come back.
 */
export class Recovery {
  readonly #rows: Rows;
  readonly #monotonic: () => number;
  #lookedAt: number | null = null;
  #silences = new Map<number, Silence>();

  constructor(rows: Rows, monotonic: () => number) {
    this.#rows = rows;
    this.#monotonic = monotonic;
  }

  /** Returns how many calls were closed. What cannot be closed keeps no other call in flight. @throws after all the others were */
  async recover(): Promise<number> {
    const failed: unknown[] = [];
    let closed = 0;
    for (const replica of await this.#silent())
      try {
        closed += await this.#rows.transact((db) => closeAllOf(db, { replica }));
      } catch (error) {
        failed.push(error);
        closed += await this.#closeEach(replica);
      }
    if (failed.length > 0) throw failed[0];
    return closed;
  }

  /** Session by session, where one of them does not let the others go. */
  async #closeEach(replica: number): Promise<number> {
    let closed = 0;
    const sessions = await this.#rows.ask((db) =>
      db.anyFirst(
        sql.type(
          z.object({ session_id: z.uuid() }),
        )`SELECT DISTINCT session_id FROM calls_in_flight WHERE replica = ${replica}`,
      ),
    );
    for (const session_id of sessions)
      closed += await this.#rows.transact((db) => closeAllOf(db, { replica, session_id })).catch(() => 0);
    return closed;
  }

  async #silent(): Promise<readonly number[]> {
    const replicas = await this.#ask();
    const now = this.#monotonic();
    const passed = this.#lookedAt === null ? 0 : Math.min(mostPerLook, now - this.#lookedAt);
    this.#lookedAt = now;
    const before = this.#silences;
    this.#silences = new Map(
      replicas.map(({ id, says }) => {
        const known = before.get(id);
        return [id, { says, lasts: known?.says === says ? known.lasts + passed : 0 }];
      }),
    );
    return [...this.#silences].flatMap(([id, { lasts }]) => (lasts >= grace ? [id] : []));
  }

  async #ask(): Promise<readonly z.infer<typeof saying>[]> {
    try {
      // Each batch has a name of its own, and one that lives commits every half second.
      return await this.#rows.ask((db) =>
        db.any(sql.type(saying)`
          SELECT id, concat(last_batch, ' ', seen_at) AS says FROM replicas r
          WHERE EXISTS (SELECT FROM calls_in_flight f WHERE f.replica = r.id)`),
      );
    } catch (error) {
      // Whoever cannot be heard now is not silent.
      this.#silences.clear();
      this.#lookedAt = null;
      throw error;
    }
  }
}

const landed = z.object({ session_id: z.uuid(), n: count, state: z.string() });

/** Of all sessions, or of one. */
type Left = { readonly replica: number; readonly session_id?: string | null };

const closeAllOf = async (db: Questions, { replica, session_id = null }: Left): Promise<number> => {
  // Held until the commit: a sink that comes back meanwhile waits, and then finds its calls closed.
  const free = await db.oneFirst(sql.type(z.object({ free: z.boolean() }))`
    SELECT pg_try_advisory_xact_lock(${lockClass}, ${replica}) AS free`);
  if (!free) return 0;
  const calls = await db.any(sql.type(landed)`
    WITH landed AS (
      DELETE FROM calls_in_flight WHERE replica = ${replica} AND (${session_id}::uuid IS NULL OR session_id = ${session_id}::uuid)
      RETURNING session_id, n
    ), judged AS (
      SELECT l.session_id, l.n,
        c.approval_id IS NOT NULL AND NOT EXISTS (SELECT FROM departures d WHERE d.session_id = l.session_id AND d.n = l.n) AS held
      FROM landed l JOIN calls c ON c.session_id = l.session_id AND c.n = l.n
    )
    INSERT INTO closings (session_id, n, state, error_code, error, done_at)
    SELECT session_id, n, CASE WHEN held THEN 'refused' ELSE 'indeterminate' END,
      CASE WHEN held THEN 'approval_required' ELSE 'outcome_unknown' END,
      CASE WHEN held THEN ${errorOfHeld} ELSE ${error} END, clock_timestamp() FROM judged
    RETURNING session_id, n, state`);
  const unknown = calls.filter(({ state }) => state === "indeterminate");
  if (unknown.length > 0) await tell(db, unknown);
  return calls.length;
};

const tell = async (db: Questions, calls: readonly z.infer<typeof landed>[]): Promise<void> => {
  const kind: AuditEvent["kind"] = "call_indeterminate";
  const events = calls.map(({ session_id, n }) => [uuidv7(), kind, `call ${session_id}/${n}`]);
  await db.query(sql.type(z.object({}))`
    INSERT INTO audit_events (id, at, kind, who, what, reason)
    SELECT id, clock_timestamp(), kind, 'gateway', what, ${error}
    FROM ${sql.unnest(events, ["uuid", "text", "text"])} AS e (id, kind, what)`);
};

const sweepings = [
  sql.fragment`DELETE FROM session_tokens WHERE expires_at < now() - interval '1 day'`,
  sql.fragment`DELETE FROM used_token_ids WHERE expires_at < now() - interval '1 day'`,
  sql.fragment`
    WITH gone AS (DELETE FROM spills WHERE NOT claimed AND started_at < now() - interval '1 day' RETURNING id)
    DELETE FROM body_chunks c USING gone WHERE c.spill = gone.id`,
  sql.fragment`DELETE FROM sign_ins WHERE expires_at < now()`,
  sql.fragment`DELETE FROM round_trips WHERE expires_at < now()`,
  sql.fragment`DELETE FROM leases WHERE until < now() - interval '1 day'`,
  sql.fragment`DELETE FROM heard WHERE at < now() - interval '30 days'`,
  sql.fragment`DELETE FROM rule_uses u USING sessions s WHERE s.id = u.session_id AND s.state <> 'open'`,
  sql.fragment`
    DELETE FROM replicas r WHERE seen_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM calls_in_flight f WHERE f.replica = r.id)`,
];

/**
 * Sign-ins and round trips that are over, comments that were heard of a month ago, what limits counted of sessions that ended, tokens and leases a
 * day after they expired, spills that no receipt claimed within a day, replicas that have been gone as long. One that fails keeps none of the others.
 */
export const sweep = async (rows: Rows): Promise<void> => {
  const failed: unknown[] = [];
  for (const sweeping of sweepings)
    await rows.ask((db) => db.query(sql.type(z.object({}))`${sweeping}`)).catch((error: unknown) => failed.push(error));
  if (failed.length > 0) throw failed[0];
};
