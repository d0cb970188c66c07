/** The page of a policy that was in force: the rules that a receipt's digest leads to, and a form to try other ones on what was recorded. */

import type { PolicyBacktestJson, PolicyJson } from "../contract.ts";
import { writePolicy } from "../journeys/policy/policyText.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";
import { resultOf } from "./policyResult.ts";

/** What somebody sent with the form, and what came of it. */
export type Attempt = { readonly text: string; readonly days: number; readonly outcome: PolicyBacktestJson | string };

/** `form`: what the form carries, see `Frame`. */
export const policyPage = (policy: PolicyJson, form: string | null, attempt: Attempt | null = null): Page => ({
  title: "Policy",
  view: "policy",
  body: html`<dl>
<dt>Digest</dt><dd><code>${policy.digest}</code></dd>
<dt>In force since</dt><dd><time>${policy.first_in_force}</time></dd>
<dt>Observe</dt><dd>${policy.observe ? "on: what would be denied was forwarded, except what destroys" : "off"}</dd>
</dl>
<p><a href="#try">Try an edited text</a> on what was recorded in the last days.</p>
<section aria-labelledby="rules"><h2 id="rules">Rules</h2>
${policy.rules.length === 0 ? html`<p>No rule: every call is denied.</p>` : policy.rules.map(ruleOf)}</section>
${tryForm(policy, form, attempt)}`,
});

const ruleOf = ({ name, effect, ...rest }: PolicyJson["rules"][number]): Html => html`<h3 id="rule-${name}">${name}</h3>
<dl><dt>Effect</dt><dd><strong class="${effect}">${effect}</strong></dd>
${Object.entries(rest).map(([key, value]) => html`<dt>${key}</dt><dd><code>${typeof value === "string" ? value : JSON.stringify(value)}</code></dd>`)}</dl>`;

const choices = [1, 7, 14, 30] as const;

function tryForm(policy: PolicyJson, form: string | null, attempt: Attempt | null): Html {
  const text = attempt?.text ?? writePolicy(policy);
  const days = attempt?.days ?? 7;
  return html`<section id="try" aria-labelledby="try-title"><h2 id="try-title">Try an edited text</h2>
<p>Edit the rules, or paste others: the calls that were recorded are decided again, and what would change is listed. Nothing comes into force.</p>
${attempt === null ? null : resultOf(attempt)}
<form class="try" method="post" action="/policy#try">
<input type="hidden" name="form" value="${form}">
<label>Policy <span class="soft">(the block <code>policy:</code> of dogwatch.yaml)</span>
<textarea name="text" rows="20" maxlength="262144" required spellcheck="false" autocapitalize="off" wrap="off">
${text}</textarea></label>
<div class="buttons"><label>Calls of the last <select name="days">${choices.map((one) => html`<option value="${one}"${one === days ? html` selected` : null}>${one === 1 ? "day" : `${one} days`}</option>`)}</select></label>
<button>Try it</button></div>
</form></section>`;
}

/** Drawn by a script from what the API tells; without scripts the list of sessions says the same, one by one. */
export const overviewPage: Page = {
  title: "Overview",
  view: "overview",
  body: html`<p>The charts on this page are drawn by a script. Without scripts, look through the <a href="/sessions">sessions</a>.</p>`,
};
