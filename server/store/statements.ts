/** The SQL of a batch of receipts: one statement a table, one binary array a column. */

import type pg from "pg";
import type { CallNumber, Closing, Opening, RecordedBody } from "../model/receipt.ts";
import type { PackedBody } from "./bodies.ts";
import type { Phrase, Phrased } from "./phrases.ts";
import { array, bytea, type Column, int4, int8, jsonText, text, timestamptz, uuid } from "./encode.ts";

/** A prepared statement with its values; the name is what PostgreSQL keeps it under. */
export type Statement = Pick<pg.QueryConfig<Buffer[]>, "name" | "text" | "values"> & { readonly text: string };

/** With the salted digests of its bodies; null where there is none. */
export type NumberedOpening = CallNumber &
  Phrased & {
    readonly opening: Opening;
    readonly in_flight: boolean;
    readonly request_digest: Buffer | null;
  };
export type NumberedClosing = CallNumber &
  Phrased & {
    readonly closing: Closing;
    readonly request_digest: Buffer | null;
    readonly response_digest: Buffer | null;
  };
/** What a session's counters grow by: `late_…` at the end of calls, which counts although the session may have ended. */
export type Growth = {
  readonly session_id: string;
  calls: number;
  denied: number;
  masked: number;
  late_denied: number;
  late_masked: number;
};
/** A session that exists; `state` and `calls` are null when somebody else holds it at the moment. */
export type Allotted = { readonly id: string; readonly state: string | null; readonly calls: number | null };
export type KeptBody = PackedBody & { readonly epoch: number; readonly digest: Buffer; readonly sha256: Buffer };

/**
 * Allots numbers: counters of sessions that are open grow, and their rows stay locked until the commit. A session that somebody
 * else has locked is passed over, so that no session ever waits for another's.
 */
export const allot = (growths: readonly Growth[]): Statement => ({
  name: "allot",
  text: `
    WITH held AS MATERIALIZED (
      SELECT id FROM sessions WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED
    ), grown AS (
      UPDATE sessions s SET
        calls = s.calls + CASE s.state WHEN 'open' THEN g.calls ELSE 0 END,
        denied = s.denied + g.late_denied + CASE s.state WHEN 'open' THEN g.denied ELSE 0 END,
        masked = s.masked + g.late_masked + CASE s.state WHEN 'open' THEN g.masked ELSE 0 END,
        last_used_at = clock_timestamp()
      FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int4[])
        AS g (id, calls, denied, masked, late_denied, late_masked) JOIN held ON held.id = g.id
      WHERE s.id = g.id
      RETURNING s.id, s.state, s.calls
    )
    SELECT s.id::text, grown.state, grown.calls FROM sessions s LEFT JOIN grown ON grown.id = s.id WHERE s.id = ANY ($1::uuid[])`,
  values: columns(growths, [
    of(uuid, (growth) => growth.session_id),
    of(int4, (growth) => growth.calls),
    of(int4, (growth) => growth.denied),
    of(int4, (growth) => growth.masked),
    of(int4, (growth) => growth.late_denied),
    of(int4, (growth) => growth.late_masked),
  ]),
});

/** Counts what a closing said that was only drawn up when its number was known; its session is locked already. */
export const countMore = (growths: readonly Growth[]): Statement => ({
  name: "count-more",
  text: `
    UPDATE sessions s SET denied = s.denied + g.denied, masked = s.masked + g.masked
    FROM unnest($1::uuid[], $2::int4[], $3::int4[]) AS g (id, denied, masked) WHERE s.id = g.id`,
  values: columns(growths, [
    of(uuid, (growth) => growth.session_id),
    of(int4, (growth) => growth.late_denied),
    of(int4, (growth) => growth.late_masked),
  ]),
});

