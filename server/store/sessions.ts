/** Sessions, the digests of their tokens, and the identity tokens that were used up. */

import { createHash } from "node:crypto";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal, GatewayError } from "../errors.ts";
import type { Caller } from "../model/caller.ts";
import { homeOf } from "../model/ownCaller.ts";
import type { Hold, Session, SessionGrant, SessionState } from "../model/session.ts";
import { cutPage, type Page, type PageRequest, readCursor, rowsFor, writeCursor } from "./cursor.ts";
import { doToEach, count, type Rows, time } from "./rows.ts";
import { firstCheckpoint } from "./seals.ts";

export type NewSession = {
  readonly caller: Caller;
  readonly connection: string;
  /** What a renewal must be equal in: issuer, subject, run. */
  readonly binding: Readonly<Record<string, string>>;
  /** SHA-256 of the session token. */
  readonly token_digest: Buffer;
  readonly expires_at: Date;
};

export type SessionFilter = {
  readonly state?: SessionState | undefined;
  readonly connection?: string | undefined;
  /** Only those of these repositories, as `newestCallers` names them. */
  readonly repositories?: readonly string[] | undefined;
};

/** Whether its bodies were still there when it was held. */
export type HeldSession = { readonly session: Session; readonly bodies: "kept" | "expired" };

export type RepositoryCaller = {
  /** Issuer and id. */
  readonly repository: string;
  readonly caller: Caller;
};

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface Sessions {
  open(session: NewSession): Promise<Session>;
  /** Null when there is none, or `id` is no UUID. */
  get(id: string): Promise<Session | null>;
  /** Newest first. */
  list(page: PageRequest & SessionFilter): Promise<Page<Session> | ApiRefusal>;
  /** The newest caller of each repository that ever opened a session, those used last first. */
  newestCallers(most: number): Promise<readonly RepositoryCaller[]>;
  /** What the token with this SHA-256 stands for, expired ones included until they are swept a day later. */
  findByToken(digest: Buffer): Promise<(SessionGrant & { readonly state: SessionState }) | null>;
  /** A further token for an open session. @throws GatewayError `session_closed` */
  addToken(session_id: string, digest: Buffer, expires_at: Date): Promise<void>;
  /** Ends an open session; one that is not open stays as it is. @throws GatewayError `session_closed` when there is none. */
  close(id: string, state: Exclude<SessionState, "open">): Promise<Session>;
  /** Ends open sessions that were not used since, unless a call of theirs is on its way, or waits for people. Returns their ids. */
  closeIdle(before: Date): Promise<readonly string[]>;
  /** Keeps it, whatever its age, until it is released; null when there is none (any more). One that is held stays held as it was. */
  hold(id: string, hold: Omit<Hold, "at">): Promise<HeldSession | null>;
  /** Lets retention have it again. Null when there is none. */
  release(id: string): Promise<Session | null>;
  /** Uses an identity token up: false when it was used before, at whichever gateway. */
  useTokenId(issuer: string, token_id: string, expires_at: Date): Promise<boolean>;
}

export const caller: z.ZodType<Caller> = z.object({
  issuer: z.string(),
  issuer_name: z.string(),
  subject: z.string(),
  groups: z.array(z.string()),
  claims: z.record(z.string(), z.unknown()),
});
const state = z.enum(["open", "closed", "expired"]);

const hold = z.object({ by: z.string(), at: z.string().transform((text) => new Date(text)), reason: z.string() });

const sessionRow = z.object({
  id: z.uuid(),
  connection: z.string(),
  caller,
  state,
  opened_at: time,
  closed_at: time.nullable(),
  calls: count,
  denied: count,
  approved: count,
  masked: count,
  hold: hold.nullable(),
});
const sealedRow = sessionRow.extend({
  seal_head: z.string().nullable(),
  sealed_at: time.nullable(),
  log_index: count.nullable(),
  checkpoint: z.string().nullable(),
});
const grantRow = z.object({ session_id: z.uuid(), connection: z.string(), caller, expires_at: time, state });
const idRow = z.object({ id: z.uuid() });

