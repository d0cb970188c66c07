/** Reading what was recorded: the calls of a session in their order, one call, the bytes of a body. */

import { sql } from "slonik";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import { effects } from "../model/decision.ts";
import { accessClasses } from "../model/operation.ts";
import type { StoredCall, StoredMessage } from "../model/receipt.ts";
import type { Bodies } from "./bodies.ts";
import { type BodyRow, bodyColumn, findStored, type Stored, storedBody } from "./storedBodies.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { count, type Rows, time } from "./rows.ts";

export type Side = "request" | "response";
export type StoredBodyMeta = NonNullable<StoredMessage["body"]>;
/** Without a stream, the body has expired. */
export type StoredBody = { readonly meta: StoredBodyMeta; readonly stream: AsyncIterable<Buffer> | null };

export interface Receipts {
  /** By number, the first first. */
  calls(session_id: string, page: PageRequest): Promise<Page<StoredCall> | ApiRefusal>;
  /** Null when there is none, or the session's id is no UUID. */
  call(session_id: string, n: number): Promise<StoredCall | null>;
  /** Calls in which a value with one of these keyed hashes (16 bytes) was masked, the newest first. */
  withValue(hashes: readonly Buffer[], page: PageRequest): Promise<Page<StoredCall> | ApiRefusal>;
  /** The stored bytes of one body; null when the call has none. */
  body(session_id: string, n: number, side: Side): Promise<StoredBody | null>;
}

const headers = z.array(z.tuple([z.string(), z.string()]));
const matchedRule = z.object({ name: z.string(), effect: z.enum(effects), reason: z.string() });

const nearRule = z.object({ name: z.string(), effect: z.enum(effects), clause: z.string() });
const decision = z.object({
  effect: z.enum([...effects, "observe"]),
  rules: z.array(matchedRule),
  near: z.array(nearRule).exactOptional(),
  tokens: z.array(z.object({ kind: z.string(), path: z.string(), outcome: z.string() })).exactOptional(),
  reason: z.string(),
  policy: z.string(),
});

const callRow = z.object({
  session_id: z.uuid(),
  n: count,
  operation: z.string(),
  access: z.enum(accessClasses),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  decision,
  client: z.string().nullable(),
  approval_id: z.uuid().nullable(),
  received_at: time,
  decided_at: time,
  state: z.enum(["open", "closed", "refused", "indeterminate"]),
  status: count.nullable(),
  error_code: z.string().nullable(),
  error: z.string().nullable(),
  upstream: z.string().nullable(),
  forwarded_at: time.nullable(),
  first_byte_at: time.nullable(),
  done_at: time.nullable(),
  request_headers: headers,
  request_body: bodyColumn.nullable(),
  request_digest: z.instanceof(Buffer).nullable(),
  request_spill: z.uuid().nullable(),
  response_headers: headers.nullable(),
  response_body: bodyColumn.nullable(),
  response_digest: z.instanceof(Buffer).nullable(),
  response_spill: z.uuid().nullable(),
  response_decision: decision.nullable(),
});
type CallRow = z.infer<typeof callRow>;

/** The request's body is in the closing when it was still arriving at the opening. */
const callsWithEnds = sql.fragment`
  SELECT c.session_id, c.n, c.operation, c.access, c.method, c.host, c.path, c.query, c.decision, c.client,
    c.approval_id, c.received_at, c.decided_at, coalesce(e.state, 'open') AS state, e.status, e.error_code, e.error, e.upstream,
    e.forwarded_at, e.first_byte_at, e.done_at, c.request_headers,
    coalesce(e.request_body, c.request_body) AS request_body,
    CASE WHEN e.request_body IS NULL THEN c.request_digest ELSE e.request_digest END AS request_digest,
    CASE WHEN e.request_body IS NULL THEN c.request_spill ELSE e.request_spill END AS request_spill,
    e.response_headers, e.response_body, e.response_digest, e.response_spill, e.response_decision
  FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n`;

/** `<session>/<n>` */
const callName = z.string().regex(/^[0-9a-f-]{36}\/\d{1,9}$/);

export const createReceipts = (rows: Rows, bodies: Bodies): Receipts => {
  const readCalls = async (found: readonly CallRow[]): Promise<StoredCall[]> => {
    const stored = await findStored(rows, found.flatMap(bodiesOf));
    return found.map((row) => readCall(row, stored));
  };
  const call = async (session_id: string, n: number): Promise<StoredCall | null> => {
    if (!z.uuid().safeParse(session_id).success || !z.int32().safeParse(n).success) return null;
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(callRow)`${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n = ${n}`),
    );
    return found === null ? null : ((await readCalls([found]))[0] ?? null);
  };
  return {
    call,
    calls: async (session_id, page) => {
      const start = readCursor("calls", z.int32(), page.cursor);
      if (isApiRefusal(start)) return start;
      if (!z.uuid().safeParse(session_id).success) return { items: [], next_cursor: null };
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`
          ${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n > ${start.after ?? 0} ORDER BY c.n LIMIT ${rowsFor(page)}`),
      );
      return cutPage(await readCalls(found), page, (last) => writeCursor("calls", last.n));
    },
    withValue: async (hashes, page) => {
      const start = readCursor("values", callName, page.cursor);
      if (isApiRefusal(start)) return start;
      const [session_id = null, n = null] = start.after?.split("/") ?? [];
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`
          ${callsWithEnds}
          WHERE (c.session_id, c.n) IN (
            SELECT session_id, n FROM masked_values WHERE hash = ANY (${sql.array(hashes, "bytea")})
          ) AND (${session_id}::uuid IS NULL OR (c.session_id, c.n) < (${session_id}::uuid, ${n}::text::int4))
          ORDER BY c.session_id DESC, c.n DESC LIMIT ${rowsFor(page)}`),
      );
      return cutPage(await readCalls(found), page, (last) => writeCursor("values", `${last.session_id}/${last.n}`));
    },
    body: async (session_id, n, side) => {
      const meta = (await call(session_id, n))?.[side]?.body ?? null;
      if (meta === null || meta.id === null) return null;
      return { meta, stream: meta.expired ? null : bodies.read(meta.id) };
    },
  };
};

const bodiesOf = (row: CallRow): BodyRow[] => [requestOf(row), responseOf(row)];

const requestOf = ({ session_id, request_body, request_digest, request_spill }: CallRow): BodyRow => ({
  session_id,
  body: request_body,
  digest: request_digest,
  spill: request_spill,
});

const responseOf = ({ session_id, response_body, response_digest, response_spill }: CallRow): BodyRow => ({
  session_id,
  body: response_body,
  digest: response_digest,
  spill: response_spill,
});

const readCall = (row: CallRow, stored: Stored): StoredCall => {
  const { request_headers, request_body: _1, request_digest: _2, request_spill: _3, ...afterRequest } = row;
  const { response_headers, response_body: _4, response_digest: _5, response_spill: _6, ...rest } = afterRequest;
  return {
    ...rest,
    request: { headers: request_headers, body: storedBody(requestOf(row), stored) },
    response:
      response_headers === null ? null : { headers: response_headers, body: storedBody(responseOf(row), stored) },
  };
};
