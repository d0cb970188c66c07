/** Which sessions undid which: nothing is done for a session in two of them at a time. */

import { sql } from "slonik";
import { z } from "zod";
import type { Rows } from "./rows.ts";
import { caller } from "./sessions.ts";

export type UndoSession = {
  readonly id: string;
  /** Who has it undone. */
  readonly subject: string;
  readonly state: "open" | "closed" | "expired";
  /** What is at it, or died at it. */
  readonly run: string | null;
};

export interface Undos {
  /** The first first. */
  of(session_id: string): Promise<readonly UndoSession[]>;
  add(undo: { readonly id: string; readonly session_id: string; readonly run: string }): Promise<void>;
  /** Null: nothing is at it any more. */
  setRun(id: string, run: string | null): Promise<void>;
}

const row = z.object({
  id: z.uuid(),
  caller,
  state: z.enum(["open", "closed", "expired"]),
  run: z.uuid().nullable(),
});
const none = z.object({});

export const createUndos = (rows: Rows): Undos => ({
  of: async (session_id) => {
    const found = await rows.ask((db) =>
      db.any(sql.type(row)`
        SELECT u.id, s.caller, s.state, u.run FROM undos u JOIN sessions s ON s.id = u.id
        WHERE u.session_id = ${session_id} ORDER BY u.id`),
    );
    return found.map(({ caller: { subject }, ...undo }) => ({ ...undo, subject }));
  },
  add: async ({ id, session_id, run }) => {
    await rows.ask((db) =>
      db.query(sql.type(none)`INSERT INTO undos (id, session_id, run) VALUES (${id}, ${session_id}, ${run})`),
    );
  },
  setRun: async (id, run) => {
    await rows.ask((db) => db.query(sql.type(none)`UPDATE undos SET run = ${run} WHERE id = ${id}`));
  },
});
