/** Lets go of what is older than the configuration keeps: bodies day by day, receipts week by week, and the sessions with them. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import { lockClass } from "./replica.ts";
import { count, type Questions, type Rows, time } from "./rows.ts";
import { copyRest, dropRests, takeRest, type Whole } from "./thin.ts";

/** How long bodies and receipts are kept, ms. */
type Kept = { readonly bodies: number; readonly receipts: number };
export type Retention = Kept & {
  /** Connections that have periods of their own. */
  readonly connections?: readonly (Kept & { readonly name: string })[];
};

const day = 86_400_000;
/** Sessions of one piece of work. */
const sessionsAtOnce = 200;
/** Dropping a partition locks its table for a moment: whoever records waits no longer than this, ms, and then we give way. */
const lockTimeout = 100;
const pauses = [0, 200, 500, 1_000] as const;

const none = z.object({});
const rangeRow = z.object({ first: count });

/** As the present round sees it. */
type Round = { readonly moment: Date; readonly periods: Periods };
/** How long one kind of thing is kept, ms: by connection, and of all others. */
type Periods = { readonly names: readonly string[]; readonly ms: readonly number[]; readonly usual: number };

/**
 * Several gateways may do so at once; they take turns. What is open, in flight or was used lately stays whole, whatever the age of its beginning;
 * a session that is held stays until it is released, and what goes beside it goes without it.
 * @throws GatewayError when the database does not answer, or does not come to rest; what was not done now is done in the next round
 */
export const retain = async (rows: Rows, clock: () => Date, retention: Retention): Promise<void> => {
  // Of two clocks the one that is behind: a gateway that is ahead of its time deletes nothing.
  const now = Math.min(
    clock().getTime(),
    (await rows.ask((db) => db.oneFirst(sql.type(z.object({ now: time }))`SELECT clock_timestamp() AS now`))).getTime(),
  );
  const moment = new Date(now);
  // Bodies never outlive their receipts.
  const bodies = periodsOf(retention, ({ bodies, receipts }) => Math.min(bodies, receipts));
  await expireBodies(rows, { moment, periods: bodies });
  await expireReceipts(rows, { moment, periods: periodsOf(retention, ({ receipts }) => receipts) });
};

const periodsOf = ({ connections = [], ...usual }: Retention, period: (kept: Kept) => number): Periods => ({
  names: connections.map(({ name }) => name),
  ms: connections.map(period),
  usual: period(usual),
});

/** The first epoch that nobody has to let go of yet. */
const untilOf = ({ moment, periods: { ms, usual } }: Round): number =>
  Math.floor((moment.getTime() - Math.min(usual, ...ms)) / day);

const expireBodies = async (rows: Rows, round: Round): Promise<void> => {
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`SELECT epoch AS first FROM epochs WHERE epoch < ${untilOf(round)} ORDER BY epoch`),
  );
  for (const first of old) {
    const whole = { kind: "bodies", first, days: 1 } as const;
    while ((await insist(rows, (db) => letGo(db, round, whole))) === sessionsAtOnce);
    await finish(rows, round, whole);
  }
};

const expireReceipts = async (rows: Rows, round: Round): Promise<void> => {
  const until = untilOf(round);
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`
      -- Of partitions first, and only then of what is old: no other table's name says a date.
      WITH weeks AS MATERIALIZED (
        SELECT to_date(right(c.relname, 10), 'YYYY_MM_DD') - date '1970-01-01' AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'calls'::regclass
        UNION SELECT epoch_of(id) - epoch_of(id) % 7 FROM sessions WHERE id < first_id_of(${until})
      )
      SELECT first FROM weeks WHERE first + 7 <= ${until} ORDER BY first`),
  );
  for (const first of old) {
    const whole = { kind: "receipts", first, days: 7 } as const;
    while ((await insist(rows, (db) => letGo(db, round, whole))) === sessionsAtOnce);
    await finish(rows, round, whole);
  }
};

const standing = ({ moment, periods: { names, ms, usual } }: Round, { kind, first, days }: Whole) => sql.fragment`
  standing_of(${kind}, ${first}, ${days}, ${moment.toISOString()}::timestamptz, ${sql.array(names, "text")}, ${sql.array(ms, "int8")}, ${usual}::int8)`;

const tally = z.object({ due: count, kept: count, waiting: count });

