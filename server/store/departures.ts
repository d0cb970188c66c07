/** The moment a held call is let go: its approval is used up, and its departure noted, in one commit. */

import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import type { Grant } from "../model/approval.ts";
import type { CallNumber } from "../model/receipt.ts";
import { type Questions, type Rows, time } from "./rows.ts";

export type NewGrant = {
  readonly operation: string;
  readonly rule: string;
  readonly policy: string;
  readonly by: string;
  /** ms from now; null: as long as the session. */
  readonly lasts: number | null;
};

export type GrantSought = Pick<Grant, "session_id" | "operation" | "rule" | "policy">;

export interface Departures {
  /**
   * Uses an approval up for a call of the same session that is in flight: true exactly once in an approval's life. Only then may the call be
   * sent. Whether a commit whose answer was lost happened is asked of the database; while that is unknown it rejects, and nothing may be sent.
   */
  consume(id: string, use: { readonly call: CallNumber; readonly grant: NewGrant | null }): Promise<boolean>;
  /** One that lets these calls pass now. */
  findGrant(sought: GrantSought): Promise<Grant | null>;
  /** The same as `consume` for a call that a grant lets pass; a grant is never used up, it ends. */
  useGrant(grant: Grant, call: CallNumber): Promise<boolean>;
}

const none = z.object({});
const idRow = z.object({ id: z.uuid() });
const grantRow = z.object({
  id: z.uuid(),
  approval_id: z.uuid(),
  session_id: z.uuid(),
  operation: z.string(),
  rule: z.string(),
  policy: z.string(),
  by: z.string(),
  expires_at: time.nullable(),
});

/** How often, and with which pauses (ms), a lost commit is asked after. */
const pauses = [50, 250, 1_000] as const;

export const createDepartures = (rows: Rows): Departures => {
  const settle = async (call: CallNumber, attempt: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await attempt();
    } catch (error) {
      if (await left(rows, call)) return true;
      throw error;
    }
  };
  return {
    consume: (id, { call, grant }) =>
      settle(call, () =>
        rows.transact(async (db) => {
          if (!(await holds(db, call))) return false;
          const used = await db.maybeOne(sql.type(idRow)`
            UPDATE approvals SET state = 'consumed', consumed_n = ${call.n}
            WHERE id = ${id} AND session_id = ${call.session_id} AND state = 'approved' AND expires_at > clock_timestamp()
            RETURNING id`);
          if (used === null) return false;
          const granted = grant === null ? null : await makeGrant(db, { id, call, grant });
          await depart(db, call, { approval_id: id, grant_id: granted });
          return true;
        }),
      ),

    findGrant: ({ session_id, operation, rule, policy }) =>
      rows.ask((db) =>
        db.maybeOne(sql.type(grantRow)`
          SELECT id, approval_id, session_id, operation, rule, policy, given_by AS by, expires_at FROM grants
          WHERE session_id = ${session_id} AND operation = ${operation} AND rule = ${rule} AND policy = ${policy}
            AND (expires_at IS NULL OR expires_at > clock_timestamp())
          ORDER BY expires_at DESC NULLS FIRST LIMIT 1`),
      ),

    useGrant: (grant, call) =>
      settle(call, () =>
        rows.transact(async (db) => {
          if (!(await holds(db, call))) return false;
          const live = await db.maybeOne(sql.type(idRow)`
            SELECT id FROM grants WHERE id = ${grant.id} AND session_id = ${call.session_id}
              AND (expires_at IS NULL OR expires_at > clock_timestamp())`);
          if (live === null) return false;
          await depart(db, call, { approval_id: grant.approval_id, grant_id: grant.id });
          return true;
        }),
      ),
  };
};

/**
 * The session is open and the call in flight, and both stay so until the commit. In the order in which the sink locks them: session, then
 * calls in flight.
 */
const holds = async (db: Questions, { session_id, n }: CallNumber): Promise<boolean> => {
  const open = await db.maybeOne(sql.type(idRow)`
    SELECT id FROM sessions WHERE id = ${session_id} AND state = 'open' FOR UPDATE`);
  if (open === null) return false;
  const flying = await db.maybeOne(sql.type(z.object({ n: z.number() }))`
    SELECT n FROM calls_in_flight WHERE session_id = ${session_id} AND n = ${n} FOR UPDATE`);
  return flying !== null;
};

const depart = async (
  db: Questions,
  { session_id, n }: CallNumber,
  { approval_id, grant_id }: { readonly approval_id: string; readonly grant_id: string | null },
): Promise<void> => {
  await db.query(sql.type(none)`
    INSERT INTO departures (session_id, n, approval_id, grant_id) VALUES (${session_id}, ${n}, ${approval_id}, ${grant_id})`);
  await db.query(sql.type(none)`UPDATE sessions SET approved = approved + 1 WHERE id = ${session_id}`);
};

type Granting = { readonly id: string; readonly call: CallNumber; readonly grant: NewGrant };

const makeGrant = async (db: Questions, { id, call, grant }: Granting): Promise<string> =>
  db.oneFirst(sql.type(idRow)`
    INSERT INTO grants (id, approval_id, session_id, operation, rule, policy, given_by, expires_at)
    VALUES (${uuidv7()}, ${id}, ${call.session_id}, ${grant.operation}, ${grant.rule}, ${grant.policy}, ${grant.by},
      CASE WHEN ${grant.lasts}::float8 IS NULL THEN NULL ELSE clock_timestamp() + ${grant.lasts}::float8 * interval '1 millisecond' END)
    RETURNING id`);

/** Whether this call's departure is there; throws nothing, because what went wrong first is what has to be said. */
const left = async (rows: Rows, { session_id, n }: CallNumber): Promise<boolean> => {
  for (const pause of pauses) {
    await sleep(pause);
    try {
      return await rows.ask((db) =>
        db.exists(sql.type(none)`SELECT FROM departures WHERE session_id = ${session_id} AND n = ${n}`),
      );
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }
  return false;
};
