/** One question whole: how it stands, what it asks, the answers so far, and the form to answer it. */

import type { Answering, Shown, ShownSection, Standing } from "../journeys/approval/page.ts";
import type { Answer, Approval, Place, Way } from "../model/approval.ts";
import { assetPaths } from "./assets.ts";
import { counted, stateWords } from "./approvals.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";
import { gitHubButton } from "./signIn.ts";

/** `form`: what the form carries, see `Frame`. */
export const approvalPage = (shown: Shown, form: string | null): Page => ({
  title: shown.approval.question.title,
  view: "approval",
  body: html`${stateBox(shown)}
${facts(shown)}
${shown.notes.map((note) => html`<p>${note}</p>`)}
${shown.sections.map((section) => sectionOf(section, shown.approval))}
<h2 id="answer">Answer</h2>
${answerOf(shown.approval, shown.answering, form)}
<h2>Answers so far</h2>
${shown.approval.answers.length === 0 ? html`<p>Nobody has answered yet.</p>` : html`<ul>${shown.approval.answers.map(attempt)}</ul>`}
<p class="soft">An approval lets exactly this request pass, once. Another request, another commit or another state of what it changes asks again. Approval <code>${shown.approval.id}</code>, digest <code>${shown.approval.digest}</code>.</p>`,
});

function stateBox(shown: Shown): Html {
  const { approval } = shown;
  const live = approval.state === "pending" || approval.state === "approved";
  return html`<div class="state ${approval.state}" data-version="${versionOf(approval)}">${stateSentence(shown)}
${live ? html`<iframe class="live" src="/approvals/${approval.id}/state" title="State of this approval, as it is now"></iframe>` : null}</div>`;
}

function stateSentence({ approval, until, answering, outcome }: Shown): Html {
  const who = counted(approval).map(({ by, via }) => `${by} (${viaWords[via]})`);
  switch (approval.state) {
    case "pending":
      return html`<p><strong>This request to Datadog waits for a person</strong>, until ${until}. Nothing was sent yet.${answering.kind === "over" ? null : html` <a href="#answer">Answer</a>`}</p>${progress(approval)}`;
    case "approved":
      return html`<p><strong>Approved</strong> by ${who.join(" and ")}. The request passes once, when the job sends it again, until ${until}.</p>`;
    case "consumed":
      return html`<p><strong>Approved</strong> by ${who.join(" and ")}, <strong>and sent</strong>.</p>${outcome === null ? null : html`<p>Datadog answered: ${outcome.status ?? outcome.state}.</p>`}`;
    case "denied":
      return html`<p><strong>Denied</strong>. Nothing was sent. ${approval.reason}</p>`;
    case "expired":
      return html`<p><strong>Not approved in time</strong>: it ended at ${until}. Nothing was sent.</p>`;
    case "stale":
      return html`<p><strong>Approved, and not valid any more</strong>: ${approval.reason}. Nothing was sent.</p>`;
    case "cancelled":
      return html`<p><strong>Not asked any more</strong>: ${approval.reason}. Nothing was sent.</p>`;
    default:
      return approval.state satisfies never;
  }
}

const progress = (approval: Approval): Html | null =>
  approval.terms.approvers.count === 1
    ? null
    : html`<p>${counted(approval).length} of ${approval.terms.approvers.count} approvals so far.</p>`;

function facts({ approval, who, request, mayAnswer, until, left, recordings }: Shown): Html {
  const { question, terms, call, consumed_by } = approval;
  return html`<dl>
${who.map(({ name, value }) => html`<dt>${name}</dt><dd>${name === "Run" ? webLink(value, value) : value}</dd>`)}
<dt>Why it is held</dt><dd>${question.why.length === 0 ? html`rule <code>${terms.rule}</code>` : question.why.map(({ rule, reason }) => html`<div>rule <code>${rule}</code>: <code>${reason}</code></div>`)}</dd>
<dt>Request</dt><dd><code>${request}</code></dd>
<dt>Operation</dt><dd><code>${question.operation}</code>, ${question.access}, on connection <code>${question.connection}</code></dd>
<dt>Who may answer</dt><dd>${mayAnswer.map((word) => (typeof word === "string" ? word : html`<code>${word.name}</code>`))}</dd>
<dt>How</dt><dd>${terms.via.map((way) => viaWords[way]).join(", ")}</dd>
<dt>Asked</dt><dd><time>${approval.asked_at.toISOString()}</time>, until ${until}${left === null ? null : html` (<time data-until="${approval.expires_at.toISOString()}">${left}</time> left)`}</dd>
<dt>Code</dt><dd><code>${approval.code}</code></dd>
${approval.where.filter(({ kind }) => kind !== "page").map(placeOf)}
<dt>Session</dt><dd>${recordings === "shown" ? html`<a href="/sessions/${approval.session_id}">${approval.session_id}</a>` : html`<code>${approval.session_id}</code>`}</dd>
${call === null ? null : html`<dt>Call that asked</dt><dd>${callLink(call, recordings)}</dd>`}
${consumed_by === null ? null : html`<dt>Call that passed</dt><dd>${callLink(consumed_by, recordings)}</dd>`}
</dl>`;
}

