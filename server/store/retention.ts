/** Lets go of what is older than the configuration keeps: bodies day by day, receipts week by week, and the sessions with them. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { lockClass } from "./replica.ts";
import { count, type Questions, type Rows, time } from "./rows.ts";
import { dropRests, takeRest, type Whole, withRest } from "./thin.ts";

/** How long bodies and receipts are kept, ms. */
type Kept = { readonly bodies: number; readonly receipts: number };
export type Retention = Kept & {
  /** Connections that have periods of their own. */
  readonly connections?: readonly (Kept & { readonly name: string })[];
};

const day = 86_400_000;
/** Sessions of one piece of work at most; fewer where so many take the database too long. */
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
 * @throws GatewayError when the database does not answer, or something does not come to rest, after everything else was done; what was not done now
 * is done in the next round
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
  const receipts = periodsOf(retention, ({ receipts }) => receipts);
  const failed = [
    ...(await expireBodies(rows, { moment, periods: bodies })),
    ...(await expireReceipts(rows, { moment, periods: receipts })),
  ];
  const [first] = failed;
  if (first === undefined) return;
  const others = failed.length === 1 ? "" : `, and ${failed.length - 1} more days or weeks`;
  throw new GatewayError("recording_unavailable", `not dropped: ${wordsOf(first.whole)}${others}`, {
    cause: first.error,
  });
};

type Failed = { readonly whole: Whole; readonly error: unknown };

const periodsOf = ({ connections = [], ...usual }: Retention, period: (kept: Kept) => number): Periods => ({
  names: connections.map(({ name }) => name),
  ms: connections.map(period),
  usual: period(usual),
});

/** The first epoch that nobody has to let go of yet. */
const untilOf = ({ moment, periods: { ms, usual } }: Round): number =>
  Math.floor((moment.getTime() - Math.min(usual, ...ms)) / day);

const expireBodies = async (rows: Rows, round: Round): Promise<readonly Failed[]> => {
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`SELECT epoch AS first FROM epochs WHERE epoch < ${untilOf(round)} ORDER BY epoch`),
  );
  return expireEach(
    rows,
    round,
    old.map((first) => ({ kind: "bodies", first, days: 1 })),
  );
};

const expireReceipts = async (rows: Rows, round: Round): Promise<readonly Failed[]> => {
  const until = untilOf(round);
  const old = await rows.ask((db) =>
    db.anyFirst(sql.type(rangeRow)`
      -- Of our partitions first, and only then of what is old: no other table's name says a date.
      WITH weeks AS MATERIALIZED (
        SELECT CASE WHEN c.relname ~ '^calls_\\d{4}_\\d\\d_\\d\\d$' THEN to_date(right(c.relname, 10), 'YYYY_MM_DD') - date '1970-01-01' END AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'calls'::regclass
        UNION SELECT epoch_of(id) - epoch_of(id) % 7 FROM sessions WHERE id < first_id_of(${until})
      )
      SELECT first FROM weeks WHERE first + 7 <= ${until} ORDER BY first`),
  );
  return expireEach(
    rows,
    round,
    old.map((first) => ({ kind: "receipts", first, days: 7 })),
  );
};

/** What does not go keeps nothing else: somebody may stand on one partition for as long as they like. */
const expireEach = async (rows: Rows, round: Round, wholes: readonly Whole[]): Promise<readonly Failed[]> => {
  const failed: Failed[] = [];
  for (const whole of wholes)
    try {
      await letAllGo(rows, round, whole);
      await finish(rows, round, whole);
    } catch (error) {
      // Where the database itself is gone, nothing else would go either.
      await rows.ask((db) => db.query(sql.type(none)`SELECT`));
      failed.push({ whole, error });
    }
  return failed;
};

const letAllGo = async (rows: Rows, round: Round, whole: Whole): Promise<void> => {
  for (let most = sessionsAtOnce; ; )
    try {
      if ((await insist(rows, (db) => letGo(db, round, { ...whole, most }))) < most) return;
    } catch (error) {
      if (most === 1) throw error;
      most = Math.ceil(most / 5);
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
const letGo = async (db: Questions, round: Round, { most, ...whole }: Whole & { most: number }): Promise<number> => {
  if ((await countOf(db, round, whole)).waiting > 0) return 0;
  // Locked one by one, and looked at once more: whoever held one of them meanwhile keeps it.
  const ids = await db.anyFirst(sql.type(z.object({ id: z.string() }))`
    SELECT s.id FROM sessions s
    WHERE s.id IN (SELECT id FROM ${standing(round, whole)} d WHERE standing = 'due' ORDER BY id LIMIT ${most})
      AND s.hold IS NULL AND s.state <> 'open'
      ${whole.kind === "bodies" ? sql.fragment`AND NOT s.bodies_expired` : bodiesGone}
    ORDER BY s.id FOR UPDATE OF s`);
  if (ids.length === 0) return 0;
  const those = sql.array(ids, "uuid");
  if (whole.kind === "bodies")
    await db.query(sql.type(none)`UPDATE sessions SET bodies_expired = true WHERE id = ANY (${those})`);
  else await db.query(sql.type(none)`SELECT delete_sessions(${those})`);
  // Written anew also where it is there: what others copied before they knew of these is not what stays.
  await db.query(sql.type(none)`
    INSERT INTO to_thin (kind, first) VALUES (${whole.kind}, ${whole.first})
    ON CONFLICT (kind, first) DO UPDATE SET first = excluded.first`);
  return ids.length;
};

/** Receipts go last: nothing would lead to bodies that are still there. */
const bodiesGone = sql.fragment`
  AND (s.bodies_expired OR NOT EXISTS (SELECT FROM epochs WHERE epoch = epoch_of(s.id)))`;

const thinRow = z.object({ version: z.string() });

/** Which version of the row that says so: each piece of sessions that goes writes a new one. Null: nothing is to be thinned. */
const versionOf = (db: Questions, { kind, first }: Whole): Promise<string | null> =>
  db.maybeOneFirst(
    sql.type(thinRow)`SELECT xmin::text AS version FROM to_thin WHERE kind = ${kind} AND first = ${first} FOR UPDATE`,
  );

/** Drops the whole where nothing of it stays; where something does, puts that in its place. */
const finish = async (rows: Rows, round: Round, whole: Whole): Promise<void> => {
  const { kind, first } = whole;
  const version = await insist(rows, async (db) => {
    const { due, kept, waiting } = await countOf(db, round, whole);
    if (waiting + due > 0) return null;
    if (kept > 0) return versionOf(db, whole);
    await (kind === "bodies"
      ? db.query(sql.type(none)`SELECT drop_bodies(${first})`)
      : db.query(sql.type(none)`SELECT drop_receipts(${first})`));
    await db.query(sql.type(none)`DELETE FROM to_thin WHERE kind = ${kind} AND first = ${first}`);
    await dropRests(db, whole);
    await tell(db, wordsOf(whole));
    return null;
  });
  if (version === null) return;
  await withRest(rows, whole, (rest) =>
    insist(rows, async (db) => {
      const now = await versionOf(db, whole);
      // Whoever was faster has done it already, and its rest is as whole as this one.
      if (now === null) return dropRests(db, whole);
      // More has gone since it was copied, or somebody came: the next round copies what stays then.
      if (now !== version || (await countOf(db, round, whole)).waiting > 0) return rest.drop(db);
      await takeRest(db, rest);
      await tell(db, `${wordsOf(whole)}, but for those that are held or whose connection keeps them longer`);
    }),
  );
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
