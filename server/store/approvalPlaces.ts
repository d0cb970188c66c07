/** Where questions were put on GitHub, and which question somebody means who writes there. */

import { sql } from "slonik";
import { z } from "zod";
import type { Answer, ApprovalState, Outline, Place } from "../model/approval.ts";
import { answerRow, outlineColumns, outlineRow, readAnswer, readOutline } from "./approvalRows.ts";
import type { Questions, Rows } from "./rows.ts";

/** What is created on GitHub for a question: one comment or issue to answer below, and one check run. */
export type Creation = "thread" | "check_run";

/** Of a place that was found on GitHub. */
export type PlaceSought = { readonly repository_id: string; readonly kind: Place["kind"] } & (
  | { readonly id: number }
  | { readonly number: number }
);

export type PullSought = { readonly repository_id: string; readonly number: number };

/** `accepted`: how many answers count in it. `sealed`: whether it shows the checkpoint that covers its session. */
export type Shown = { readonly state: ApprovalState; readonly accepted: number; readonly sealed: boolean };

export interface Places {
  /** Ids of those whose comment and check run do not show their state yet, oldest first; those that ended a day ago are left. */
  untold(): Promise<readonly string[]>;
  /** Its comment and check run show this; if there is more to show by now, it stays untold. */
  told(id: string, shown: Shown): Promise<void>;
  /** Notes, before it happens, that it is created: true unless that was noted before. */
  beginCreating(id: string, creation: Creation): Promise<boolean>;
  /** It is certain that nothing was created. */
  takeBack(id: string, creation: Creation): Promise<void>;
  /** Whether it may have been created. */
  hasBegun(id: string, creation: Creation): Promise<boolean>;
  /** The first of a kind stays; what is new there has to be shown the state. */
  addPlace(id: string, place: Place): Promise<void>;
  /** The question that stands there. */
  at(place: PlaceSought): Promise<Outline | null>;
  /** Whatever repository they belong to, newest first, at most ten. */
  withCode(code: string): Promise<readonly Outline[]>;
  /** Newest first, at most fifty. */
  ofPull(pull: PullSought): Promise<readonly Outline[]>;
  /** Questions to jobs' people that are live or ended a few minutes ago, oldest first, at most a thousand. */
  watched(): Promise<readonly Outline[]>;
  /** True for whoever hears of it first. */
  hear(key: string): Promise<boolean>;
  /** Whether a comment or press was dealt with. */
  isHeard(key: string): Promise<boolean>;
  /** What was said to an attempt, and of which approval. */
  answerTo(key: string): Promise<{ readonly approval_id: string; readonly answer: Answer } | null>;
  /** True once in the life of an approval that has ended: whoever is told so makes it known. */
  noteEnd(id: string): Promise<boolean>;
}

const none = z.object({});
const idRow = z.object({ id: z.uuid() });

