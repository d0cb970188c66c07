/** The pages that show what was recorded: all sessions, one session, one call. */

import type { BodyJson, CallJson, OutlinedCallJson, OutlineJson, SessionJson } from "../contract.ts";
import { errandOf } from "./errands.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";
import { searchForm } from "./search.ts";
import { exportFormatNames } from "./searching.ts";

export type Listed<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };

export const sessionsPage = (sessions: Listed<SessionJson>): Page => ({
  title: "Sessions",
  view: "sessions",
  body: html`${searchForm("")}${
    sessions.items.length === 0
      ? html`<p>No session yet. An agent opens one with <code>POST /v1/token</code>; in CI the Dogwatch Action does.</p>`
      : html`${table("Sessions", ["Opened", "Who", "Connection", "State", "Calls", "Denied"], sessions.items.map(sessionRow))}${more("/sessions", sessions)}`
  }`,
});

const sessionRow = (session: SessionJson): Html => html`<tr>
<td><a href="/sessions/${session.id}"><time>${session.opened_at}</time></a></td>
<td>${whoOf(session)}</td><td>${session.connection}</td><td>${session.state}</td>
<td class="n">${session.calls}</td><td class="n ${session.denied > 0 ? "deny" : ""}">${session.denied}</td></tr>`;

/** `provable`: whether who looks may take it along with its proof. */
export type ShownCalls = Omit<OutlineJson, "session"> & { readonly provable: boolean };

export const sessionPage = (session: SessionJson, calls: ShownCalls): Page => ({
  title: `Session ${session.id}`,
  view: "session",
  body: html`<dl>
<dt>Who</dt><dd>${whoOf(session)}</dd>
${claim(session, "workflow", "Workflow")}${claim(session, "job_workflow_ref", "Workflow file")}${claim(session, "event_name", "Event")}${claim(session, "ref", "Ref")}${claim(session, "sha", "Commit")}${claim(session, "actor", "Actor")}${claim(session, "run_id", "Run")}
${errandRow(session)}<dt>Issuer</dt><dd>${session.caller.issuer}</dd>
<dt>Connection</dt><dd>${session.connection}</dd>
<dt>State</dt><dd>${session.state}, opened ${session.opened_at}${session.closed_at === null ? "" : `, closed ${session.closed_at}`}</dd>
<dt>Calls</dt><dd>${session.calls}, of which ${session.denied} denied</dd>
<dt>Seal</dt><dd>${sealOf(session)}</dd>
</dl>
${exportsOf(session, calls.provable)}
<p><a href="/sessions/${session.id}/replays">Replay it, and its replays so far</a> · <a href="/sessions/${session.id}/undo">Undo what it changed</a></p>
<h2>Calls</h2>
${session.state === "open" ? html`<p class="soft">It is still open: load the page again to see more.</p>` : null}${table(
  "Calls",
  ["#", "Received", "Operation", "Request", "Decision", "Status", "ms"],
  calls.items.map((call) => callRow(session.id, call)),
)}${calls.more ? html`<p><a href="/sessions/${session.id}?after=${calls.items.at(-1)?.n ?? 0}">More</a></p>` : null}`,
});

/** The script draws them anew, and learns here whether a proof is offered. */
const exportsOf = ({ id, seal }: SessionJson, provable: boolean): Html =>
  html`<p class="exports" data-provable="${provable ? "yes" : "no"}">Take along: ${exportFormatNames.map(({ format, name }) => html`<a href="/v1/sessions/${id}/export?format=${format}" download>${name}</a> `)}${
    provable && seal !== null ? html`<a href="/v1/proof?session=${id}" download>with its proof</a>` : null
  }</p>`;

const sealOf = ({ seal }: SessionJson): Html => {
  if (seal === null) return html`<span class="soft">none yet</span>`;
  const place = seal.log_index === null ? "not in the log yet" : `leaf ${seal.log_index} of the log`;
  return html`${seal.sealed_at}, ${place}, head <code>${seal.head}</code>`;
};

const callRow = (session_id: string, call: OutlinedCallJson): Html => html`<tr>
<td class="n"><a href="/sessions/${session_id}/calls/${call.n}">${call.n}</a></td>
<td><time>${call.received_at}</time></td>
<td>${call.operation} <span class="soft">${call.access}</span></td>
<td><code>${call.method} ${call.path}${call.query === "" ? "" : `?${call.query}`}</code></td>
<td class="${call.decision.effect}">${call.approval_id === null ? call.decision.effect : html`<a href="/approvals/${call.approval_id}">${call.decision.effect}</a>`}</td>
<td class="n">${outcomeOf(call)}</td><td class="n">${millisecondsOf(call)}</td></tr>`;