/** Takes calls out of flight: whoever deletes the row may write the closing, nobody else. */
export const land = (calls: readonly CallNumber[]): Statement => ({
  name: "land",
  text: `
    WITH held AS MATERIALIZED (
      SELECT f.session_id, f.n FROM calls_in_flight f
      JOIN unnest($1::uuid[], $2::int4[]) AS w (session_id, n) ON w.session_id = f.session_id AND w.n = f.n
      ORDER BY f.session_id, f.n FOR UPDATE OF f
    )
    DELETE FROM calls_in_flight f USING held WHERE f.session_id = held.session_id AND f.n = held.n
    RETURNING f.session_id::text, f.n`,
  values: columns(calls, [of(uuid, (call) => call.session_id), of(int4, (call) => call.n)]),
});

export const takeOff = (calls: readonly CallNumber[], replica: number): Statement => ({
  name: `take-off-${replica}`,
  text: `
    INSERT INTO calls_in_flight (session_id, n, replica)
    SELECT session_id, n, ${replica} FROM unnest($1::uuid[], $2::int4[]) AS f (session_id, n)`,
  values: columns(calls, [of(uuid, (call) => call.session_id), of(int4, (call) => call.n)]),
});

export const insertCalls = (openings: readonly NumberedOpening[], replica: number): Statement => ({
  name: `insert-calls-${replica}`,
  text: `
    INSERT INTO calls (replica, session_id, n, operation, access, method, host, path, query, phrase, own_values,
      received_at, decided_at, request_size, request_digest, request_spill, approval_id)
    SELECT ${replica}, * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
      $8::text[], $9::bytea[], $10::json[], $11::timestamptz[], $12::timestamptz[], $13::int8[], $14::bytea[], $15::uuid[], $16::uuid[])`,
  values: columns(openings, [
    of(uuid, (call) => call.session_id),
    of(int4, (call) => call.n),
    of(text, (call) => call.opening.operation),
    of(text, (call) => call.opening.access),
    of(text, (call) => call.opening.method),
    of(text, (call) => call.opening.host),
    of(text, (call) => call.opening.path),
    of(text, (call) => call.opening.query),
    ...phraseColumns<NumberedOpening>(),
    of(timestamptz, (call) => call.opening.received_at),
    of(timestamptz, (call) => call.opening.decided_at),
    ...bodyColumns((call: NumberedOpening) => ({ body: call.opening.request.body, digest: call.request_digest })),
    of(uuid, (call) => call.opening.approval_id ?? null),
  ]),
});

export const insertClosings = (closings: readonly NumberedClosing[]): Statement => ({
  name: "insert-closings",
  text: `
    INSERT INTO closings (session_id, n, state, status, error_code, error, phrase, own_values, forwarded_at, first_byte_at, done_at,
      request_size, request_digest, request_spill, response_size, response_digest, response_spill)
    SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::int4[], $5::text[], $6::text[], $7::bytea[], $8::json[],
      $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::int8[], $13::bytea[], $14::uuid[],
      $15::int8[], $16::bytea[], $17::uuid[])`,
  values: columns(closings, [
    of(uuid, (call) => call.session_id),
    of(int4, (call) => call.n),
    of(text, (call) => call.closing.state),
    of(int4, (call) => call.closing.status),
    of(text, (call) => call.closing.error_code),
    of(text, (call) => call.closing.error),
    ...phraseColumns<NumberedClosing>(),
    of(timestamptz, (call) => call.closing.forwarded_at),
    of(timestamptz, (call) => call.closing.first_byte_at),
    of(timestamptz, (call) => call.closing.done_at),
    ...bodyColumns((call: NumberedClosing) => ({ body: call.closing.request_body, digest: call.request_digest })),
    ...bodyColumns((call: NumberedClosing) => ({
      body: call.closing.response?.body ?? null,
      digest: call.response_digest,
    })),
  ]),
});

/** Those that a batch says, each once; nearly always they are there. */
export const insertPhrases = (phrases: readonly Phrase[]): Statement => ({
  name: "insert-phrases",
  text: `
    INSERT INTO phrases (week, digest, value) SELECT * FROM unnest($1::int4[], $2::bytea[], $3::json[])
    ON CONFLICT (week, digest) DO NOTHING`,
  values: columns(
    phrases.toSorted((one, other) => one.week - other.week || one.digest.compare(other.digest)),
    [of(int4, (phrase) => phrase.week), of(bytea, (phrase) => phrase.digest), of(jsonText, (phrase) => phrase.text)],
  ),
});

