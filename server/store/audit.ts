/** The audit log: never waits, never grows without bound, and says how much it had to leave out. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import { type AuditEvent, auditKinds, type StoredAuditEvent } from "../model/audit.ts";
import type { Log } from "../model/log.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { type Rows, time } from "./rows.ts";

export interface Audit {
  /** Takes the event and returns at once; it is written within moments, as soon as the database is there. */
  append(event: AuditEvent): void;
  /** Resolves when the event is durable. @throws GatewayError when it cannot be written */
  write(event: AuditEvent): Promise<void>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<StoredAuditEvent> | ApiRefusal>;
  /** Writes what is waiting, for at most two seconds. */
  close(): Promise<void>;
}

/** Events that wait at most; a flood of refusals beyond it is counted and left out. */
const mostWaiting = 1_000;
const batchSize = 200;
/** Longest text of a field, characters. */
const longest = 4_000;
const retryAfter = 500;
const closeWithin = 2_000;

const eventRow = z.object({
  id: z.uuid(),
  at: time,
  kind: z.enum(auditKinds),
  who: z.string(),
  what: z.string(),
  reason: z.string(),
});

export type AuditParts = { readonly rows: Rows; readonly clock: () => Date; readonly log: Log };

export const createAudit = ({ rows, clock, log }: AuditParts): Audit => {
  let waiting: StoredAuditEvent[] = [];
  let dropped = 0;
  let writing: Promise<void> | null = null;
  let closed = false;

  const stamp = (event: AuditEvent): StoredAuditEvent => ({ ...event, id: uuidv7(), at: clock() });

  const write = async (): Promise<void> => {
    while (waiting.length > 0 || dropped > 0) {
      if (dropped > 0 && waiting.length < mostWaiting) {
        const reason = `${dropped} events came faster than they could be written`;
        waiting.push(stamp({ kind: "events_dropped", who: "gateway", what: "audit log", reason }));
        dropped = 0;
      }
      const batch = waiting.slice(0, batchSize);
      try {
        await rows.ask((db) => db.query(insertEvents(batch)));
        waiting = waiting.slice(batch.length);
      } catch (error) {
        if (closed) return;
        log.warn({ err: error, waiting: waiting.length }, "audit events wait for the database");
        await sleep(retryAfter, undefined, { ref: false });
      }
    }
  };

  const startWriting = (): void => {
    writing ??= write().finally(() => {
      writing = null;
      // An event may have come after the last look and before this line.
      if (waiting.length > 0 && !closed) startWriting();
    });
  };

  return {
    append: (event) => {
      if (waiting.length >= mostWaiting) dropped += 1;
      else waiting.push(stamp(event));
      startWriting();
    },
    write: async (event) => {
      await rows.ask((db) => db.query(insertEvents([stamp(event)])));
    },
    list: async (page) => {
      const start = readCursor("audit", z.uuid(), page.cursor);
      if (isApiRefusal(start)) return start;
      const found = await rows.ask((db) =>
        db.any(sql.type(eventRow)`
          SELECT id, at, kind, who, what, reason FROM audit_events
          WHERE (${start.after}::uuid IS NULL OR id < ${start.after}::uuid) ORDER BY id DESC LIMIT ${rowsFor(page)}`),
      );
      return cutPage(found, page, (last) => writeCursor("audit", last.id));
    },
    close: async () => {
      closed = true;
      await Promise.race([writing, sleep(closeWithin, undefined, { ref: false })]);
      if (waiting.length > 0) log.error({ lost: waiting.length }, "audit events could not be written before the end");
    },
  };
};

/** Written again after an answer that was lost, an event is still there once: its id is its own. */
const insertEvents = (events: readonly StoredAuditEvent[]) => sql.type(z.object({}))`
  INSERT INTO audit_events (id, at, kind, who, what, reason)
  SELECT * FROM ${sql.unnest(
    events.map(({ id, at, kind, who, what, reason }) => [
      id,
      at.toISOString(),
      kind,
      plain(who),
      plain(what),
      plain(reason),
    ]),
    ["uuid", "timestamptz", "text", "text", "text", "text"],
  )}
  ON CONFLICT (id) DO NOTHING`;

/** PostgreSQL's text holds no NUL. */
const plain = (text: string): string => text.replaceAll("\0", "\uFFFD").slice(0, longest);
