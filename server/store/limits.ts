/** Counts what the calls of a session take from the limits of rules: once for all gateways, and never more than there is. */

import { sql } from "slonik";
import { z } from "zod";
import type { RuleLimit } from "../model/config.ts";
import type { Rows } from "./rows.ts";

export interface Limits {
  /** Takes one call from a rule's limit; false when nothing is left. @throws GatewayError `recording_unavailable` */
  take(session_id: string, allowance: { readonly rule: string; readonly limit: RuleLimit }): Promise<boolean>;
}

const seconds = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

export const createLimits = (rows: Rows): Limits => ({
  take: async (session_id, { rule, limit: { count, per } }) => {
    const since =
      per === "session"
        ? sql.fragment`'-infinity'::timestamptz`
        : sql.fragment`clock_timestamp() - ${seconds[per]} * interval '1 second'`;
    // The row is locked before it is looked at, and the clock is read after that: calls that come together take turns.
    const taken = await rows.ask((db) =>
      db.any(sql.type(z.object({ taken: z.literal(true) }))`
        INSERT INTO rule_uses AS u (session_id, rule, budget, uses)
        VALUES (${session_id}, ${rule}, ${`${count}/${per}`}, ARRAY[clock_timestamp()])
        ON CONFLICT (session_id, rule, budget) DO UPDATE
        SET uses = (SELECT array_agg(used) FROM unnest(u.uses) AS used WHERE used > ${since}) || clock_timestamp()
        WHERE (SELECT count(*) FROM unnest(u.uses) AS used WHERE used > ${since}) < ${count}
        RETURNING true AS taken`),
    );
    return taken.length === 1;
  },
});
