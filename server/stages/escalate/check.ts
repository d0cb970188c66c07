/** The question, and later its answer, as a check run with buttons. */

import type { Approval, ApprovalState, Verdict } from "../../model/approval.ts";
import type { CheckRunContent } from "../../model/github.ts";
import { boxOf, type Links } from "./answered.ts";
import { detailsOf } from "./details.ts";
import { short } from "./visible.ts";

/** GitHub's limit is 65,535 characters. */
const most = 65_000;

/** Buttons are shown on completed check runs only, and `action_required` is the conclusion that says what they are for. */
const conclusions = {
  pending: "action_required",
  approved: "success",
  consumed: "success",
  denied: "failure",
  expired: "timed_out",
  stale: "cancelled",
  cancelled: "cancelled",
} as const satisfies Record<ApprovalState, CheckRunContent["conclusion"]>;

export const checkOf = (approval: Approval, links: Links): CheckRunContent => ({
  conclusion: conclusions[approval.state],
  title: short(approval.question.title, 200),
  summary: boxOf(approval, links, "check"),
  text: detailsOf(approval, links, most),
  actions: approval.state === "pending" && approval.terms.via.includes("check") ? buttons(approval.code) : [],
});

/** GitHub takes 20 characters of a label, 40 of a description, 20 of an identifier. */
const buttons = (code: string): CheckRunContent["actions"] => [
  { label: "Approve", description: "Let exactly this request pass, once", identifier: `approve:${code}` },
  { label: "Deny", description: "Refuse it; nothing is sent", identifier: `deny:${code}` },
];

/** What a pressed button's identifier means; null when it is none of ours. */
export function readButton(identifier: string): { readonly verdict: Verdict; readonly code: string } | null {
  const [, verdict, code = ""] = /^(approve|deny):([A-Z0-9]{6,10})$/.exec(identifier) ?? [];
  return verdict === undefined ? null : { verdict: verdict === "deny" ? "deny" : "approve", code };
}
