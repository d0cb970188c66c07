/** The answer to a client that does not wait on its connection (`Prefer: respond-async`): where to wait instead. */

import type { Approval } from "../../model/approval.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { callId, type OwnAnswer } from "./refusal.ts";

/** Whether the client asked for it (RFC 7240 §2): among the preferences of all its `Prefer` fields, whatever their parameters. */
export const prefersAsync = (headers: HeaderList): boolean =>
  headers
    .filter(([name]) => name.toLowerCase() === "prefer")
    .flatMap(([, value]) => value.split(","))
    .some((preference) => preference.split(/[;=]/, 1)[0]?.trim().toLowerCase() === "respond-async");

export const acceptedAnswer = (approval: Approval, publicUrl: string): OwnAnswer => {
  const body = Buffer.from(JSON.stringify(approvalJson(publicUrl, approval)));
  return {
    status: 202,
    headers: [
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
      ["preference-applied", "respond-async"],
      ["dogwatch-approval", approval.id],
    ],
    body,
  };
};

/** An approval in the JSON of the contract. */
export const approvalJson = (publicUrl: string, approval: Approval) => ({
  id: approval.id,
  state: approval.state,
  code: approval.code,
  session_id: approval.session_id,
  call_id: approval.call === null ? null : callId(approval.call),
  operation: approval.operation,
  who: approval.question.who["repository"] ?? approval.question.who["subject"] ?? "unknown",
  title: approval.question.title,
  rule: approval.terms.rule,
  digest: approval.digest,
  asked_at: approval.asked_at.toISOString(),
  expires_at: approval.expires_at.toISOString(),
  decided_at: approval.decided_at?.toISOString() ?? null,
  reason: approval.reason,
  consumed_by: approval.consumed_by === null ? null : callId(approval.consumed_by),
  where: approval.where.map(({ kind, url }) => ({ kind, url })),
  answers: approval.answers.map(({ verdict, by, via, at, accepted, reason }) => ({
    verdict,
    by,
    via,
    at: at.toISOString(),
    accepted,
    reason,
  })),
  url: `${publicUrl.replace(/\/$/, "")}/approvals/${approval.id}`,
});
