/** Questions to people, their answers, and the one call that each lets pass; every step is one commit, whichever gateway takes it. */

import { randomBytes } from "node:crypto";
import { sql } from "slonik";
import { z } from "zod";
import { type ApiRefusal, GatewayError, isApiRefusal } from "../errors.ts";
import type { Answer, Approval, ApprovalState } from "../model/approval.ts";
import type { CallNumber } from "../model/receipt.ts";
import { approvalColumns, approvalRow, answerRow, readAnswer, readApproval } from "./approvalRows.ts";
import { createPlaces, type Places } from "./approvalPlaces.ts";
import { createStandings, type Standings } from "./approvalStandings.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { type Departures, createDepartures } from "./departures.ts";
import { doToEach, count, type Questions, type Rows } from "./rows.ts";

/** What is asked; the rest comes with time. */
export type NewApproval = Omit<
  Approval,
  "state" | "call" | "consumed_by" | "decided_at" | "reason" | "where" | "answers" | "asked_at" | "expires_at"
>;

export type AnswerAttempt = {
  /** Names the comment or the button press: `comment:815`, `check:4711:approve`, `page:` and a UUID. */
  readonly key: string;
  /** As it was weighed; under the lock it may turn out to come too late. */
  readonly answer: Omit<Answer, "at">;
};

export type Answered = {
  readonly approval: Approval;
  readonly answer: Answer;
  readonly how: "new" | "repeated";
};

/** Those of runs in these repositories, or those of no repository that ask one of these groups. */
export type SeenApprovals =
  | { readonly kind: "repositories"; readonly repositories: readonly string[] }
  | { readonly kind: "groups"; readonly groups: readonly string[] };

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface Approvals extends Departures, Places, Standings {
  /** What an identical request would join. */
  findLive(session_id: string, request_digest: string): Promise<Approval | null>;
  /** Of any number of identical questions exactly one is new. @throws GatewayError `session_closed` */
  ask(asked: NewApproval): Promise<{ readonly approval: Approval; readonly how: "new" | "joined" }>;
  /** Notes the call that asked first. */
  attach(id: string, call: CallNumber): Promise<void>;
  /** Null when there is none, or `id` is no UUID. */
  get(id: string): Promise<Approval | null>;
  /** Newest first. */
  list(
    page: PageRequest & {
      readonly state?: ApprovalState | undefined;
      readonly session_id?: string | undefined;
      /** Only these. */
      readonly seen?: SeenApprovals | undefined;
    },
  ): Promise<Page<Approval> | ApiRefusal>;
  /** Those that wait for an answer, of all or only of these. */
  countPending(seen?: SeenApprovals): Promise<number>;
  /** Pending and approved ones, oldest first, at most a thousand. */
  live(): Promise<readonly Approval[]>;
  /** One attempt counts once. Deny is final; approved when as many different people as the rule asks have said so. */
  answer(id: string, attempt: AnswerAttempt): Promise<Answered>;
  /** Ends one that is live; null when it was not. */
  end(id: string, state: "expired" | "stale" | "cancelled", reason: string): Promise<Approval | null>;
  /** Ends those whose time is over, by the database's clock; their ids. */
  expire(): Promise<readonly string[]>;
  /** True when this holder may do that work for so long, ms; again to go on. One taken in the future, before the clock was set back, is nobody's. */
  lease(name: string, holder: string, ms: number): Promise<boolean>;
  /** The same random bytes at every gateway of this database, made by the first that asks. */
  agreedKey(name: string): Promise<Buffer>;
}

/** However late the answer came, the client that sends again has this long to use it, ms. */
const useWithin = 5 * 60_000;

const idRow = z.object({ id: z.uuid() });
const none = z.object({});
const pendingRow = z.object({ pending: count });

