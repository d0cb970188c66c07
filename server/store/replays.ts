/** Replays and what became of their calls; a replay that no gateway is at any more is said to be interrupted. */

import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import {
  type CleanUp,
  outcomes,
  type Outcome,
  paces,
  type Replay,
  type ReplayedCall,
  type ReplayState,
  replayStates,
} from "../model/replay.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { count, type Rows, time } from "./rows.ts";

export type NewReplay = Pick<
  Replay,
  "session_id" | "own_session_id" | "connection" | "sandbox" | "by" | "options" | "calls"
>;

/** A replayed call with what its recorded one was. */
export type ReplayedCallRow = ReplayedCall & {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly recorded_status: number | null;
};

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface Replays {
  begin(replay: NewReplay): Promise<Replay>;
  get(id: string): Promise<Replay | null>;
  /** Those of a session, the newest first. */
  ofSession(session_id: string, page: PageRequest): Promise<Page<Replay> | ApiRefusal>;
  /** Also says that somebody is at it. False when it is not running any more: whoever is at it stops. */
  note(id: string, calls: readonly ReplayedCall[]): Promise<boolean>;
  /** Leaves one that has ended as it is. */
  end(id: string, state: Exclude<ReplayState, "running">, reason: string): Promise<void>;
  calls(
    id: string,
    page: PageRequest & { readonly outcome?: Outcome | undefined },
  ): Promise<Page<ReplayedCallRow> | ApiRefusal>;
  /** False when somebody else is at it, or it was done before. */
  beginCleanUp(id: string): Promise<boolean>;
  noteCleanUp(id: string, cleanup: CleanUp): Promise<void>;
  /** Says `interrupted` of what no gateway is at any more; runs every second by itself. */
  interruptSilent(): Promise<void>;
}

const cleanUp = z.object({
  state: z.enum(["running", "done", "interrupted"]),
  deleted: z.number(),
  missing: z.number(),
  failed: z.number(),
  reasons: z.array(z.string()),
});
const options = z.object({
  pace: z.enum(paces),
  dry_run: z.boolean(),
  stop_on_difference: z.boolean(),
  masked: z.enum(["stand-in", "restore"]),
});
const replayRow = z.object({
  id: z.uuid(),
  session_id: z.uuid(),
  own_session_id: z.uuid().nullable(),
  connection: z.string(),
  sandbox: z.string(),
  by: z.string(),
  options,
  state: z.enum(replayStates),
  reason: z.string(),
  started_at: time,
  ended_at: time.nullable(),
  calls: count,
  same: count,
  different: count,
  failed: count,
  skipped: count,
  planned: count,
  cleanup: cleanUp.nullable(),
});
const difference = z.object({ path: z.string(), recorded: z.string().nullable(), replayed: z.string().nullable() });
const callRow = z.object({
  n: count,
  own_n: count.nullable(),
  outcome: z.enum(outcomes),
  reason: z.string(),
  status: count.nullable(),
  differences: z.array(difference).nullable(),
  operation: z.string(),
  method: z.string(),
  path: z.string(),
  recorded_status: count.nullable(),
});
const idRow = z.object({ id: z.uuid() });

const columns = sql.fragment`r.id, r.session_id, r.own_session_id, r.connection, r.sandbox, r.by, r.options, r.state, r.reason, r.started_at, r.ended_at, r.calls, r.same, r.different, r.failed, r.skipped, r.planned, r.cleanup`;

export const createReplays = (
  rows: Rows,
  { clock, monotonic }: { readonly clock: () => Date; readonly monotonic: () => number },
): Replays => {
  const silence = new Silence(rows, monotonic);
  return {
    begin: (replay) =>
      rows.ask((db) =>
        db.one(sql.type(replayRow)`
          INSERT INTO replays AS r (id, session_id, own_session_id, connection, sandbox, by, options, started_at, calls)
          VALUES (${uuidv7()}, ${replay.session_id}, ${replay.own_session_id}, ${replay.connection}, ${replay.sandbox}, ${replay.by},
            ${JSON.stringify(replay.options)}::json, ${clock().toISOString()}::timestamptz, ${replay.calls})
          RETURNING ${columns}`),
      ),

    get: async (id) =>
      z.uuid().safeParse(id).success
        ? rows.ask((db) => db.maybeOne(sql.type(replayRow)`SELECT ${columns} FROM replays r WHERE r.id = ${id}`))
        : null,

    ofSession: async (session_id, page) => {
      const start = readCursor("replays", z.uuid(), page.cursor);
      if (isApiRefusal(start)) return start;
      const found = await rows.ask((db) =>
        db.any(sql.type(replayRow)`
          SELECT ${columns} FROM replays r
          WHERE r.session_id = ${session_id} AND (${start.after}::uuid IS NULL OR r.id < ${start.after}::uuid)
          ORDER BY r.id DESC LIMIT ${rowsFor(page)}`),
      );
      return cutPage(found, page, (last) => writeCursor("replays", last.id));
    },

    note: (id, calls) => note(rows, id, calls),

    end: async (id, state, reason) => {
      await rows.ask((db) =>
        db.query(sql.type(idRow)`
          UPDATE replays SET state = ${state}, reason = ${reason}, ended_at = greatest(started_at, ${clock().toISOString()}::timestamptz)
          WHERE id = ${id} AND state = 'running'`),
      );
    },

    calls: async (id, page) => {
      const start = readCursor("replay calls", z.int32(), page.cursor);
      if (isApiRefusal(start)) return start;
      const found = await rows.ask((db) =>
        db.any(sql.type(callRow)`
          SELECT p.n, p.own_n, p.outcome, p.reason, p.status, p.differences, c.operation, c.method, c.path, e.status AS recorded_status
          FROM (
            SELECT * FROM replay_calls WHERE replay_id = ${id} AND n > ${start.after ?? 0}
              AND (${page.outcome ?? null}::text IS NULL OR outcome = ${page.outcome ?? null}::text)
            ORDER BY n LIMIT ${rowsFor(page)}
          ) p JOIN replays r ON r.id = p.replay_id JOIN calls c ON c.session_id = r.session_id AND c.n = p.n
          LEFT JOIN closings e ON e.session_id = r.session_id AND e.n = p.n
          ORDER BY p.n`),
      );
      return cutPage(found, page, (last) => writeCursor("replay calls", last.n));
    },

    beginCleanUp: async (id) => {
      const begun = await rows.ask((db) =>
        db.any(sql.type(idRow)`
          UPDATE replays SET beat = beat + 1, cleanup = ${JSON.stringify(nothingCleaned)}::json
          WHERE id = ${id} AND state <> 'running'
            AND (cleanup IS NULL OR cleanup ->> 'state' = 'interrupted' OR (cleanup ->> 'state' = 'done' AND (cleanup ->> 'failed')::int > 0))
          RETURNING id`),
      );
      return begun.length === 1;
    },

    noteCleanUp: async (id, cleanup) => {
      await rows.ask((db) =>
        db.query(sql.type(idRow)`
          UPDATE replays SET beat = beat + 1, cleanup = ${JSON.stringify(cleanup)}::json
          WHERE id = ${id} AND cleanup ->> 'state' = 'running'`),
      );
    },

    interruptSilent: () => silence.interrupt(),
  };
};

