/** The page of a policy that was in force: the rules that a receipt's digest leads to. */

import type { PolicyJson } from "../contract.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export const policyPage = (policy: PolicyJson): Page => ({
  title: "Policy",
  view: "policy",
  body: html`<dl>
<dt>Digest</dt><dd><code>${policy.digest}</code></dd>
<dt>In force since</dt><dd><time>${policy.first_in_force}</time></dd>
<dt>Observe</dt><dd>${policy.observe ? "on: what would be denied was forwarded, except what destroys" : "off"}</dd>
</dl>
<p>To try an edited policy against what was recorded, without changing anything: <code>dogwatch policy backtest</code>.</p>
${policy.rules.length === 0 ? html`<p>No rule: every call is denied.</p>` : policy.rules.map(ruleOf)}`,
});

const ruleOf = ({ name, effect, ...rest }: PolicyJson["rules"][number]): Html => html`<h2 id="rule-${name}">${name}</h2>
<dl><dt>Effect</dt><dd><strong class="${effect}">${effect}</strong></dd>
${Object.entries(rest).map(([key, value]) => html`<dt>${key}</dt><dd><code>${typeof value === "string" ? value : JSON.stringify(value)}</code></dd>`)}</dl>`;

/** Drawn by a script from what the API tells; without scripts the list of sessions says the same, one by one. */
export const overviewPage: Page = {
  title: "Overview",
  view: "overview",
  body: html`<p>The charts on this page are drawn by a script. Without scripts, look through the <a href="/sessions">sessions</a>.</p>`,
};
