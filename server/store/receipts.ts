/** Reading what was recorded: the calls of a session in their order, one call, the bytes of a body. */

import { sql } from "slonik";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import type { StoredCall, StoredMessage } from "../model/receipt.ts";
import type { Bodies } from "./bodies.ts";
import { callRow, callsAfter, callsWithEnds, readCalls } from "./callRows.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import type { Rows } from "./rows.ts";

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

/** `<session>/<n>` */
const callName = z.string().regex(/^[0-9a-f-]{36}\/\d{1,9}$/);

export const createReceipts = (rows: Rows, bodies: Bodies): Receipts => {
  const call = async (session_id: string, n: number): Promise<StoredCall | null> => {
    if (!z.uuid().safeParse(session_id).success || !z.int32().safeParse(n).success) return null;
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(callRow)`${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n = ${n}`),
    );
    return found === null ? null : ((await readCalls(rows, [found]))[0] ?? null);
  };
  return {
    call,
    calls: async (session_id, page) => {
      const start = readCursor("calls", z.int32(), page.cursor);
      if (isApiRefusal(start)) return start;
      if (!z.uuid().safeParse(session_id).success) return { items: [], next_cursor: null };
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`${callsAfter(session_id, start.after ?? 0, rowsFor(page))}`),
      );
      return cutPage(await readCalls(rows, found), page, (last) => writeCursor("calls", last.n));
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
      return cutPage(await readCalls(rows, found), page, (last) =>
        writeCursor("values", `${last.session_id}/${last.n}`),
      );
    },
    body: async (session_id, n, side) => {
      const meta = (await call(session_id, n))?.[side]?.body ?? null;
      if (meta === null || meta.id === null) return null;
      return { meta, stream: meta.expired ? null : bodies.read(meta.id) };
    },
  };
};
