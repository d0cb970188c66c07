/** Lets go of what is older than the configuration keeps: bodies day by day, receipts week by week, and the sessions with them. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import type { Config } from "../model/config.ts";
import { lockClass } from "./replica.ts";
import { count, type Questions, type Rows, time } from "./rows.ts";

/** How long bodies and receipts are kept, ms. */
export type Retention = Config["retention"];

const day = 86_400_000;
/** Sessions of one piece of work. */
const sessionsAtOnce = 200;
/** Dropping a partition locks its table for a moment: whoever records waits no longer than this, ms, and then we give way. */
const lockTimeout = 100;
const pauses = [0, 200, 500, 1_000] as const;

const none = z.object({});
const rangeRow = z.object({ first: count });

/** Some epochs, and the moment since when nothing of them may have been used. */
type Range = { readonly first: number; readonly days: number; readonly since: Date };

/**
 * Several gateways may do so at once; they take turns. What is open, in flight or was used lately stays whole, whatever the age of its beginning.
 * @throws GatewayError when the database does not answer, or does not come to rest; what was not done now is done in the next round
 */
export const retain = async (rows: Rows, clock: () => Date, { bodies, receipts }: Retention): Promise<void> => {
  // Of two clocks the one that is behind: a gateway that is ahead of its time deletes nothing.
  const now = Math.min(
    clock().getTime(),
    (await rows.ask((db) => db.oneFirst(sql.type(z.object({ now: time }))`SELECT clock_timestamp() AS now`))).getTime(),
  );
  const before = (kept: number) => ({ since: new Date(now - kept), until: Math.floor((now - kept) / day) });
  await expireBodies(rows, before(bodies));
  await expireReceipts(rows, before(receipts));
};

/** `until`: the first epoch that is too young. */
type Before = { readonly since: Date; readonly until: number };

const expireBodies = async (rows: Rows, { since, until }: Before): Promise<void> => {
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`SELECT epoch AS first FROM epochs WHERE epoch < ${until} ORDER BY epoch`),
  );
  for (const first of old)
    await insist(rows, { first, days: 1, since }, async (db) => {
      await db.query(sql.type(none)`SELECT drop_bodies(${first})`);
      await tell(db, `bodies of the sessions of ${nameOf(first)}`);
    });
};

const expireReceipts = async (rows: Rows, { since, until }: Before): Promise<void> => {
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`
      SELECT first FROM (
        SELECT to_date(right(c.relname, 10), 'YYYY_MM_DD') - date '1970-01-01' AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'calls'::regclass
        UNION SELECT epoch_of(id) - epoch_of(id) % 7 FROM sessions WHERE id < first_id_of(${until})
      ) weeks WHERE first + 7 <= ${until} ORDER BY first`),
  );
  for (const first of old) {
    const week = { first, days: 7, since };
    while ((await insist(rows, week, (db) => deleteSessions(db, first))) === sessionsAtOnce);
    await insist(rows, week, async (db) => {
      await db.query(sql.type(none)`SELECT drop_receipts(${first})`);
      await tell(db, `receipts of the sessions of the week from ${nameOf(first)}`);
    });
  }
};

const deleteSessions = async (db: Questions, week: number): Promise<number> =>
  db.oneFirst(sql.type(z.object({ deleted: count }))`
    WITH old AS MATERIALIZED (
      SELECT coalesce(array_agg(id), '{}') AS ids FROM (
        SELECT id FROM sessions WHERE id >= first_id_of(${week}) AND id < first_id_of(${week + 7}) ORDER BY id LIMIT ${sessionsAtOnce}
      ) piece
    )
    SELECT cardinality(ids) AS deleted FROM old, LATERAL delete_sessions(ids)`);

/** Does a piece of work alone, unless something of these epochs is in use; null then. Gives way when others hold the tables, and tries again. */
const insist = async <T>(
  rows: Rows,
  { first, days, since }: Range,
  work: (db: Questions) => Promise<T>,
): Promise<T | null> => {
  let failed: unknown;
  for (const pause of pauses) {
    await sleep(pause);
    try {
      return await rows.transact(async (db) => {
        await db.query(sql.type(none)`SELECT set_config('lock_timeout', ${String(lockTimeout)}, true)`);
        const free = await db.oneFirst(sql.type(z.object({ free: z.boolean() }))`
          SELECT pg_try_advisory_xact_lock(${lockClass}, 0) AS free`);
        if (!free) throw new Error("another gateway is at it");
        const over = await db.oneFirst(sql.type(z.object({ over: z.boolean() }))`
          SELECT is_over(${first}, ${days}, ${since.toISOString()}::timestamptz) AS over`);
        return over ? await work(db) : null;
      });
    } catch (error) {
      failed = error;
    }
  }
  throw failed;
};

const nameOf = (epoch: number): string => new Date(epoch * day).toISOString().slice(0, 10);

const tell = async (db: Questions, what: string): Promise<void> => {
  const kind: AuditEvent["kind"] = "recordings_expired";
  await db.query(sql.type(none)`
    INSERT INTO audit_events (id, at, kind, who, what, reason)
    VALUES (${uuidv7()}, clock_timestamp(), ${kind}, 'gateway', ${what}, 'they are older than retention keeps them')`);
};
