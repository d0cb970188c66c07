/** How a call is read back: its opening and closing in one row, their phrases, and which of its bodies are still there. */

import { sql } from "slonik";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import { accessClasses } from "../model/operation.ts";
import type { StoredCall } from "../model/receipt.ts";
import { type BodyKind, closingPhrase, distinct, joinFields, openingPhrase, weekOf } from "./phrases.ts";
import { count, type Rows, size, time } from "./rows.ts";
import { type BodyRow, findStored, type Stored, storedBody } from "./storedBodies.ts";

const digest = z.instanceof(Buffer).nullable();
const own = z.array(z.string()).nullable();

export const callRow = z.object({
  session_id: z.uuid(),
  n: count,
  operation: z.string(),
  access: z.enum(accessClasses),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  approval_id: z.uuid().nullable(),
  received_at: time,
  decided_at: time,
  state: z.enum(["open", "closed", "refused", "indeterminate"]),
  status: count.nullable(),
  error_code: z.string().nullable(),
  error: z.string().nullable(),
  forwarded_at: time.nullable(),
  first_byte_at: time.nullable(),
  done_at: time.nullable(),
  opening_phrase: z.instanceof(Buffer),
  opening_values: own,
  opening_size: size.nullable(),
  opening_digest: digest,
  opening_spill: z.uuid().nullable(),
  closing_phrase: digest,
  closing_values: own,
  request_size: size.nullable(),
  request_digest: digest,
  request_spill: z.uuid().nullable(),
  response_size: size.nullable(),
  response_digest: digest,
  response_spill: z.uuid().nullable(),
  bodies_expired: z.boolean(),
});
type CallRow = z.infer<typeof callRow>;

const columns = sql.fragment`
  SELECT c.session_id, c.n, c.operation, c.access, c.method, c.host, c.path, c.query, c.approval_id, c.received_at, c.decided_at,
    coalesce(e.state, 'open') AS state, e.status, e.error_code, e.error, e.forwarded_at, e.first_byte_at, e.done_at,
    c.phrase AS opening_phrase, c.own_values AS opening_values, c.request_size AS opening_size, c.request_digest AS opening_digest,
    c.request_spill AS opening_spill, e.phrase AS closing_phrase, e.own_values AS closing_values, e.request_size, e.request_digest,
    e.request_spill, e.response_size, e.response_digest, e.response_spill,
    coalesce((SELECT s.bodies_expired FROM sessions s WHERE s.id = c.session_id), true) AS bodies_expired`;

export const callsWithEnds = sql.fragment`
  ${columns} FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n`;

/** The first calls of a session after this one. Cut before their ends are looked for: else each page of a long session reads all of it. */
export const callsAfter = (session_id: string, after: number, most: number) => sql.fragment`
  ${columns} FROM (SELECT * FROM calls WHERE session_id = ${session_id} AND n > ${after} ORDER BY n LIMIT ${most}) c
  LEFT JOIN closings e ON e.session_id = ${session_id} AND e.n > ${after} AND e.n = c.n
  ORDER BY c.n`;

export const readCalls = async (rows: Rows, found: readonly CallRow[]): Promise<StoredCall[]> => {
  if (found.length === 0) return [];
  const phrases = await findPhrases(rows, found);
  const whole = found.map((row) => withPhrases(row, phrases));
  const stored = await findStored(
    rows,
    whole.flatMap(({ request, response }) => [request, response]),
  );
  return whole.map((call) => assemble(call, stored));
};

const phraseRow = z.object({ week: count, digest: z.instanceof(Buffer), value: z.unknown() });
const keyOf = (week: number, digest: Buffer): string => `${week}.${digest.toString("hex")}`;

/** By `keyOf`; most calls of a page say the same, and each phrase is read once. */
type Phrases = {
  readonly opening: (key: string) => z.infer<typeof openingPhrase> | undefined;
  readonly closing: (key: string) => z.infer<typeof closingPhrase> | undefined;
};

