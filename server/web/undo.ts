/** What would take a session back, step by step; the button that does it, and what came of each step. */

import type { UndoJson, UndoStepJson } from "../contract.ts";
import {
  aboutWords,
  actionWords,
  callWords,
  counted,
  isBegun,
  leftOf,
  resourceWords,
  stepMarks,
  undoVerdict,
} from "./errands.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export type ShownUndo = {
  readonly undo: UndoJson;
  /** Why who looks may not do it; null for whoever may. */
  readonly refusal: string | null;
  /** What the form carries, see `Frame`. */
  readonly form: string | null;
  /** A plan, or what came of doing it: that is known in this answer only, and no script asks for it anew. */
  readonly of: "plan" | "doing";
  readonly complaint: string | null;
};

export const undoPage = (shown: ShownUndo): Page => ({
  title: "Undo",
  ...(shown.of === "plan" && { view: "undo" as const }),
  body: html`<p><a href="/sessions/${shown.undo.session_id}">Session ${shown.undo.session_id}</a>, on connection <code>${shown.undo.connection}</code></p>
${shown.complaint === null ? null : html`<p class="notice" role="alert">${shown.complaint}</p>`}
${verdictOf(shown.undo)}
${shown.undo.steps.length === 0 ? null : html`<h2>Steps, in the order in which they are done</h2><ol class="steps">${shown.undo.steps.map((step) => stepOf(step, shown.undo.steps))}</ol>`}
${doingOf(shown)}`,
});

const verdictOf = (undo: UndoJson): Html => {
  const { label, said, box } = undoVerdict(undo);
  return html`<div class="state ${box}" role="status"><p><strong>${label}</strong> ${said}</p>${undo.session === null ? null : html`<p>What it sends is recorded in <a href="/sessions/${undo.session.id}">session ${undo.session.id}</a>, like any other call.</p>`}</div>`;
};

const stepOf = (step: UndoStepJson, all: readonly UndoStepJson[]): Html => {
  const { word, sign, badge } = stepMarks[step.state];
  return html`<li><h3>${resourceWords(step)} ${word === "" ? null : html`<span class="badge ${badge}">${sign} ${word}</span>`}</h3>
<p><strong${step.action === "impossible" || step.action === "look" ? html` class="deny"` : null}>${actionWords[step.action]}</strong>: ${step.why}</p>
<p class="soft">${aboutWords(step)} ${callLink(step, `call ${step.n}`)} (${step.operation})${step.from === null ? null : html`, to what ${callLink({ call_id: step.from.call_id }, `call ${numberOf(step.from.call_id)}`)} showed`}${step.needs.length === 0 ? null : html`, after the step for call ${step.needs.map((key) => all.find((one) => one.key === key)?.n ?? key).join(", ")}`}.</p>
${requestOf(step)}
${outcomeOf(step)}</li>`;
};

/** Links are ours, whatever name the gateway has outside. */
const callLink = ({ call_id }: { readonly call_id: string }, words: string): Html => {
  const [session = "", n = ""] = call_id.split("/");
  return html`<a href="/sessions/${session}/calls/${n}">${words}</a>`;
};

const numberOf = (call_id: string): string => call_id.split("/")[1] ?? "";

const requestOf = ({ n, request }: UndoStepJson): Html | null =>
  request === null
    ? null
    : html`<details><summary>Request: <code>${request.method} ${request.path}</code></summary>${request.body === null ? html`<p>It has no body.</p>` : html`<pre tabindex="0" aria-label="Body of the request for call ${n}">${readable(request.body)}</pre>`}</details>`;

/** Of each request; there may be hundreds. */
const mostShown = 20_000;

/** Indented where that changes no character that counts. */
function readable(text: string): string {
  if (text.length > mostShown) return `${text.slice(0, mostShown)}\n… ${text.length - mostShown} more characters`;
  try {
    const indented = JSON.stringify(JSON.parse(text), null, 2);
    return indented.replace(/\s/g, "") === text.replace(/\s/g, "") ? indented : text;
  } catch {
    return text;
  }
}

const outcomeOf = ({
  state,
  result,
  done_by,
  new_id,
  approval,
  differs,
}: UndoStepJson): Html => html`${result === "" ? null : html`<p>${result}</p>`}
${approval === null ? null : html`<p><a href="/approvals/${approval.id}">The question to people</a></p>`}
${done_by === null ? null : html`<p>${callLink(done_by, callWords(state))}${new_id === null ? null : html`. It has another id now: <code>${new_id}</code>`}</p>`}
${differs.length === 0 ? null : html`<p>Not as it was: ${differs.map((field, index) => html`${index === 0 ? "" : ", "}<code>${field}</code>`)}</p>`}`;

function doingOf({ undo, refusal, form }: ShownUndo): Html | null {
  const left = leftOf(undo);
  if (left === 0) return null;
  if (refusal !== null) return html`<p class="notice">You cannot do this: ${refusal}.</p>`;
  const begun = isBegun(undo);
  return html`<h2 id="do">${begun ? "Go on" : "Do it"}</h2>
<p>Each step first looks whether everything is still as the session left it, and sends nothing where it is not. Rules decide, and people are asked where a rule says so.</p>
<form class="undo" method="post" action="/sessions/${undo.session_id}/undo" aria-labelledby="do">
<input type="hidden" name="form" value="${form}">
<label><input type="checkbox" name="confirmed" value="yes" required>I have read the plan: ${counted(left, "step")} on connection ${undo.connection}</label>
<button class="no">${begun ? "Go on" : "Do it"}</button></form>`;
}