const callLink = ({ session_id, n }: NonNullable<Approval["call"]>, recordings: Shown["recordings"]): Html =>
  recordings === "shown" ? html`<a href="/sessions/${session_id}/calls/${n}">call ${n}</a>` : html`call ${n}`;

const placeWords = {
  review_comment: "Asked in a thread of the pull request",
  comment: "Asked on the pull request",
  check_run: "Asked in a check run",
  issue: "Asked in an issue",
  page: "Asked on a page",
} as const satisfies Record<Place["kind"], string>;

const placeOf = ({ kind, url }: Place): Html => html`<dt>${placeWords[kind]}</dt><dd>${webLink(url, url)}</dd>`;

/** An address from elsewhere is a link only if it can be nothing but a web page. */
const webLink = (url: string, text: string): Html =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    ? html`<a href="${new URL(url).href}" rel="noreferrer">${text}</a>`
    : html`<code>${text}</code>`;

function sectionOf(section: ShownSection, { id, question: { method } }: Approval): Html {
  const { heading, folded, language, lines, cut, more } = section;
  const text = html`<pre class="whole" tabindex="0" aria-label="${heading}">${language === "diff" ? lines.map(diffLine) : lines.join("\n")}</pre>
${more === 0 ? null : html`<p><strong>This is not all of it</strong>: ${more} more lines. <a href="/approvals/${id}?lines=all">Show everything</a></p>`}
${cut ? html`<p><strong>There is more of it</strong> than anybody reads: the request and what is there now are below, whole.</p>` : null}
${unnamedOf(section, method)}`;
  return folded ? html`<details><summary>${heading}</summary>${text}</details>` : html`<h2>${heading}</h2>${text}`;
}

/** Of two ways to update, one says what becomes of the rest. */
const unnamedOf = ({ unnamed }: ShownSection, method: string): Html | null =>
  unnamed.length === 0
    ? null
    : html`<p>The request does not name ${unnamed.map((field, index) => html`${index === 0 ? "" : ", "}<code>${field}</code>`)}: ${method === "PATCH" ? "a PATCH leaves them as they are." : html`depending on the operation, a PUT keeps them or <strong>resets</strong> them.`}</p>`;

const diffLine = (line: string): Html =>
  line.startsWith("+")
    ? html`<span class="add">${line}</span>\n`
    : line.startsWith("-")
      ? html`<span class="del">${line}</span>\n`
      : html`${line}\n`;

function answerOf(approval: Approval, answering: Answering, form: string | null): Html {
  const here = `/approvals/${approval.id}`;
  switch (answering.kind) {
    case "over":
      return html`<p>This question is answered or over: nobody can answer it any more.</p>`;
    case "nobody":
      return html`<p>You are not signed in as yourself, and a token never answers. Who may answer is said above.</p>${gitHubButton(here)}`;
    case "may not":
      return html`<p class="notice">You cannot answer as <code>${answering.as}</code>. ${answering.why}</p>`;
    case "may":
      return html`<form method="post" action="${here}">
<p>You answer as <code>${answering.as}</code>.</p>
<input type="hidden" name="form" value="${form}">
<label>Reason <span class="soft">(shown with the answer; a denial should have one)</span> <textarea name="reason" rows="3" maxlength="1000"></textarea></label>
<div class="buttons"><button class="yes" name="verdict" value="approve">Approve this request, once</button> <button class="no" name="verdict" value="deny">Deny</button></div>
</form>`;
    default:
      return answering satisfies never;
  }
}

const viaWords = {
  comment: "comment",
  check: "button of the check run",
  page: "this page",
} as const satisfies Record<Way, string>;

const attempt = ({ by, verdict, via, at, accepted, reason }: Answer): Html => html`<li>
<code>${by}</code> said <strong>${verdict}</strong> (${viaWords[via]}, <time>${at.toISOString()}</time>): ${accepted ? "it counts" : "it does not count"}${reason === "" ? "." : html`. ${reason}`}</li>`;

/** A document for the frame in the state's box: small, and loaded again by itself, so that nothing else on the page moves. */
export const statePage = (standing: Standing): Html =>
  live(
    { version: versionOf(standing.approval), state: standing.approval.state },
    standing.approval.state === "pending"
      ? html`Still waiting, <strong>${standing.left ?? "0 seconds"}</strong> left${standing.approval.terms.approvers.count === 1 ? null : `, ${counted(standing.approval).length} of ${standing.approval.terms.approvers.count} approvals`}. Checked by itself every few seconds.`
      : html`Now: <strong>${stateWords[standing.approval.state]}</strong>. <a target="_top" href="/approvals/${standing.approval.id}">Show the page as it is now</a>`,
  );

export const noStatePage: Html = live(
  { version: "", state: "" },
  html`It is not known how this stands: reload the page.`,
);

/** Another one when something has changed that the page around the frame shows. */
const versionOf = ({ state, answers }: Approval): string => `${state} ${answers.length}`;

function live({ version, state }: { readonly version: string; readonly state: string }, text: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>State</title><link rel="stylesheet" href="${assetPaths.styles}"></head>
<body class="live ${state}" data-version="${version}">${text}</body></html>
`;
}

/** An answer that did not count. */
export const notCountedPage = (id: string, reason: string): Page => ({
  title: "This answer does not count",
  body: html`<p class="notice" role="alert">${reason}</p><p><a href="/approvals/${id}">Back to the question</a></p>`,
});
