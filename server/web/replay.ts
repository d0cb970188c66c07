/** One replay: how it stands, what became of each call, and the buttons that stop it and clean up after it. */

import type { ReplayedCallJson, ReplayJson } from "../contract.ts";
import { cleanUpSentence, optionWords, outcomeMarks, outcomeNames, replayVerdict, valueOf } from "./errands.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export type Outcome = ReplayedCallJson["outcome"];

export type ShownReplay = {
  readonly replay: ReplayJson;
  readonly calls: readonly ReplayedCallJson[];
  readonly next_cursor: string | null;
  /** Of which outcome calls are shown; null: of all. */
  readonly outcome: Outcome | null;
  /** What forms carry for whoever may stop it and clean up after it; null for everybody else. */
  readonly form: string | null;
};

export const replayPage = (shown: ShownReplay): Page => ({
  title: "Replay",
  view: "replay",
  body: html`<p><a href="/sessions/${shown.replay.session_id}">Session ${shown.replay.session_id}</a> · <a href="/sessions/${shown.replay.session_id}/replays">all its replays</a></p>
${stateOf(shown.replay)}
${factsOf(shown.replay)}
${actsOf(shown)}
<h2>Calls</h2>
${chipsOf(shown)}
${shown.calls.length === 0 ? html`<p>None on this page.</p>` : callsOf(shown)}
${shown.next_cursor === null ? null : html`<p><a href="${hereOf(shown)}${shown.outcome === null ? "?" : "&"}cursor=${encodeURIComponent(shown.next_cursor)}">More</a></p>`}`,
});

const hereOf = ({ replay: { id }, outcome }: ShownReplay): string =>
  `/replays/${id}${outcome === null ? "" : `?outcome=${outcome}`}`;

const stateOf = (replay: ReplayJson): Html => {
  const { label, said, box } = replayVerdict(replay);
  return html`<div class="state ${box}"><p><strong>${label}</strong> ${said}</p>${replay.state === "running" ? html`<p><a href="/replays/${replay.id}">Show it as it is now</a></p>` : null}</div>`;
};

const factsOf = (replay: ReplayJson): Html => html`<dl>
<dt>Sent to</dt><dd>sandbox <code>${replay.connection}</code>, ${optionWords(replay)}</dd>
<dt>Started</dt><dd>by ${replay.by}, <time>${replay.started_at}</time>${replay.ended_at === null ? null : html`, over <time>${replay.ended_at}</time>`}</dd>
${replay.replay_session_id === null ? null : html`<dt>Its recording</dt><dd><a href="/sessions/${replay.replay_session_id}">session ${replay.replay_session_id}</a></dd>`}
${replay.cleanup === null ? null : html`<dt>Clean-up</dt><dd>${cleanUpSentence(replay.cleanup)}${replay.cleanup.reasons.map((reason) => html`<div>${reason}</div>`)}</dd>`}
</dl>`;

/** The script learns here whether who looks may do it. */
function actsOf({ replay, form }: ShownReplay): Html | null {
  if (form === null) return null;
  const { id, state, replay_session_id, cleanup } = replay;
  const act = (name: string, words: string): Html =>
    html`<form method="post" action="/replays/${id}/${name}"><input type="hidden" name="form" value="${form}"><button class="quiet">${words}</button></form>`;
  const cleans = state !== "running" && replay_session_id !== null && cleanup?.state !== "running";
  return html`<div class="buttons" id="acts" data-form="${form}">${state === "running" ? act("stop", "Stop it") : null}${cleans ? act("cleanup", "Delete what it created in the sandbox") : null}</div>`;
}

const chipsOf = ({ replay, outcome }: ShownReplay): Html => html`<nav aria-label="Outcomes"><ul class="chips">
<li><a class="chip" href="/replays/${replay.id}"${outcome === null ? html` aria-current="page"` : null}>all</a></li>
${outcomeNames
  .filter((one) => replay[one] > 0 || one === outcome)
  .map(
    (one) =>
      html`<li><a class="chip" href="/replays/${replay.id}?outcome=${one}"${one === outcome ? html` aria-current="page"` : null}>${outcomeMarks[one].word} ${replay[one]}</a></li>`,
  )}</ul></nav>`;

const callsOf = ({
  replay,
  calls,
}: ShownReplay): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="Calls"><table class="words">
<thead><tr>${["#", "Outcome", "Request", "Status then", "Status here", "Why, and what differs"].map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${calls.map((call) => rowOf(replay, call))}</tbody></table></div>`;

const rowOf = ({ session_id, replay_session_id }: ReplayJson, call: ReplayedCallJson): Html => html`<tr>
<td><a href="/sessions/${session_id}/calls/${call.n}">${call.n}<span class="unseen"> as it was recorded</span></a></td>
<td><span class="badge ${outcomeMarks[call.outcome].badge}">${outcomeMarks[call.outcome].sign} ${outcomeMarks[call.outcome].word}</span></td>
<td>${call.operation}<br><code>${call.method} ${call.path}</code></td>
<td>${call.recorded_status ?? "none"}</td>
<td>${call.replay_n === null || replay_session_id === null ? "not sent" : html`<a href="/sessions/${replay_session_id}/calls/${call.replay_n}">${call.replayed_status ?? "none"}<span class="unseen"> to call ${call.replay_n} of the replay</span></a>`}</td>
<td>${call.reason}${differencesOf(call)}</td></tr>`;

const differencesOf = ({ n, differences }: ReplayedCallJson): Html | null => {
  if (differences === null) return html`<p>What differed is not kept any more: it went with the bodies.</p>`;
  if (differences.length === 0) return null;
  return html`<table class="words plain-table" aria-label="What differs in call ${n}"><thead><tr><th scope="col">Field</th><th scope="col">Recorded</th><th scope="col">Replayed</th></tr></thead><tbody>${differences.map(({ path, recorded, replayed }) => html`<tr><td><code>${path}</code></td><td><code class="del">${valueOf(recorded)}</code></td><td><code class="add">${valueOf(replayed)}</code></td></tr>`)}</tbody></table>`;
};
