/** How an approval is read back: one row with its places and answers as JSON beside it. */

import { sql } from "slonik";
import { z } from "zod";
import {
  type Answer,
  type Approval,
  approvalStates,
  type GrantAsked,
  type Outline,
  permissions,
  type Question,
  type RunContext,
  type Terms,
  ways,
} from "../model/approval.ts";
import { count, time } from "./rows.ts";

const callNumber = z.object({ session_id: z.uuid(), n: count });

export const terms: z.ZodType<Terms> = z.object({
  rule: z.string(),
  approvers: z.object({
    permission: z.enum(permissions).exactOptional(),
    roles: z.array(z.string()),
    teams: z.array(z.string()),
    groups: z.array(z.string()),
    count,
    self: z.boolean(),
  }),
  via: z.array(z.enum(ways)),
  grants: z.object({ session: z.boolean(), longest: z.number().nullable() }),
  expires: z.number(),
});

const text = z.string();
const binding = z.object({
  session_id: text,
  issuer: text,
  subject: text,
  connection: text,
  repository_id: text.nullable(),
  pull_request: count.nullable(),
  head_sha: text.nullable(),
  run_id: text.nullable(),
  run_attempt: text.nullable(),
  rules: z.array(text),
  policy: text,
  method: text,
  host: text,
  path: text,
  query: text,
  // Questions that were asked before masks had none.
  target: text.default(""),
  content_type: text.nullable(),
  body_sha256: text,
});

const run: z.ZodType<RunContext> = z.object({
  repository: text,
  repository_id: text,
  run_id: text,
  run_attempt: text,
  pull: z.object({ number: count, head_sha: text, url: text }).nullable(),
  own_people: z.array(text),
  head_sha: text,
  job: text.optional(),
  afterwards: z.boolean().optional(),
});

const question: z.ZodType<Question> = z.object({
  title: text,
  operation: text,
  access: text,
  connection: text,
  method: text,
  host: text,
  path: text,
  query: text,
  why: z.array(z.object({ rule: text, reason: text })),
  who: z.record(text, text),
  body: text.nullable(),
  body_size: z.number(),
  current: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("known"), text, digest: text, call: callNumber.nullable() }),
    z.object({ kind: z.literal("unavailable"), why: text }),
  ]),
});

export const grantAsked: z.ZodType<GrantAsked> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("session") }),
  z.object({ kind: z.literal("duration"), ms: z.number() }),
]);

const answerFields = {
  verdict: z.enum(["approve", "deny"]),
  by: z.string(),
  via: z.enum(ways),
  accepted: z.boolean(),
  reason: z.string(),
  asked_grant: grantAsked.nullable(),
};
export const answerRow = z.object({ ...answerFields, at: time });
const answerJson = z.object({ ...answerFields, at: z.coerce.date() });

const place = z.object({
  kind: z.enum(["review_comment", "comment", "check_run", "issue", "page"]),
  url: z.string(),
  id: z.number().nullable(),
  number: count.nullable(),
});

export const approvalRow = z.object({
  id: z.uuid(),
  session_id: z.uuid(),
  connection: z.string(),
  operation: z.string(),
  state: z.enum(approvalStates),
  code: z.string(),
  digest: z.instanceof(Buffer),
  request_digest: z.instanceof(Buffer),
  terms,
  binding,
  run: run.nullable(),
  question,
  call_n: count.nullable(),
  consumed_n: count.nullable(),
  asked_at: time,
  expires_at: time,
  decided_at: time.nullable(),
  reason: z.string(),
  places: z.array(place),
  answers: z.array(answerJson),
});

export const outlineRow = approvalRow.pick({
  id: true,
  state: true,
  code: true,
  session_id: true,
  terms: true,
  binding: true,
  run: true,
  asked_at: true,
  places: true,
});

const placesColumn = sql.fragment`
  coalesce((SELECT json_agg(json_build_object('kind', p.kind, 'url', p.url, 'id', p.id, 'number', p.number) ORDER BY p.kind)
    FROM approval_places p WHERE p.approval_id = a.id), '[]'::json) AS places`;

/** Not the question, which may be megabytes. */
export const outlineColumns = sql.fragment`
  a.id, a.state, a.code, a.session_id, a.terms, a.binding, a.run, a.asked_at, ${placesColumn}`;

export const approvalColumns = sql.fragment`
  a.id, a.session_id, a.connection, a.operation, a.state, a.code, a.digest, a.request_digest, a.terms, a.binding, a.run, a.question,
  a.call_n, a.consumed_n, a.asked_at, a.expires_at, a.decided_at, a.reason,
  ${placesColumn},
  coalesce((SELECT json_agg(json_build_object('verdict', w.verdict, 'by', w.by, 'via', w.via, 'at', w.at, 'accepted', w.accepted,
      'reason', w.reason, 'asked_grant', w.asked_grant) ORDER BY w.at)
    FROM approval_answers w WHERE w.approval_id = a.id), '[]'::json) AS answers`;

export const readApproval = (row: z.infer<typeof approvalRow>): Approval => {
  const { call_n, consumed_n, places, answers, digest, request_digest, ...rest } = row;
  const callOf = (n: number | null) => (n === null ? null : { session_id: row.session_id, n });
  return {
    ...rest,
    digest: digest.toString("hex"),
    request_digest: request_digest.toString("hex"),
    call: callOf(call_n),
    consumed_by: callOf(consumed_n),
    where: places,
    answers: answers.map(readAnswer),
  };
};

export const readOutline = ({ places, ...rest }: z.infer<typeof outlineRow>): Outline => ({ ...rest, where: places });

export const readAnswer = ({ asked_grant, ...rest }: z.infer<typeof answerRow>): Answer => ({
  ...rest,
  grant: asked_grant,
});