export const callPage = (call: CallJson): Page => ({
  title: `Call ${call.n}: ${call.operation}`,
  view: "call",
  body: html`<p><a href="/sessions/${call.session_id}">Session ${call.session_id}</a></p>
<dl>
<dt>Request</dt><dd><code>${call.method} https://${call.host}${call.path}${call.query === "" ? "" : `?${call.query}`}</code></dd>
<dt>Decision</dt><dd><strong class="${call.decision.effect}">${call.decision.effect}</strong>: ${call.decision.reason}</dd>
${call.decision.rules.map(ruleOf)}
${call.decision.near.map(({ name, effect, clause }) => html`<dt>Nearly</dt><dd><code>${name}</code> (${effect}), but for: <code>${clause}</code></dd>`)}
${call.decision.tokens.map(({ kind, path, outcome }) => html`<dt>Masked value</dt><dd>${kind} at <code>${path}</code>: ${becameOf.get(outcome) ?? outcome}</dd>`)}
<dt>Policy</dt><dd><a href="/policies/${call.decision.policy}"><code>${call.decision.policy}</code></a></dd>
${call.response_decision === null ? null : html`<dt>Answer</dt><dd><strong class="${call.response_decision.effect}">${call.response_decision.effect}</strong>: ${call.response_decision.reason}</dd>${call.response_decision.rules.map(ruleOf)}`}
${call.approval_id === null ? null : html`<dt>Approval</dt><dd><a href="/approvals/${call.approval_id}">the question, and who answered it</a></dd>`}
<dt>State</dt><dd>${call.state}, status ${outcomeOf(call)}</dd>
${call.error === null ? null : html`<dt>Error</dt><dd class="deny"><code>${call.error_code ?? ""}</code>: ${call.error}</dd>`}
<dt>Client</dt><dd>${call.client ?? "unnamed"}</dd>
<dt>Upstream</dt><dd>${call.upstream ?? "nothing was sent"}</dd>
<dt>Times</dt><dd>received ${call.received_at}, decided ${call.decided_at}, forwarded ${call.forwarded_at ?? "never"}, first byte ${call.first_byte_at ?? "never"}, done ${call.done_at ?? "not yet"}</dd>
</dl>
<h2>Request</h2>${messageOf(call.request, `/sessions/${call.session_id}/calls/${call.n}/request/body`)}
<h2>Response</h2>${call.response === null ? html`<p>No answer was recorded.</p>` : messageOf(call.response, `/sessions/${call.session_id}/calls/${call.n}/response/body`)}`,
});

/** What became of a token that the request held: docs/masks.md. */
const becameOf: ReadonlyMap<string, string> = new Map([
  ["restored", "restored, its value went to Datadog"],
  ["foreign", "foreign, it belongs to another place or session and stayed a token"],
  ["destination", "destination, a field that decides where its value goes was changed"],
  ["altered", "altered, it is no token of this gateway any more"],
  ["truncated", "truncated, it is no token of this gateway any more"],
  ["ambiguous", "ambiguous, two readers could understand the body differently, so it stayed a token"],
]);

const ruleOf = (rule: CallJson["decision"]["rules"][number]): Html =>
  html`<dt>Rule</dt><dd><code>${rule.name}</code> (${rule.effect}): ${rule.reason}</dd>`;

const messageOf = (
  message: CallJson["request"],
  raw: string,
): Html => html`<pre tabindex="0" aria-label="Header fields">${message.headers.map(([name, value]) => `${name}: ${value}\n`)}</pre>
${message.body === null ? html`<p>No body.</p>` : bodyOf(message.body, raw)}`;

const bodyOf = (
  body: BodyJson,
  raw: string,
): Html => html`<p>${body.size} bytes${body.encoding === null ? "" : `, ${body.encoding}`}${body.truncated ? ", truncated in the recording" : ""}, ${body.expired ? "expired: its bytes are not kept any more" : html`SHA-256 <code>${body.sha256 ?? ""}</code>, <a href="${raw}">raw</a>`}</p>
${body.withheld === null ? null : html`<p>Not stored as a whole: ${body.withheld}.</p>`}
${body.text === undefined ? null : html`<pre tabindex="0" aria-label="Body">${readable(body.text)}</pre>`}`;

/** JSON is indented for reading; anything else, and JSON with numbers that would change, is shown as it is. */
function readable(text: string): string {
  if (text.length > 200_000) return `${text.slice(0, 200_000)}\n… ${text.length - 200_000} more characters: see raw`;
  try {
    const indented = JSON.stringify(JSON.parse(text), null, 2);
    return indented.replace(/\s/g, "") === text.replace(/\s/g, "") ? indented : text;
  } catch {
    return text;
  }
}

const table = (
  label: string,
  columns: readonly string[],
  rows: readonly Html[],
): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

const more = (path: string, listed: Listed<unknown>): Html | null =>
  listed.next_cursor === null
    ? null
    : html`<p><a href="${path}?cursor=${encodeURIComponent(listed.next_cursor)}">More</a></p>`;

const whoOf = (session: SessionJson): string => {
  const repository = session.caller["repository"];
  return typeof repository === "string" ? repository : session.caller.subject;
};

const claim = (session: SessionJson, name: string, label: string): Html | null => {
  const value = session.caller[name];
  return typeof value === "string" && value !== "" ? html`<dt>${label}</dt><dd>${value}</dd>` : null;
};

const errandRow = (session: SessionJson): Html | null => {
  const errand = errandOf(session);
  return errand === null
    ? null
    : html`<dt>${errand.word}</dt><dd><a href="/sessions/${errand.of}">session ${errand.of}</a></dd>`;
};

const outcomeOf = (call: Pick<CallJson, "status" | "state">): string =>
  call.status === null ? call.state : String(call.status);

const millisecondsOf = (call: Pick<CallJson, "done_at" | "received_at">): string =>
  call.done_at === null ? "" : String(Date.parse(call.done_at) - Date.parse(call.received_at));