const nothingCleaned: CleanUp = { state: "running", deleted: 0, missing: 0, failed: 0, reasons: [] };

/** In one commit with what they add to its counts. */
const note = (rows: Rows, id: string, calls: readonly ReplayedCall[]): Promise<boolean> =>
  rows.transact(async (db) => {
    const running = await db.any(sql.type(idRow)`
      UPDATE replays SET beat = beat + 1, same = same + ${countOf(calls, "same")}, different = different + ${countOf(calls, "different")},
        failed = failed + ${countOf(calls, "failed")}, skipped = skipped + ${countOf(calls, "skipped")},
        planned = planned + ${countOf(calls, "planned")}
      WHERE id = ${id} AND state = 'running' RETURNING id`);
    if (running.length === 0) return false;
    if (calls.length > 0)
      await db.query(sql.type(idRow)`
        INSERT INTO replay_calls (replay_id, n, own_n, outcome, reason, status, differences)
        SELECT ${id}, n, own_n, outcome, reason, status, differences::json FROM ${sql.unnest(
          calls.map(({ n, own_n, outcome, reason, status, differences }) => [
            n,
            own_n,
            outcome,
            reason.replaceAll("\0", "\uFFFD"),
            status,
            differences === null ? null : JSON.stringify(differences),
          ]),
          ["int4", "int4", "text", "text", "int4", "text"],
        )} AS c (n, own_n, outcome, reason, status, differences)`);
    return true;
  });

const countOf = (calls: readonly ReplayedCall[], outcome: Outcome): number =>
  calls.filter((call) => call.outcome === outcome).length;

/** Whoever is at a replay says so every second; one that says nothing for so long, ms, while this gateway looked, has nobody. */
const grace = 10_000;
/** A look vouches for no more time, ms, than this: the database may have been away. */
const mostPerLook = 2_000;

const beating = z.object({ id: z.uuid(), beat: count, is_running: z.boolean() });

/** By this process's own time: no clock of another machine counts. */
class Silence {
  readonly #rows: Rows;
  readonly #monotonic: () => number;
  #lookedAt: number | null = null;
  #silences = new Map<string, { readonly beat: number; readonly lasts: number }>();

  constructor(rows: Rows, monotonic: () => number) {
    this.#rows = rows;
    this.#monotonic = monotonic;
  }

  async interrupt(): Promise<void> {
    const found = await this.#rows.ask((db) =>
      db.any(sql.type(beating)`
        SELECT id, beat, state = 'running' AS is_running FROM replays
        WHERE state = 'running' OR cleanup ->> 'state' = 'running'`),
    );
    const now = this.#monotonic();
    const passed = this.#lookedAt === null ? 0 : Math.min(mostPerLook, now - this.#lookedAt);
    this.#lookedAt = now;
    const before = this.#silences;
    this.#silences = new Map(
      found.map(({ id, beat }) => {
        const known = before.get(id);
        return [id, { beat, lasts: known?.beat === beat ? known.lasts + passed : 0 }];
      }),
    );
    for (const { id, beat, is_running } of found)
      if ((this.#silences.get(id)?.lasts ?? 0) >= grace) await this.#say(id, beat, is_running ? "replay" : "cleanup");
  }

  async #say(id: string, beat: number, what: "replay" | "cleanup"): Promise<void> {
    const reason =
      "the gateway that was at it ended; what it sent is in the replay's own session, and nobody sends the rest";
    await this.#rows.ask((db) =>
      what === "replay"
        ? db.query(sql.type(idRow)`
            UPDATE replays SET state = 'interrupted', reason = ${reason}, ended_at = greatest(started_at, clock_timestamp())
            WHERE id = ${id} AND beat = ${beat} AND state = 'running'`)
        : db.query(sql.type(idRow)`
            UPDATE replays SET cleanup = (cleanup::jsonb || '{"state": "interrupted"}')::json
            WHERE id = ${id} AND beat = ${beat} AND cleanup ->> 'state' = 'running'`),
    );
  }
}