/** In SQL, so that no cursor names, and no page is cut by, what somebody may not see. */
const seenBy = (seen: SeenApprovals | undefined) => {
  if (seen === undefined) return sql.fragment`true`;
  return seen.kind === "repositories"
    ? sql.fragment`a.run->>'repository_id' = ANY (${sql.array(seen.repositories, "text")})`
    : sql.fragment`a.run IS NULL AND a.binding->>'repository_id' IS NULL
        AND (a.terms->'approvers'->'groups')::jsonb ?| ${sql.array(seen.groups, "text")}`;
};

export const createApprovals = (rows: Rows): Approvals => {
  const selectOne = async (db: Questions, id: string): Promise<Approval | null> => {
    const row = await db.maybeOne(sql.type(approvalRow)`SELECT ${approvalColumns} FROM approvals a WHERE a.id = ${id}`);
    return row === null ? null : readApproval(row);
  };
  const get = (id: string): Promise<Approval | null> =>
    z.uuid().safeParse(id).success ? rows.ask((db) => selectOne(db, id)) : Promise.resolve(null);
  const existing = async (db: Questions, id: string): Promise<Approval> => {
    const found = await selectOne(db, id);
    if (found === null) throw new Error(`approval ${id} is gone`);
    return found;
  };
  const findLiveIn = async (db: Questions, session_id: string, request_digest: string): Promise<Approval | null> => {
    const row = await db.maybeOne(sql.type(approvalRow)`
      SELECT ${approvalColumns} FROM approvals a
      WHERE a.session_id = ${session_id} AND a.request_digest = ${digestOf(request_digest)}
        AND a.state IN ('pending', 'approved') AND a.expires_at > clock_timestamp()`);
    return row === null ? null : readApproval(row);
  };

  return {
    ...createDepartures(rows),
    ...createPlaces(rows),
    ...createStandings(rows),
    get,
    findLive: (session_id, request_digest) => rows.ask((db) => findLiveIn(db, session_id, request_digest)),

    ask: (asked) =>
      rows.transact(async (db) => {
        // Ends of sessions wait for this lock, and cancel what was asked under it.
        const open = await db.maybeOne(sql.type(idRow)`
          SELECT id FROM sessions WHERE id = ${asked.session_id} AND state = 'open' FOR SHARE`);
        if (open === null) throw new GatewayError("session_closed", `session ${asked.session_id} is not open`);
        await endOverdue(db, asked);
        const inserted = await insert(db, asked);
        if (inserted) return { approval: await existing(db, asked.id), how: "new" } as const;
        const joined = await findLiveIn(db, asked.session_id, asked.request_digest);
        if (joined === null)
          throw new GatewayError("recording_unavailable", "the question ended while it was joined; send it again");
        return { approval: joined, how: "joined" } as const;
      }),

    attach: (id, call) =>
      rows.ask(async (db) => {
        await db.query(sql.type(none)`UPDATE approvals SET call_n = ${call.n} WHERE id = ${id} AND call_n IS NULL`);
      }),

    list: async (page) => {
      const start = readCursor("approvals", z.uuid(), page.cursor);
      if (isApiRefusal(start)) return start;
      const found = await rows.ask((db) =>
        db.any(sql.type(approvalRow)`
          SELECT ${approvalColumns} FROM approvals a
          WHERE (${start.after}::uuid IS NULL OR a.id < ${start.after}::uuid)
            AND a.state = coalesce(${page.state ?? null}, a.state)
            AND a.session_id = coalesce(${page.session_id ?? null}::uuid, a.session_id)
            AND ${seenBy(page.seen)}
          ORDER BY a.id DESC LIMIT ${rowsFor(page)}`),
      );
      return cutPage(found.map(readApproval), page, (last) => writeCursor("approvals", last.id));
    },

    countPending: (seen) =>
      rows.ask((db) =>
        db.oneFirst(sql.type(pendingRow)`
          SELECT count(*)::int4 AS pending FROM approvals a
          WHERE a.state = 'pending' AND a.expires_at > clock_timestamp() AND ${seenBy(seen)}`),
      ),

    live: () =>
      rows.ask(async (db) => {
        const found = await db.any(sql.type(approvalRow)`
          SELECT ${approvalColumns} FROM approvals a WHERE a.state IN ('pending', 'approved') ORDER BY a.id LIMIT 1000`);
        return found.map(readApproval);
      }),

    answer: (id, attempt) => rows.transact((db) => answerIn(db, id, attempt)),

    end: (id, state, reason) =>
      rows.transact(async (db) => {
        const ended = await db.maybeOne(sql.type(idRow)`
          UPDATE approvals SET state = ${state}, decided_at = clock_timestamp(), reason = ${reason}
          WHERE id = ${id} AND state IN ('pending', 'approved') RETURNING id`);
        return ended === null ? null : selectOne(db, id);
      }),

    expire: () =>
      doToEach({
        all: () => expireOf(rows, sql.fragment`true`),
        due: () =>
          rows.ask((db) => db.anyFirst(sql.type(idRow)`SELECT a.id FROM approvals a WHERE ${isOver} ORDER BY a.id`)),
        one: (id) => expireOf(rows, sql.fragment`a.id = ${id}`),
      }),

    lease: async (name, holder, ms) => {
      const held = await rows.ask((db) =>
        db.any(sql.type(z.object({ held: z.literal(true) }))`
          INSERT INTO leases AS l (name, holder, until, taken_at)
          VALUES (${name}, ${holder}, clock_timestamp() + ${ms} * interval '1 millisecond', clock_timestamp())
          ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, taken_at = excluded.taken_at
          WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
            OR l.taken_at > clock_timestamp() + interval '5 seconds'
          RETURNING true AS held`),
      );
      return held.length === 1;
    },

    agreedKey: (name) =>
      rows.transact(async (db) => {
        await db.query(sql.type(none)`
          INSERT INTO agreed_keys (name, bytes) VALUES (${name}, ${sql.binary(randomBytes(32))}) ON CONFLICT DO NOTHING`);
        return db.oneFirst(sql.type(z.object({ bytes: z.instanceof(Buffer) }))`
          SELECT bytes FROM agreed_keys WHERE name = ${name}`);
      }),
  };
};

