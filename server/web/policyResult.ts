/** What came of trying a policy text: what is wrong with it, or what it would have decided otherwise. */

import type { PolicyBacktestJson } from "../contract.ts";
import { type Html, html } from "./html.ts";
import type { Attempt } from "./policy.ts";

type Report = NonNullable<PolicyBacktestJson["report"]>;
type Group = Report["groups"][number];

export function resultOf({ text, outcome }: Attempt): Html {
  if (typeof outcome === "string")
    return html`<div id="try-result"><p class="notice" role="alert">It was not tried: ${outcome}.</p></div>`;
  const { problems, report } = outcome;
  return html`<div id="try-result">${report === null ? problemsOf(problems, text) : reportOf(report)}</div>`;
}

const problemsOf = (problems: PolicyBacktestJson["problems"], text: string): Html => {
  const lines = text.split("\n");
  return html`<div class="notice" role="alert"><p><strong>This text cannot be used</strong>: ${counted(problems.length, "problem")}.</p>
<ul>${problems.map(({ line, column, path, message }) => html`<li>Line ${line}, column ${column}: ${path === "" ? null : html`<code>${path}</code> `}${message}${excerptOf(lines[line - 1] ?? "")}</li>`)}</ul></div>`;
};

const excerptOf = (line: string): Html | null => {
  const shown = line.trim().slice(0, 200);
  return shown === "" ? null : html`<br><code class="soft">${shown}</code>`;
};

function reportOf(report: Report): Html {
  const { calls, changed, groups } = report;
  return html`<p role="status"><strong>${calls === 0 ? "No call was recorded in that time" : changed === 0 ? "No decision changes" : changed === 1 ? "1 decision changes" : `${changed} decisions change`}</strong>${calls === 0 ? "." : `: ${counted(calls, "call")} since ${report.since}, decided again.`}</p>
${notesOf(report).map((note) => html`<p>${note}</p>`)}
${report.rules.length === 0 ? null : rulesTable(report.rules)}
${groups.length === 0 ? null : groupsTable(groups)}`;
}

const rulesTable = (rules: Report["rules"]): Html => html`<h3>By rule</h3>
<div class="scroll" tabindex="0" role="region" aria-label="By rule"><table><thead><tr><th scope="col">Rule</th><th scope="col">Decided then</th><th scope="col">Would decide</th></tr></thead>
<tbody>${rules.map(({ name, before, after }) => html`<tr><td><code>${name}</code></td><td class="n">${before}</td><td class="n">${after}</td></tr>`)}</tbody></table></div>`;

const groupsTable = (groups: readonly Group[]): Html => html`<h3>What changes</h3>
<div class="scroll" tabindex="0" role="region" aria-label="What changes"><table class="words"><thead><tr><th scope="col">Operation</th><th scope="col">Who</th><th scope="col">Calls</th><th scope="col">Then</th><th scope="col">Now</th><th scope="col">Like</th></tr></thead>
<tbody>${groups.map(groupRow)}</tbody></table></div>`;

const groupRow = (group: Group): Html => html`<tr><td>${group.operation} <span class="soft">${group.access}</span></td>
<td>${group.caller} <span class="soft">on ${group.connection}</span></td><td class="n">${group.count}</td>
<td><strong class="${group.before}">${group.before}</strong>${byOf(group.rules_before)}</td>
<td><strong class="${group.after}">${group.after}</strong>${byOf(group.rules)}<br><span class="soft">${group.reason}</span></td>
<td class="like">${group.examples.map(callLink)}</td></tr>`;

const byOf = (rules: readonly string[]): Html | null =>
  rules.length === 0
    ? null
    : html` by ${rules.map((rule, index) => html`${index === 0 ? "" : ", "}<code>${rule}</code>`)}`;

const callLink = ({ id }: Group["examples"][number]): Html => {
  const [session = "", n = ""] = id.split("/");
  return html`<a href="/sessions/${session}/calls/${n}">call ${n}<span class="unseen"> of session ${session}</span></a> `;
};

const notesOf = (report: Report): readonly (string | Html)[] => [
  ...(report.complete
    ? []
    : [
        report.looked_until === null
          ? "The time for it was over before anything was looked at: try fewer days."
          : `The time for it was over: sessions that began after ${report.looked_until} were not looked at. Try fewer days.`,
      ]),
  ...(report.ungrouped > 0 ? [`${counted(report.ungrouped, "changed call")} of further kinds are not listed.`] : []),
  ...(report.unsettled.count > 0
    ? [
        html`${counted(report.unsettled.count, "call")} cannot be decided again, because a rule reads a body that was not recorded whole: ${report.unsettled.examples.map(callLink)}`,
      ]
    : []),
  ...(report.undecided > 0
    ? [`${counted(report.undecided, "call")} never came to a decision (malformed, or broken off).`]
    : []),
  ...(report.rules_on_answers > 0
    ? [`${counted(report.rules_on_answers, "rule")} on answers (phase: response) cannot be tried on recordings.`]
    : []),
];

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
