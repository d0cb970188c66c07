/** The page of all approvals: what waits for people, and the latest that waited. */

import type { Overview } from "../journeys/approval/page.ts";
import { type Answer, type Approval, approvalStates } from "../model/approval.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export const approvalsPage = (overview: Overview): Page => ({
  title: "Approvals",
  view: "approvals",
  body: html`${filters(overview)}${waiting(overview)}${decided(overview)}`,
});

const waiting = ({ state, pending, now }: Overview): Html | null =>
  state !== null && state !== "pending"
    ? null
    : html`<h2>Waiting for an answer</h2>
${
  pending.length === 0
    ? html`<p>Nothing that you may see waits for an answer.</p>`
    : table(
        "Waiting for an answer",
        ["Question", "Who asks", "Rule", "Asked", "Time left"],
        pending.map((one) => pendingRow(one, now)),
      )
}`;

const decided = ({ state, others, next_cursor }: Overview): Html | null =>
  state === "pending"
    ? null
    : html`
<h2>${state === null ? "Latest" : heading(state)}</h2>
${others.length === 0 ? html`<p>None on this page.</p>` : table("Latest approvals", ["Question", "Who asks", "State", "Answered by", "When"], others.map(otherRow))}
${next_cursor === null ? null : html`<p><a href="/approvals?${state === null ? "" : `state=${state}&`}cursor=${encodeURIComponent(next_cursor)}">More</a></p>`}`;

/** Where somebody finds those in one state. */
const filters = ({ state }: Overview): Html => html`<nav aria-label="States"><ul class="chips">
${[null, ...approvalStates].map((one) => html`<li><a class="chip" href="/approvals${one === null ? "" : `?state=${one}`}"${one === state ? html` aria-current="page"` : null}>${one === null ? "all" : stateWords[one]}</a></li>`)}</ul></nav>`;

const heading = (state: Approval["state"]): string => stateWords[state].replace(/^./, (letter) => letter.toUpperCase());

const table = (
  label: string,
  columns: readonly string[],
  rows: readonly Html[],
): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="words">
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

const pendingRow = (approval: Approval, now: Date): Html => html`<tr>
<td>${linkTo(approval)}</td><td>${whoOf(approval)}</td><td><code>${approval.terms.rule}</code></td>
<td><time>${approval.asked_at.toISOString()}</time></td><td><time datetime="${approval.expires_at.toISOString()}">${minutesLeft(approval, now)}</time></td></tr>`;

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
