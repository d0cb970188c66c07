/** Reading what was recorded: the calls of a session in their order, one call, the bytes of a body. */

import { sql } from "slonik";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import { effects } from "../model/decision.ts";
import { accessClasses } from "../model/operation.ts";
import type { StoredCall, StoredMessage } from "../model/receipt.ts";
import type { Bodies } from "./bodies.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { count, type Rows, time } from "./rows.ts";

export type Side = "request" | "response";
export type StoredBodyMeta = NonNullable<StoredMessage["body"]>;
export type StoredBody = { readonly meta: StoredBodyMeta; readonly stream: AsyncIterable<Buffer> };

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

/** What a body's `json` column holds; its digest and spill have columns of their own, to be joined by. */
export const bodyColumn = z.object({
  size: count,
  content_type: z.string().nullable(),
  encoding: z.string().nullable(),
  truncated: z.boolean(),
  /** The bytes are in `bodies`. */
  kept: z.boolean(),
  /** Why nothing of it is kept although it was there. */
  withheld: z.string().exactOptional(),
});

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
  request_sha256: z.instanceof(Buffer).nullable(),
  request_spill: z.uuid().nullable(),
  response_headers: headers.nullable(),
  response_body: bodyColumn.nullable(),
  response_sha256: z.instanceof(Buffer).nullable(),
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
    CASE WHEN e.request_body IS NULL THEN c.request_sha256 ELSE e.request_sha256 END AS request_sha256,
    CASE WHEN e.request_body IS NULL THEN c.request_spill ELSE e.request_spill END AS request_spill,
    e.response_headers, e.response_body, e.response_sha256, e.response_spill, e.response_decision
  FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n`;

/** `<session>/<n>` */
const callName = z.string().regex(/^[0-9a-f-]{36}\/\d{1,9}$/);

export const createReceipts = (rows: Rows, bodies: Bodies): Receipts => {
  const call = async (session_id: string, n: number): Promise<StoredCall | null> => {
    if (!z.uuid().safeParse(session_id).success || !z.int32().safeParse(n).success) return null;
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(callRow)`${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n = ${n}`),
    );
    return found === null ? null : readCall(found);
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
      return cutPage(found.map(readCall), page, (last) => writeCursor("calls", last.n));
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
      return cutPage(found.map(readCall), page, (last) => writeCursor("values", `${last.session_id}/${last.n}`));
    },
    body: async (session_id, n, side) => {
      const meta = (await call(session_id, n))?.[side]?.body ?? null;
      if (meta === null || meta.id === null) return null;
      return { meta, stream: bodies.read(meta.id) };
    },
  };
};

const readCall = (row: CallRow): StoredCall => {
  const { request_headers, request_body, request_sha256, request_spill, ...afterRequest } = row;
  const { response_headers, response_body, response_sha256, response_spill, ...rest } = afterRequest;
  return {
    ...rest,
    request: { headers: request_headers, body: readBody(request_body, request_sha256, request_spill) },
    response:
      response_headers === null
        ? null
        : { headers: response_headers, body: readBody(response_body, response_sha256, response_spill) },
  };
};

const readBody = (
  body: z.infer<typeof bodyColumn> | null,
  sha256: Buffer | null,
  spill: string | null,
): StoredMessage["body"] => {
  if (body === null || sha256 === null) return null;
  const { kept, ...meta } = body;
  return { ...meta, sha256, id: spill ?? (kept ? sha256.toString("hex") : null) };
};
