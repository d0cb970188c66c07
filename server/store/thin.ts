/** Lets a part of a day's bodies or a week's receipts go: what stays is copied in small pieces, then put in the place of the whole at once. */

import { randomBytes } from "node:crypto";
import { sql } from "slonik";
import { z } from "zod";
import { count, type Questions, type Rows } from "./rows.ts";

export type Kind = "bodies" | "receipts";
export type Whole = { readonly kind: Kind; readonly first: number; readonly days: number };

/** In the order in which receipts lock these tables. */
const tablesOf = {
  bodies: ["bodies", "spills", "body_chunks"],
  receipts: ["calls", "closings", "phrases", "masked_values"],
} as const;

/** Calls of one piece, chunks of 256 KiB of one piece, and rows that are small. */
const callsAtOnce = 100;
const chunksAtOnce = 64;
const rowsAtOnce = 5_000;

const none = z.object({});
const callRow = z.object({
  session_id: z.string(),
  n: count,
  digests: z.array(z.instanceof(Buffer).nullable()),
  spills: z.array(z.uuid().nullable()),
  phrases: z.array(z.instanceof(Buffer).nullable()),
});
type CallRow = z.infer<typeof callRow>;

type Rest = { readonly whole: Whole; name(table: string): string; drop(db: Questions): Promise<void> };

/** The copies, under names of their own: whoever else is at it fails or comes second, and nobody takes what is not complete. One that is not taken is dropped. */
export const withRest = async (rows: Rows, whole: Whole, take: (rest: Rest) => Promise<void>): Promise<void> => {
  const attempt = randomBytes(4).toString("hex");
  const name = (table: string): string => `rest_${table}_${whole.first}_${attempt}`;
  const drop = async (db: Questions): Promise<void> => {
    for (const parent of tablesOf[whole.kind])
      await db.query(sql.type(none)`DROP TABLE IF EXISTS ${table(name(parent))}`);
  };
  const rest = { whole, name, drop };
  try {
    await copyRest(rows, rest);
    await take(rest);
  } catch (error) {
    // Round after round that fails would else leave one more copy of what stays.
    await rows.ask(drop).catch(() => undefined);
    throw error;
  }
};

const copyRest = async (rows: Rows, rest: Rest): Promise<void> => {
  const { whole, name } = rest;
  await rows.transact(async (db) => {
    for (const parent of tablesOf[whole.kind])
      await db.query(sql.type(none)`SELECT make_rest(${parent}, ${name(parent)}, ${whole.first}, ${whole.days})`);
  });
  let after: CallRow | null = null;
  for (;;) {
    const found: readonly CallRow[] = await rows.ask((db) => nextCalls(db, whole, after));
    await (whole.kind === "bodies" ? copyBodies(rows, rest, found) : copyReceipts(rows, rest, found));
    after = found.at(-1) ?? null;
    if (found.length < callsAtOnce) break;
  }
  if (whole.kind === "bodies") return;
  await copyMaskedValues(rows, rest);
  await forgetPlaces(rows, whole);
};

/** In the transaction that has looked once more whether this is to be done. */
export const takeRest = async (db: Questions, { whole, name }: Rest): Promise<void> => {
  const { kind, first, days } = whole;
  // Before the tables that receipts are written into are locked.
  await db.query(sql.type(none)`SELECT index_again(${first}, ${days})`);
  for (const table of tablesOf[kind])
    await db.query(sql.type(none)`SELECT take_rest(${table}, ${name(table)}, ${first}, ${days})`);
  await db.query(sql.type(none)`DELETE FROM to_thin WHERE kind = ${kind} AND first = ${first}`);
  await dropRests(db, whole);
};

export const dropRests = async (db: Questions, { kind, first }: Whole): Promise<void> => {
  for (const table of tablesOf[kind])
    await db.query(sql.type(none)`SELECT drop_rests(${`rest\\_${table.replaceAll("_", "\\_")}\\_${first}\\_%`})`);
};

/** Of sessions that stay: nothing of theirs changes any more, and no other one comes to them. */
const nextCalls = (db: Questions, { kind, first, days }: Whole, after: CallRow | null) =>
  db.any(sql.type(callRow)`
    SELECT c.session_id, c.n, ARRAY[c.request_digest, e.request_digest, e.response_digest] AS digests,
      ARRAY[c.request_spill, e.request_spill, e.response_spill] AS spills, ARRAY[c.phrase, e.phrase] AS phrases
    FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n
    WHERE c.session_id >= first_id_of(${first}) AND c.session_id < first_id_of(${first + days})
      AND (${after?.session_id ?? null}::uuid IS NULL OR (c.session_id, c.n) > (${after?.session_id ?? null}::uuid, ${after?.n ?? 0}))
      AND EXISTS (SELECT FROM sessions s WHERE s.id = c.session_id ${kind === "bodies" ? sql.fragment`AND NOT s.bodies_expired` : sql.fragment``})
    ORDER BY c.session_id, c.n LIMIT ${callsAtOnce}`);

const known = <T>(values: readonly (T | null)[]): readonly T[] => values.filter((value) => value !== null);