const columns = sql.fragment`s.id, s.connection, s.caller, s.state, s.opened_at, s.closed_at, s.calls, s.denied, s.approved, s.masked, s.hold`;
const instant = (date: Date) => sql.fragment`${date.toISOString()}::timestamptz`;

export const createSessions = (rows: Rows, clock: () => Date): Sessions => ({
  open: async ({ caller, connection, binding, token_digest, expires_at }) => {
    const opened = await rows.ask((db) =>
      db.one(sql.type(sessionRow)`
        WITH s AS (
          INSERT INTO sessions (id, connection, caller, repository, binding, opened_at, last_used_at)
          VALUES (${uuidv7()}, ${connection}, ${JSON.stringify(caller)}::json, ${repositoryOf(caller)}, ${JSON.stringify(binding)}::json,
            ${instant(clock())}, clock_timestamp())
          RETURNING *
        ), token AS (
          INSERT INTO session_tokens (digest, session_id, expires_at)
          SELECT ${sql.binary(token_digest)}, id, ${instant(expires_at)} FROM s
        )
        SELECT ${columns} FROM s`),
    );
    return { ...opened, seal: null };
  },

  get: async (id) => {
    if (!z.uuid().safeParse(id).success) return null;
    const found = await rows.ask((db) => db.maybeOne(selectSession(id)));
    return found === null ? null : withSeal(found);
  },

  list: async (page) => {
    const start = readCursor("sessions", z.uuid(), page.cursor);
    if (isApiRefusal(start)) return start;
    const found = await rows.ask((db) =>
      db.any(sql.type(sealedRow)`
        SELECT ${columns}, ${sealColumns} FROM sessions s LEFT JOIN seals z ON z.session_id = s.id
        WHERE (${start.after}::uuid IS NULL OR s.id < ${start.after}::uuid)
          AND s.state = coalesce(${page.state ?? null}, s.state)
          AND s.connection = coalesce(${page.connection ?? null}, s.connection)
          AND ${page.repositories === undefined ? sql.fragment`true` : sql.fragment`s.repository = ANY (${sql.array(page.repositories, "text")})`}
        ORDER BY s.id DESC LIMIT ${rowsFor(page)}`),
    );
    return cutPage(found.map(withSeal), page, (last) => writeCursor("sessions", last.id));
  },

  // Jumps from one repository to the next by the index, whatever the number of sessions.
  newestCallers: (most) =>
    rows.ask((db) =>
      db.any(sql.type(z.object({ repository: z.string(), caller }))`
        WITH RECURSIVE newest AS (
          (SELECT repository, id FROM sessions WHERE repository IS NOT NULL ORDER BY repository, id DESC LIMIT 1)
          UNION ALL
          SELECT further.repository, further.id FROM newest, LATERAL (
            SELECT s.repository, s.id FROM sessions s WHERE s.repository > newest.repository ORDER BY s.repository, s.id DESC LIMIT 1
          ) further
        )
        SELECT n.repository, s.caller FROM newest n JOIN sessions s ON s.id = n.id ORDER BY n.id DESC LIMIT ${most}`),
    ),

  findByToken: (digest) =>
    rows.ask((db) =>
      db.maybeOne(sql.type(grantRow)`
        SELECT t.session_id, s.connection, s.caller, t.expires_at, s.state
        FROM session_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.digest = ${sql.binary(digest)}`),
    ),

  addToken: async (session_id, digest, expires_at) => {
    const added = await rows.ask((db) =>
      db.any(sql.type(idRow)`
        WITH s AS (
          UPDATE sessions SET last_used_at = clock_timestamp() WHERE id = ${session_id} AND state = 'open' RETURNING id
        )
        INSERT INTO session_tokens (digest, session_id, expires_at)
        SELECT ${sql.binary(digest)}, id, ${instant(expires_at)} FROM s RETURNING session_id AS id`),
    );
    if (added.length === 0) throw new GatewayError("session_closed", `session ${session_id} is not open`);
  },

  close: async (id, state) => {
    const closed = await rows.transact(async (db) => {
      await db.query(sql.type(idRow)`
        UPDATE sessions SET state = ${state}, closed_at = greatest(opened_at, ${instant(clock())})
        WHERE id = ${id} AND state = 'open' RETURNING id`);
      return db.maybeOne(selectSession(id));
    });
    if (closed === null) throw new GatewayError("session_closed", `there is no session ${id}`);
    return withSeal(closed);
  },

  closeIdle: async (before) => {
    // Uses are timed by the database's clock, so only the distance counts.
    const idle = idleFor(clock().getTime() - before.getTime());
    const close = (ids: ReturnType<typeof sql.fragment>): Promise<readonly string[]> =>
      rows.ask((db) =>
        db.anyFirst(sql.type(idRow)`
          UPDATE sessions SET state = 'expired', closed_at = greatest(opened_at, ${instant(clock())})
          WHERE id IN (SELECT s.id FROM sessions s WHERE ${idle} AND ${ids} ORDER BY s.id FOR UPDATE SKIP LOCKED) RETURNING id`),
      );
    return doToEach({
      all: () => close(sql.fragment`true`),
      due: () =>
        rows.ask((db) => db.anyFirst(sql.type(idRow)`SELECT s.id FROM sessions s WHERE ${idle} ORDER BY s.id`)),
      one: (id) => close(sql.fragment`s.id = ${id}`),
    });
  },

  hold: (id, { by, reason }) =>
    rows.transact(async (db) => {
      // Waits for whoever lets go of it just now, and sees what became of it.
      const held = await db.maybeOneFirst(sql.type(z.object({ bodies_expired: z.boolean() }))`
        UPDATE sessions SET hold = coalesce(hold, ${JSON.stringify({ by, at: clock().toISOString(), reason })}::json)
        WHERE id = ${id} RETURNING bodies_expired`);
      if (held === null) return null;
      const session = withSeal(await db.one(selectSession(id)));
      return { session, bodies: held ? "expired" : "kept" };
    }),

  release: (id) =>
    rows.transact(async (db) => {
      await db.query(sql.type(idRow)`UPDATE sessions SET hold = NULL WHERE id = ${id} RETURNING id`);
      const found = await db.maybeOne(selectSession(id));
      return found === null ? null : withSeal(found);
    }),

  useTokenId: async (issuer, token_id, expires_at) => {
    const digest = createHash("sha256")
      .update(JSON.stringify([issuer, token_id]))
      .digest();
    const used = await rows.ask((db) =>
      db.any(sql.type(z.object({ used: z.literal(true) }))`
        INSERT INTO used_token_ids (digest, expires_at) VALUES (${sql.binary(digest)}, ${instant(expires_at)})
        ON CONFLICT DO NOTHING RETURNING true AS used`),
    );
    return used.length === 1;
  },
});