const unanswered = "nobody answered in time";
const unused = "it was approved, and not used in time";

const isOver = sql.fragment`a.state IN ('pending', 'approved') AND a.expires_at <= clock_timestamp()`;

const expireOf = (rows: Rows, which: ReturnType<typeof sql.fragment>): Promise<readonly string[]> =>
  rows.ask((db) =>
    db.anyFirst(sql.type(idRow)`
      UPDATE approvals SET state = 'expired', decided_at = clock_timestamp(),
        reason = CASE state WHEN 'pending' THEN ${unanswered} ELSE ${unused} END
      WHERE id IN (SELECT a.id FROM approvals a WHERE ${isOver} AND ${which} ORDER BY a.id FOR UPDATE SKIP LOCKED) RETURNING id`),
  );

const digestOf = (hex: string) => sql.binary(Buffer.from(hex, "hex"));

/** One whose time is over must not keep an identical request from asking again until somebody sweeps. */
const endOverdue = async (db: Questions, { session_id, request_digest }: NewApproval): Promise<void> => {
  await db.query(sql.type(none)`
    UPDATE approvals SET state = 'expired', decided_at = clock_timestamp(),
      reason = CASE state WHEN 'pending' THEN ${unanswered} ELSE ${unused} END
    WHERE session_id = ${session_id} AND request_digest = ${digestOf(request_digest)}
      AND state IN ('pending', 'approved') AND expires_at <= clock_timestamp()`);
};