const findPhrases = async (rows: Rows, found: readonly CallRow[]): Promise<Phrases> => {
  const weeks = sql.array([...new Set(found.map(({ session_id }) => weekOf(session_id)))], "int4");
  const wanted = found.flatMap(({ opening_phrase, closing_phrase }) =>
    closing_phrase === null ? [opening_phrase] : [opening_phrase, closing_phrase],
  );
  const digests = sql.array(distinct(wanted), "bytea");
  const phrases = await rows.ask((db) =>
    db.any(sql.type(phraseRow)`
      SELECT week, digest, value FROM phrases WHERE week = ANY (${weeks}) AND digest = ANY (${digests})`),
  );
  const values = new Map(phrases.map(({ week, digest, value }) => [keyOf(week, digest), value]));
  return { opening: readOnce(values, openingPhrase), closing: readOnce(values, closingPhrase) };
};

const readOnce = <T>(values: ReadonlyMap<string, unknown>, schema: z.ZodType<T>): ((key: string) => T | undefined) => {
  const read = new Map<string, T>();
  return (key) => {
    const before = read.get(key);
    if (before !== undefined || !values.has(key)) return before;
    const now = schema.parse(values.get(key));
    read.set(key, now);
    return now;
  };
};

/** A closing that the gateway wrote for another one that was gone has no phrase. */
const silent: z.infer<typeof closingPhrase> = {
  upstream: null,
  headers: null,
  decision: null,
  request_body: null,
  response_body: null,
};

type Whole = {
  readonly row: CallRow;
  readonly opening: z.infer<typeof openingPhrase>;
  readonly closing: z.infer<typeof closingPhrase>;
  readonly request: BodyRow;
  readonly response: BodyRow;
};

const withPhrases = (row: CallRow, phrases: Phrases): Whole => {
  const { session_id, n, opening_phrase, closing_phrase } = row;
  const key = (digest: Buffer): string => keyOf(weekOf(session_id), digest);
  const opening = phrases.opening(key(opening_phrase));
  const closing = closing_phrase === null ? silent : phrases.closing(key(closing_phrase));
  if (opening === undefined || closing === undefined)
    throw new GatewayError("recording_unavailable", `call ${session_id}/${n} is not stored as a whole any more`);
  const said = { row, opening, closing };
  return { ...said, request: requestOf(said), response: responseOf(said) };
};

type Said = Pick<Whole, "row" | "opening" | "closing">;

/** It is in the closing when it was still arriving at the opening. */
const requestOf = ({ row, opening, closing }: Said): BodyRow =>
  closing.request_body === null
    ? bodyRow(row, opening.body, { size: row.opening_size, digest: row.opening_digest, spill: row.opening_spill })
    : bodyRow(row, closing.request_body, {
        size: row.request_size,
        digest: row.request_digest,
        spill: row.request_spill,
      });

const responseOf = ({ row, closing }: Said): BodyRow =>
  bodyRow(row, closing.response_body, {
    size: row.response_size,
    digest: row.response_digest,
    spill: row.response_spill,
  });

type OfBody = { readonly size: number | null; readonly digest: Buffer | null; readonly spill: string | null };

const bodyRow = ({ session_id, bodies_expired }: CallRow, kind: BodyKind | null, of: OfBody): BodyRow => ({
  session_id,
  expired: bodies_expired,
  body: kind === null || of.size === null ? null : { size: of.size, ...kind },
  digest: of.digest,
  spill: of.spill,
});

const assemble = ({ row, opening, closing, request, response }: Whole, stored: Stored): StoredCall => {
  const {
    opening_phrase: _1,
    opening_values,
    opening_size: _2,
    opening_digest: _3,
    opening_spill: _4,
    ...afterOpening
  } = row;
  const {
    closing_phrase: _5,
    closing_values,
    request_size: _6,
    request_digest: _7,
    request_spill: _8,
    ...rest
  } = afterOpening;
  const { response_size: _9, response_digest: _10, response_spill: _11, bodies_expired: _12, ...plain } = rest;
  return {
    ...plain,
    client: opening.client,
    decision: opening.decision,
    upstream: closing.upstream,
    response_decision: closing.decision,
    request: { headers: joinFields(opening.headers, opening_values), body: storedBody(request, stored) },
    response:
      closing.headers === null
        ? null
        : { headers: joinFields(closing.headers, closing_values), body: storedBody(response, stored) },
  };
};