/** Nothing happens in it, and nobody is asked about it. */
const idleFor = (ms: number) => sql.fragment`
  s.state = 'open' AND s.last_used_at < clock_timestamp() - ${ms} * interval '1 millisecond'
  AND NOT EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id)
  AND NOT EXISTS (SELECT FROM approvals a WHERE a.session_id = s.id
    AND a.state IN ('pending', 'approved') AND a.expires_at > clock_timestamp())`;

const sealColumns = sql.fragment`encode(z.head, 'hex') AS seal_head, z.sealed_at, z.log_index, ${firstCheckpoint} AS checkpoint`;

/** Issuer and id: ids of one server mean nothing on another. */
const repositoryOf = (caller: Caller): string | null => {
  const { issuer, claims } = homeOf(caller);
  const { repository_id: id } = claims;
  return typeof id === "string" && /^\d{1,20}$/.test(id) ? `${issuer} ${id}` : null;
};

const selectSession = (id: string) => sql.type(sealedRow)`
  SELECT ${columns}, ${sealColumns} FROM sessions s LEFT JOIN seals z ON z.session_id = s.id WHERE s.id = ${id}`;

/** The seal says what the session says: neither changes any more. */
const withSeal = ({ seal_head, sealed_at, log_index, checkpoint, ...session }: z.infer<typeof sealedRow>): Session => {
  const { id, calls, state } = session;
  const isSealed = seal_head !== null && sealed_at !== null && state !== "open";
  const seal = isSealed ? { session_id: id, calls, head: seal_head, state, sealed_at, log_index, checkpoint } : null;
  return { ...session, seal };
};