export const createPlaces = (rows: Rows): Places => ({
  untold: () =>
    rows.ask((db) =>
      db.anyFirst(sql.type(idRow)`
        SELECT a.id FROM approvals a
        WHERE a.told IS DISTINCT FROM a.state AND (a.decided_at IS NULL OR a.decided_at > clock_timestamp() - interval '1 day')
        ORDER BY a.id`),
    ),

  told: (id, { state, accepted, sealed }) =>
    rows.ask(async (db) => {
      await db.query(sql.type(none)`
        UPDATE approvals a SET told = ${state} WHERE a.id = ${id}
          AND ${sealed} = EXISTS (
            SELECT FROM seals z JOIN log_checkpoints k ON k.size > z.log_index WHERE z.session_id = a.session_id)
          AND (SELECT count(*) FROM approval_answers w WHERE w.approval_id = ${id} AND w.accepted) = ${accepted}`);
    }),

  beginCreating: async (id, creation) => {
    const begun = await rows.ask((db) =>
      db.any(sql.type(z.object({ kind: z.string() }))`
        INSERT INTO place_attempts (approval_id, kind) VALUES (${id}, ${creation}) ON CONFLICT DO NOTHING RETURNING kind`),
    );
    return begun.length === 1;
  },

  takeBack: (id, creation) =>
    rows.ask(async (db) => {
      await db.query(sql.type(none)`DELETE FROM place_attempts WHERE approval_id = ${id} AND kind = ${creation}`);
    }),

  hasBegun: (id, creation) =>
    rows.ask((db) =>
      db.exists(sql.type(none)`SELECT FROM place_attempts WHERE approval_id = ${id} AND kind = ${creation}`),
    ),

  addPlace: (id, place) => rows.transact((db) => addPlace(db, id, place)),

  at: async (place) => {
    const there =
      "id" in place
        ? sql.fragment`p.kind = ${place.kind} AND p.id = ${place.id}`
        : sql.fragment`p.kind = ${place.kind} AND p.number = ${place.number}`;
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(outlineRow)`
        SELECT ${outlineColumns} FROM approval_places p JOIN approvals a ON a.id = p.approval_id
        WHERE ${there} AND a.binding ->> 'repository_id' = ${place.repository_id} ORDER BY a.id DESC LIMIT 1`),
    );
    return found === null ? null : readOutline(found);
  },

  withCode: (code) =>
    outlines(rows, sql.fragment`WHERE a.code = ${code} AND a.run IS NOT NULL ORDER BY a.id DESC LIMIT 10`),

  ofPull: ({ repository_id, number }) =>
    outlines(
      rows,
      sql.fragment`
        WHERE a.binding ->> 'repository_id' = ${repository_id} AND a.binding ->> 'pull_request' = ${String(number)}
        ORDER BY a.id DESC LIMIT 50`,
    ),

  watched: () =>
    outlines(
      rows,
      sql.fragment`
        WHERE (a.state IN ('pending', 'approved') OR a.decided_at > clock_timestamp() - interval '5 minutes') AND a.run IS NOT NULL
        ORDER BY a.id LIMIT 1000`,
    ),

  hear: async (key) => {
    const first = await rows.ask((db) =>
      db.any(sql.type(z.object({ key: z.string() }))`
        INSERT INTO heard (key) VALUES (${key}) ON CONFLICT DO NOTHING RETURNING key`),
    );
    return first.length === 1;
  },

  isHeard: (key) => rows.ask((db) => db.exists(sql.type(none)`SELECT FROM heard WHERE key = ${key}`)),

  answerTo: async (key) => {
    const row = await rows.ask((db) =>
      db.maybeOne(sql.type(answerRow.extend({ approval_id: z.uuid() }))`
        SELECT approval_id, verdict, by, via, at, accepted, reason, asked_grant FROM approval_answers WHERE key = ${key}
        ORDER BY at LIMIT 1`),
    );
    if (row === null) return null;
    const { approval_id, ...answer } = row;
    return { approval_id, answer: readAnswer(answer) };
  },

  noteEnd: async (id) => {
    const noted = await rows.ask((db) =>
      db.any(sql.type(idRow)`
        UPDATE approvals SET end_noted = true
        WHERE id = ${id} AND NOT end_noted AND state NOT IN ('pending', 'approved') RETURNING id`),
    );
    return noted.length === 1;
  },
});

const outlines = async (rows: Rows, which: ReturnType<typeof sql.fragment>): Promise<readonly Outline[]> => {
  const found = await rows.ask((db) =>
    db.any(sql.type(outlineRow)`SELECT ${outlineColumns} FROM approvals a ${which}`),
  );
  return found.map(readOutline);
};

const addPlace = async (db: Questions, id: string, { kind, url, id: place_id, number }: Place): Promise<void> => {
  const added = await db.any(sql.type(z.object({ kind: z.string() }))`
    INSERT INTO approval_places (approval_id, kind, url, id, number) VALUES (${id}, ${kind}, ${url}, ${place_id}, ${number})
    ON CONFLICT DO NOTHING RETURNING kind`);
  if (added.length > 0) await db.query(sql.type(none)`UPDATE approvals SET told = NULL WHERE id = ${id}`);
};
