/** The replays of one session, and the form that starts another one. */

import type { ReplayJson } from "../contract.ts";
import { optionWords, replayVerdict } from "./errands.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

/** Who may start one, and where it may go; or why not. */
export type ReplayOffer = { readonly sandboxes: readonly string[]; readonly refusal: string | null };

export type ShownReplays = {
  readonly session_id: string;
  readonly replays: readonly ReplayJson[];
  readonly next_cursor: string | null;
  readonly offer: ReplayOffer;
  /** What the form carries, see `Frame`. */
  readonly form: string | null;
};

export const replaysPage = (shown: ShownReplays): Page => ({
  title: "Replay",
  body: html`<p><a href="/sessions/${shown.session_id}">Session ${shown.session_id}</a></p>
<p>Its calls are sent again, in their order, to a sandbox, and each answer is compared with the recorded one. Nothing goes to a live connection.</p>
${startOf(shown)}
<h2>Replays so far</h2>
${shown.replays.length === 0 ? html`<p>None on this page.</p>` : tableOf(shown.replays)}
${shown.next_cursor === null ? null : html`<p><a href="/sessions/${shown.session_id}/replays?cursor=${encodeURIComponent(shown.next_cursor)}">More</a></p>`}`,
});

function startOf({ session_id, offer: { sandboxes, refusal }, form }: ShownReplays): Html {
  if (refusal !== null) return html`<p class="notice">You cannot start one: ${refusal}.</p>`;
  if (sandboxes.length === 0)
    return html`<p class="notice">There is no connection of kind <code>sandbox</code> that you may use: it is added under <code>connections</code> in dogwatch.yaml.</p>`;
  return html`<h2 id="start">Start one</h2>
<form method="post" action="/sessions/${session_id}/replays" aria-labelledby="start">
<input type="hidden" name="form" value="${form}">
<label>Sandbox <select name="connection">${sandboxes.map((name) => html`<option value="${name}">${name}</option>`)}</select></label>
<label>Pace <select name="pace"><option value="fast">as fast as it goes</option><option value="recorded">with the recorded pauses</option></select></label>
<label><input type="checkbox" name="dry_run" value="yes">Dry run: send nothing, say what would be sent</label>
<label><input type="checkbox" name="stop_on_difference" value="yes">Stop at the first difference</label>
<button>Replay this session</button></form>`;
}

const tableOf = (
  replays: readonly ReplayJson[],
): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="Replays so far"><table class="words">
<thead><tr>${["Started", "By", "To", "What came of it", "How"].map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${replays.map(rowOf)}</tbody></table></div>`;

function rowOf(replay: ReplayJson): Html {
  const { label, said } = replayVerdict(replay);
  return html`<tr><td><a href="/replays/${replay.id}"><time>${replay.started_at}</time></a></td><td>${replay.by}</td><td>${replay.connection}</td><td>${label} ${said}</td><td>${optionWords(replay)}</td></tr>`;
}
