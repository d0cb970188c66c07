/** The page of all approvals: what waits for people, and the latest that waited. */

import type { Overview } from "../journeys/approval/page.ts";
import type { Answer, Approval } from "../model/approval.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export const approvalsPage = ({ pending, others, next_cursor, now }: Overview): Page => ({
  title: "Approvals",
  body: html`<h2>Waiting for an answer</h2>
${
  pending.length === 0
    ? html`<p>Nothing that you may see waits for an answer.</p>`
    : table(
        "Waiting for an answer",
        ["Question", "Who asks", "Rule", "Asked", "Time left"],
        pending.map((one) => pendingRow(one, now)),
      )
}
<h2>Latest</h2>
${others.length === 0 ? html`<p>None on this page.</p>` : table("Latest approvals", ["Question", "Who asks", "State", "Answered by", "When"], others.map(otherRow))}
${next_cursor === null ? null : html`<p><a href="/approvals?cursor=${encodeURIComponent(next_cursor)}">More</a></p>`}`,
});

const table = (
  label: string,
  columns: readonly string[],
  rows: readonly Html[],
): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="words">
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

const pendingRow = (approval: Approval, now: Date): Html => html`<tr>
<td>${linkTo(approval)}</td><td>${whoOf(approval)}</td><td><code>${approval.terms.rule}</code></td>
<td><time>${approval.asked_at.toISOString()}</time></td><td>${minutesLeft(approval, now)}</td></tr>`;

const otherRow = (approval: Approval): Html => html`<tr>
<td>${linkTo(approval)}</td><td>${whoOf(approval)}</td><td class="${approval.state}">${stateWords[approval.state]}</td>
<td>${
  counted(approval)
    .map(({ by }) => by)
    .join(", ") || "nobody"
}</td>
<td><time>${(approval.decided_at ?? approval.asked_at).toISOString()}</time></td></tr>`;

const linkTo = ({ id, question }: Approval): Html => html`<a href="/approvals/${id}">${question.title}</a>`;

const whoOf = ({ question: { who } }: Approval): string => who["repository"] ?? who["subject"] ?? "unknown";

const minutesLeft = ({ expires_at }: Approval, now: Date): string => {
  const minutes = Math.ceil((expires_at.getTime() - now.getTime()) / 60_000);
  return minutes <= 0 ? "expiring" : minutes === 1 ? "1 minute" : `${minutes} minutes`;
};

export const stateWords = {
  pending: "waiting",
  approved: "approved, not sent yet",
  consumed: "approved and sent",
  denied: "denied",
  expired: "not approved in time",
  stale: "approved, not valid any more",
  cancelled: "not asked any more",
} as const satisfies Record<Approval["state"], string>;

/** Those that count. */
export const counted = ({ answers }: Approval): readonly Answer[] => answers.filter(({ accepted }) => accepted);
