/** What whoever follows a session asks again and again: what began, what ended, and when to ask next. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { z } from "zod";
import type { StoredCall } from "../model/receipt.ts";
import { callRow, callsWithEnds, readCalls } from "./callRows.ts";
import type { Rows } from "./rows.ts";

export interface Following {
  /** A session that has ended and no call of which is in flight; one that is gone too. */
  isOver(session_id: string): Promise<boolean>;
  /** Calls with higher numbers than this, in their order: numbers are allotted in the order of commits, so none comes late. */
  after(session_id: string, n: number, most: number): Promise<readonly StoredCall[]>;
  /** Those of these calls that have ended. */
  ended(session_id: string, numbers: readonly number[]): Promise<readonly StoredCall[]>;
  /** Resolves when the session is said to have ended, which is a hint only, and after so many ms in any case. */
  wait(session_id: string, most: number, signal: AbortSignal): Promise<void>;
}

export const createFollowing = (rows: Rows, onEnded: (callback: (session_id: string) => void) => void): Following => {
  const waiting = new Map<string, Set<() => void>>();
  onEnded((id) => waiting.get(id)?.forEach((wake) => wake()));
  return {
    isOver: (session_id) =>
      rows.ask(
        async (db) =>
          !(await db.exists(sql.type(z.object({}))`
            SELECT FROM sessions s WHERE s.id = ${session_id}
              AND (s.state = 'open' OR EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id))`)),
      ),
    after: async (session_id, n, most) => {
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`
          ${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n > ${n} ORDER BY c.n LIMIT ${most}`),
      );
      return readCalls(rows, found);
    },
    ended: async (session_id, numbers) => {
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`
          ${callsWithEnds} WHERE c.session_id = ${session_id} AND c.n = ANY (${sql.array([...numbers], "int4")}) AND e.state IS NOT NULL ORDER BY c.n`),
      );
      return readCalls(rows, found);
    },
    wait: async (session_id, most, signal) => {
      const hinted = new AbortController();
      const wake = (): void => hinted.abort();
      const all = waiting.get(session_id) ?? new Set();
      waiting.set(session_id, all.add(wake));
      await sleep(most, undefined, { ref: false, signal: AbortSignal.any([signal, hinted.signal]) }).catch(
        () => undefined,
      );
      all.delete(wake);
      if (all.size === 0 && waiting.get(session_id) === all) waiting.delete(session_id);
    },
  };
};
