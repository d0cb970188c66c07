/** What people said about calls, as receipts are sealed with it: read once a question, however many calls it let pass. */

import { sql } from "slonik";
import { z } from "zod";
import { approvalStates, ways } from "../model/approval.ts";
import type { CallApproval } from "../model/seal.ts";
import { grantAsked, terms } from "./approvalRows.ts";
import { count, type Questions, time } from "./rows.ts";

export type CallRange = { readonly first: number; readonly last: number };

const heldRow = z.object({
  n: count,
  approval_id: z.uuid(),
  passed_at: time.nullable(),
  grant_id: z.uuid().nullable(),
});
type Held = z.infer<typeof heldRow>;

const jsonTime = z.coerce.date();
const questionRow = z.object({
  id: z.uuid(),
  operation: z.string(),
  code: z.string(),
  state: z.enum(approvalStates),
  digest: z.string(),
  question: z.string(),
  binding: z.string(),
  run: z.string().nullable(),
  terms,
  asked_at: time,
  expires_at: time,
  decided_at: time.nullable(),
  reason: z.string(),
  answers: z.array(
    z.object({
      key: z.string(),
      verdict: z.enum(["approve", "deny"]),
      by: z.string(),
      via: z.enum(ways),
      at: jsonTime,
      reason: z.string(),
      grant: grantAsked.nullable(),
    }),
  ),
  grant: z
    .object({
      id: z.uuid(),
      operation: z.string(),
      rule: z.string(),
      policy: z.string(),
      by: z.string(),
      made_at: jsonTime,
      expires_at: jsonTime.nullable(),
    })
    .nullable(),
});

export const readApprovals = async (
  db: Questions,
  session_id: string,
  { first, last }: CallRange,
): Promise<ReadonlyMap<number, CallApproval>> => {
  // How a call was let go says more than what it asked: of a call that says nothing of a question it is looked for all the same.
  const held = await db.any(sql.type(heldRow)`
    SELECT n, coalesce(d.approval_id, c.approval_id) AS approval_id, d.at AS passed_at, d.grant_id
    FROM (SELECT n, approval_id FROM calls WHERE session_id = ${session_id} AND n BETWEEN ${first} AND ${last}) c
    FULL JOIN (SELECT n, approval_id, grant_id, at FROM departures WHERE session_id = ${session_id} AND n BETWEEN ${first} AND ${last}) d USING (n)
    WHERE c.approval_id IS NOT NULL OR d.approval_id IS NOT NULL ORDER BY n`);
  if (held.length === 0) return new Map();
  const questions = await findQuestions(db, [...new Set(held.map(({ approval_id }) => approval_id))]);
  return new Map(held.flatMap((call) => approvalOf(call, questions)));
};

type Question = Omit<CallApproval, "passed">;

/** One whose question is gone has none: that is not what was sealed. */
const approvalOf = (
  { n, approval_id, passed_at, grant_id }: Held,
  questions: ReadonlyMap<string, Question>,
): [number, CallApproval][] => {
  const found = questions.get(approval_id);
  return found === undefined
    ? []
    : [[n, { ...found, passed: passed_at === null ? null : { at: passed_at, grant_id } }]];
};

/** What was shown may be megabytes: the database digests it. Attempts that were refused go on coming after the end, and are left out. */
const findQuestions = async (db: Questions, ids: readonly string[]): Promise<ReadonlyMap<string, Question>> => {
  const found = await db.any(sql.type(questionRow)`
    SELECT a.id, a.operation, a.code, a.state, encode(a.digest, 'hex') AS digest, ${textDigest("question")}, ${textDigest("binding")},
      ${textDigest("run")}, a.terms, a.asked_at, a.expires_at, a.decided_at, a.reason,
      coalesce((SELECT json_agg(json_build_object('key', w.key, 'verdict', w.verdict, 'by', w.by, 'via', w.via, 'at', w.at,
          'reason', w.reason, 'grant', w.asked_grant) ORDER BY w.at, w.key)
        FROM approval_answers w WHERE w.approval_id = a.id AND w.accepted), '[]'::json) AS answers,
      (SELECT json_build_object('id', g.id, 'operation', g.operation, 'rule', g.rule, 'policy', g.policy, 'by', g.given_by,
          'made_at', g.made_at, 'expires_at', g.expires_at) FROM grants g WHERE g.approval_id = a.id) AS grant
    FROM approvals a WHERE a.id = ANY (${sql.array(ids, "uuid")})`);
  return new Map(found.map((row) => [row.id, row]));
};

const textDigest = (column: "question" | "binding" | "run") => {
  const name = sql.identifier([column]);
  return sql.fragment`encode(sha256(convert_to(a.${name}::text, 'UTF8')), 'hex') AS ${name}`;
};