const copyBodies = async (rows: Rows, { whole, name }: Rest, calls: readonly CallRow[]): Promise<void> => {
  const digests = sql.array(known(calls.flatMap((call) => call.digests)), "bytea");
  const spills = [...new Set(known(calls.flatMap((call) => call.spills)))];
  await rows.ask(async (db) => {
    await db.query(sql.type(none)`
      INSERT INTO ${table(name("bodies"))} SELECT * FROM bodies WHERE epoch = ${whole.first} AND digest = ANY (${digests})
      ON CONFLICT DO NOTHING`);
    await db.query(sql.type(none)`
      INSERT INTO ${table(name("spills"))} SELECT * FROM spills WHERE id = ANY (${sql.array(spills, "uuid")}) ON CONFLICT DO NOTHING`);
  });
  for (const spill of spills)
    for (let from = 0; ; from += chunksAtOnce) {
      const copied = await rows.ask((db) =>
        db.query(sql.type(none)`
          INSERT INTO ${table(name("body_chunks"))}
          SELECT * FROM body_chunks WHERE spill = ${spill} AND seq >= ${from} AND seq < ${from + chunksAtOnce} ON CONFLICT DO NOTHING`),
      );
      if (copied.rowCount < chunksAtOnce) break;
    }
};

const copyReceipts = async (rows: Rows, { whole, name }: Rest, calls: readonly CallRow[]): Promise<void> => {
  const ids = sql.array(
    calls.map(({ session_id }) => session_id),
    "uuid",
  );
  const numbers = sql.array(
    calls.map(({ n }) => n),
    "int4",
  );
  const phrases = sql.array(known(calls.flatMap((call) => call.phrases)), "bytea");
  await rows.ask(async (db) => {
    for (const parent of ["calls", "closings"])
      await db.query(sql.type(none)`
        INSERT INTO ${table(name(parent))} SELECT t.* FROM ${table(parent)} t
        JOIN unnest(${ids}, ${numbers}) AS wanted (session_id, n) ON t.session_id = wanted.session_id AND t.n = wanted.n
        ON CONFLICT DO NOTHING`);
    await db.query(sql.type(none)`
      INSERT INTO ${table(name("phrases"))} SELECT * FROM phrases WHERE week = ${whole.first} AND digest = ANY (${phrases})
      ON CONFLICT DO NOTHING`);
  });
};

const valueRow = z.object({ hash: z.instanceof(Buffer), session_id: z.string(), n: count });

/** They are found by hash, not by session: the partition is walked through once. */
const copyMaskedValues = async (rows: Rows, { whole: { first, days }, name }: Rest): Promise<void> => {
  let after: z.infer<typeof valueRow> | null = null;
  for (;;) {
    const [hash, session_id, n] = [after?.hash ?? Buffer.alloc(0), after?.session_id ?? null, after?.n ?? 0];
    const found: readonly z.infer<typeof valueRow>[] = await rows.ask((db) =>
      db.any(sql.type(valueRow)`
        WITH piece AS MATERIALIZED (
          SELECT * FROM masked_values
          WHERE session_id >= first_id_of(${first}) AND session_id < first_id_of(${first + days})
            AND (${session_id}::uuid IS NULL OR (hash, session_id, n) > (${sql.binary(hash)}, ${session_id}::uuid, ${n}))
          ORDER BY hash, session_id, n LIMIT ${rowsAtOnce}
        ), copied AS (
          INSERT INTO ${table(name("masked_values"))} SELECT p.* FROM piece p WHERE EXISTS (SELECT FROM sessions s WHERE s.id = p.session_id)
          ON CONFLICT DO NOTHING
        )
        SELECT hash, session_id, n FROM piece ORDER BY hash DESC, session_id DESC, n DESC LIMIT 1`),
    );
    const last = found[0];
    if (last === undefined) return;
    after = last;
  }
};

const placeRow = z.object({ epoch: count, place: count });

/** Of sessions that are gone: a few at a time beforehand, so that what is done while nobody may write takes a moment only. */
const forgetPlaces = async (rows: Rows, { first, days }: Whole): Promise<void> => {
  let after: z.infer<typeof placeRow> = { epoch: first, place: -1 };
  for (;;) {
    const { epoch, place } = after;
    const last = await rows.ask((db) =>
      db.maybeOne(sql.type(placeRow)`
        WITH piece AS MATERIALIZED (
          SELECT epoch, place, session_id FROM search_places
          WHERE epoch >= ${first} AND epoch < ${first + days} AND (epoch, place) > (${epoch}, ${place}) ORDER BY epoch, place LIMIT ${rowsAtOnce}
        ), gone AS (
          DELETE FROM search_places p USING piece w
          WHERE p.epoch = w.epoch AND p.place = w.place AND NOT EXISTS (SELECT FROM sessions s WHERE s.id = w.session_id)
        )
        SELECT epoch, place FROM piece ORDER BY epoch DESC, place DESC LIMIT 1`),
    );
    if (last === null) return;
    after = last;
  }
};

const table = (name: string) => sql.identifier([name]);
