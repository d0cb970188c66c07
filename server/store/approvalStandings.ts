/** How questions stand, without what they ask: small enough to be looked at every few seconds by everybody who watches them. */

import { sql } from "slonik";
import type { z } from "zod";
import type { Approval } from "../model/approval.ts";
import { outlineRow } from "./approvalRows.ts";
import { count, type Rows } from "./rows.ts";

/** What is enough to say who sees it, and whether it is still as it was. */
export type ApprovalStanding = Pick<Approval, "id" | "state" | "terms" | "binding" | "run"> & {
  /** Attempts to answer, refused ones too. */
  readonly answers: number;
};

export type Standings = {
  /** All that wait or may pass, at most a thousand, and the newest fifty; newest first. */
  standings(): Promise<readonly ApprovalStanding[]>;
};

const standingRow = outlineRow
  .pick({ id: true, state: true, terms: true, binding: true, run: true })
  .extend({ answers: count }) satisfies z.ZodType<ApprovalStanding>;

export const createStandings = (rows: Rows): Standings => ({
  standings: () =>
    rows.ask((db) =>
      db.any(sql.type(standingRow)`
        SELECT a.id, a.state, a.terms, a.binding, a.run,
          (SELECT count(*)::int4 FROM approval_answers w WHERE w.approval_id = a.id) AS answers
        FROM approvals a
        WHERE a.id IN (
          (SELECT id FROM approvals WHERE state IN ('pending', 'approved') ORDER BY id DESC LIMIT 1000)
          UNION (SELECT id FROM approvals ORDER BY id DESC LIMIT 50))
        ORDER BY a.id DESC`),
    ),
});