const insert = async (db: Questions, asked: NewApproval): Promise<boolean> => {
  const inserted = await db.any(sql.type(idRow)`
    INSERT INTO approvals (id, session_id, connection, operation, code, digest, request_digest, terms, binding, run, question,
      asked_at, expires_at)
    VALUES (${asked.id}, ${asked.session_id}, ${asked.connection}, ${asked.operation}, ${asked.code}, ${digestOf(asked.digest)},
      ${digestOf(asked.request_digest)}, ${JSON.stringify(asked.terms)}::json, ${JSON.stringify(asked.binding)}::json,
      ${asked.run === null ? null : JSON.stringify(asked.run)}::json, ${JSON.stringify(asked.question)}::json,
      clock_timestamp(), clock_timestamp() + ${asked.terms.expires} * interval '1 millisecond')
    ON CONFLICT (session_id, request_digest) WHERE state IN ('pending', 'approved') DO NOTHING
    RETURNING id`);
  return inserted.length === 1;
};

/** Under the row's lock: the state that an answer meets is the one it changes. */
const answerIn = async (db: Questions, id: string, { key, answer }: AnswerAttempt): Promise<Answered> => {
  const row = await db.maybeOne(sql.type(approvalRow)`
    SELECT ${approvalColumns} FROM approvals a WHERE a.id = ${id} FOR UPDATE OF a`);
  if (row === null) throw new Error(`there is no approval ${id}`);
  const before = readApproval(row);
  const repeated = await db.maybeOne(sql.type(answerRow)`
    SELECT verdict, by, via, at, accepted, reason, asked_grant FROM approval_answers WHERE approval_id = ${id} AND key = ${key}`);
  if (repeated !== null) return { approval: before, answer: readAnswer(repeated), how: "repeated" };

  const late = answer.accepted ? await tooLate(db, before) : null;
  const accepted = answer.accepted && late === null;
  const stored = await db.one(sql.type(answerRow)`
    INSERT INTO approval_answers (approval_id, key, verdict, by, via, accepted, reason, asked_grant)
    VALUES (${id}, ${key}, ${answer.verdict}, ${answer.by}, ${answer.via}, ${accepted}, ${late ?? answer.reason},
      ${answer.grant === null ? null : JSON.stringify(answer.grant)}::json)
    RETURNING verdict, by, via, at, accepted, reason, asked_grant`);
  if (accepted) await apply(db, before, readAnswer(stored));
  const after = await db.one(sql.type(approvalRow)`SELECT ${approvalColumns} FROM approvals a WHERE a.id = ${id}`);
  return { approval: readApproval(after), answer: readAnswer(stored), how: "new" };
};

const tooLate = async (db: Questions, approval: Approval): Promise<string | null> => {
  if (approval.state !== "pending") return `the question is ${approval.state} already`;
  const over = await db.oneFirst(sql.type(z.object({ over: z.boolean() }))`
    SELECT clock_timestamp() >= ${approval.expires_at.toISOString()}::timestamptz AS over`);
  return over ? "the question has expired" : null;
};

const apply = async (db: Questions, before: Approval, answer: Answer): Promise<void> => {
  if (answer.verdict === "deny") {
    const words = answer.reason === "" ? "" : `: ${answer.reason}`;
    await db.query(sql.type(none)`
      UPDATE approvals SET state = 'denied', decided_at = clock_timestamp(), reason = ${`denied by ${answer.by}${words}`}
      WHERE id = ${before.id}`);
    return;
  }
  const people = new Set([answer, ...before.answers].flatMap((one) => (counts(one) ? [one.by.toLowerCase()] : [])));
  if (people.size < before.terms.approvers.count) {
    // Its comment shows how many it still needs.
    await db.query(sql.type(none)`UPDATE approvals SET told = NULL WHERE id = ${before.id}`);
    return;
  }
  await db.query(sql.type(none)`
    UPDATE approvals SET state = 'approved', decided_at = clock_timestamp(),
      expires_at = greatest(expires_at, clock_timestamp() + ${useWithin} * interval '1 millisecond'),
      reason = ${`approved by ${[...people].toSorted().join(", ")}`}
    WHERE id = ${before.id}`);
};

const counts = (answer: Answer): boolean => answer.accepted && answer.verdict === "approve";