/** In the order of their digests, because a row that another replica is inserting is waited for. */
export const insertBodies = (bodies: readonly KeptBody[]): Statement => ({
  name: "insert-bodies",
  text: `
    INSERT INTO bodies (epoch, digest, sha256, coding, bytes)
    SELECT * FROM unnest($1::int4[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[])
    ON CONFLICT (epoch, digest) DO NOTHING`,
  values: columns(
    bodies.toSorted((one, other) => one.epoch - other.epoch || one.digest.compare(other.digest)),
    [
      of(int4, (body) => body.epoch),
      of(bytea, (body) => body.digest),
      of(bytea, (body) => body.sha256),
      of(text, (body) => body.coding),
      of(bytea, (body) => body.bytes),
    ],
  ),
});

export type MaskedValue = CallNumber & { readonly hash: string };

/** In the order of the index, as all of a batch's rows are. */
export const insertMaskedValues = (values: readonly MaskedValue[]): Statement => ({
  name: "insert-masked-values",
  text: `
    INSERT INTO masked_values (hash, session_id, n) SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::int4[])
    ON CONFLICT DO NOTHING`,
  values: columns(
    values.toSorted((one, other) => (one.hash < other.hash ? -1 : 1)),
    [
      of(bytea, ({ hash }) => Buffer.from(hash, "base64url")),
      of(uuid, ({ session_id }) => session_id),
      of(int4, ({ n }) => n),
    ],
  ),
});

export type ClaimedSpill = { readonly spill: string; readonly sha256: Buffer };

export const claimSpills = (spills: readonly ClaimedSpill[]): Statement => ({
  name: "claim-spills",
  text: `
    UPDATE spills s SET claimed = true, sha256 = g.sha256 FROM unnest($1::uuid[], $2::bytea[]) AS g (id, sha256)
    WHERE s.id = g.id`,
  values: columns(
    spills.toSorted((one, other) => (one.spill < other.spill ? -1 : 1)),
    [of(uuid, ({ spill }) => spill), of(bytea, ({ sha256 }) => sha256)],
  ),
});

/** The batch's name, by which an ambiguous commit is settled, and a sign of life. A row that was swept away comes back. */
export const signBatch = (batch: string, replica: number): Statement => ({
  name: `sign-batch-${replica}`,
  text: `
    INSERT INTO replicas (id, last_batch, seen_at) OVERRIDING SYSTEM VALUE
    VALUES (${replica}, ($1::uuid[])[1], clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET last_batch = excluded.last_batch, seen_at = excluded.seen_at`,
  values: [array(uuid, [batch])],
});

type WriteColumn<Row> = (rows: readonly Row[]) => Buffer;

const of =
  <Row, T>(column: Column<T>, value: (row: Row) => T | null): WriteColumn<Row> =>
  (rows) =>
    array(column, rows.map(value));

const columns = <Row>(rows: readonly Row[], writers: readonly WriteColumn<Row>[]): Buffer[] =>
  writers.map((write) => write(rows));

type Digested = { readonly body: RecordedBody | null; readonly digest: Buffer | null };

const bodyColumns = <Row>(bodyOf: (row: Row) => Digested): WriteColumn<Row>[] => [
  of(int8, (row) => bodyOf(row).body?.size ?? null),
  of(bytea, (row) => bodyOf(row).digest),
  of(uuid, (row) => bodyOf(row).body?.spill ?? null),
];

const phraseColumns = <Row extends Phrased>(): WriteColumn<Row>[] => [
  of(bytea, ({ phrase }) => phrase.digest),
  of(jsonText, ({ own_values }) => (own_values === null ? null : JSON.stringify(own_values))),
];