const countOf = (db: Questions, round: Round, whole: Whole) =>
  db.one(sql.type(tally)`
    SELECT count(*) FILTER (WHERE standing = 'due')::int4 AS due, count(*) FILTER (WHERE standing = 'kept')::int4 AS kept,
      count(*) FILTER (WHERE standing = 'waiting')::int4 AS waiting FROM ${standing(round, whole)} s`);

/** Of a few sessions: says for good that their bodies are gone, or deletes them. How many they were; none while others beside them are in use. */
const letGo = async (db: Questions, round: Round, whole: Whole): Promise<number> => {
  if ((await countOf(db, round, whole)).waiting > 0) return 0;
  // Locked one by one, and looked at once more: whoever held one of them meanwhile keeps it.
  const ids = await db.anyFirst(sql.type(z.object({ id: z.string() }))`
    SELECT s.id FROM sessions s
    WHERE s.id IN (SELECT id FROM ${standing(round, whole)} d WHERE standing = 'due' ORDER BY id LIMIT ${sessionsAtOnce})
      AND s.hold IS NULL AND s.state <> 'open'
      ${whole.kind === "bodies" ? sql.fragment`AND NOT s.bodies_expired` : bodiesGone}
    ORDER BY s.id FOR UPDATE OF s`);
  if (ids.length === 0) return 0;
  const those = sql.array(ids, "uuid");
  if (whole.kind === "bodies")
    await db.query(sql.type(none)`UPDATE sessions SET bodies_expired = true WHERE id = ANY (${those})`);
  else await db.query(sql.type(none)`SELECT delete_sessions(${those})`);
  await db.query(sql.type(none)`
    INSERT INTO to_thin (kind, first) VALUES (${whole.kind}, ${whole.first}) ON CONFLICT DO NOTHING`);
  return ids.length;
};

/** Receipts go last: nothing would lead to bodies that are still there. */
const bodiesGone = sql.fragment`
  AND (s.bodies_expired OR NOT EXISTS (SELECT FROM epochs WHERE epoch = epoch_of(s.id)))`;

/** Drops the whole where nothing of it stays; where something does, puts that in its place. */
const finish = async (rows: Rows, round: Round, whole: Whole): Promise<void> => {
  const { kind, first } = whole;
  const next = await insist(rows, async (db) => {
    const { due, kept, waiting } = await countOf(db, round, whole);
    if (waiting + due > 0) return "later";
    if (kept > 0)
      return (await db.exists(sql.type(none)`SELECT FROM to_thin WHERE kind = ${kind} AND first = ${first}`))
        ? "thin"
        : "later";
    await (kind === "bodies"
      ? db.query(sql.type(none)`SELECT drop_bodies(${first})`)
      : db.query(sql.type(none)`SELECT drop_receipts(${first})`));
    await db.query(sql.type(none)`DELETE FROM to_thin WHERE kind = ${kind} AND first = ${first}`);
    await dropRests(db, whole);
    await tell(db, wordsOf(whole));
    return "later";
  });
  if (next !== "thin") return;
  const rest = await copyRest(rows, whole);
  await insist(rows, async (db) => {
    // Whoever was faster has done it already, and its rest is as whole as this one.
    const still = await db.exists(
      sql.type(none)`SELECT FROM to_thin WHERE kind = ${kind} AND first = ${first} FOR UPDATE`,
    );
    if (!still) return dropRests(db, whole);
    await takeRest(db, rest);
    await tell(db, `${wordsOf(whole)}, but for those that are held or whose connection keeps them longer`);
  });
};

const wordsOf = ({ kind, first }: Whole): string =>
  kind === "bodies"
    ? `bodies of the sessions of ${nameOf(first)}`
    : `receipts of the sessions of the week from ${nameOf(first)}`;

/** Does a piece of work alone. Gives way when others hold the tables, and tries again. */
const insist = async <T>(rows: Rows, work: (db: Questions) => Promise<T>): Promise<T> => {
  let failed: unknown;
  for (const pause of pauses) {
    await sleep(pause);
    try {
      return await rows.transact(async (db) => {
        await db.query(sql.type(none)`SELECT set_config('lock_timeout', ${String(lockTimeout)}, true)`);
        const free = await db.oneFirst(sql.type(z.object({ free: z.boolean() }))`
          SELECT pg_try_advisory_xact_lock(${lockClass}, 0) AS free`);
        if (!free) throw new Error("another gateway is at it");
        return await work(db);
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
