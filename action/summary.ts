/** The job summary: what the session did, as HTML in Markdown; every word from outside is escaped, the whole stays under GitHub's limit. */

import type { CallJson, CloseAnswer } from "../server/contract.ts";

export type Recorded = {
  readonly totals: CloseAnswer;
  /** Null when they could not be read. */
  readonly calls: readonly CallJson[] | null;
};

type SessionLink = { readonly id: string; readonly url: string; readonly connection: string };

/** GitHub drops a step's summary over 1 MiB whole: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#step-isolation-and-limits */
const limit = 1_000_000;
const mostRows = 100;
const mostBars = 60;

export const summarize = (session: SessionLink, recorded: Recorded | undefined): string => {
  const sections = recorded
    ? [totals(recorded), ...pictures(recorded)]
    : ["<p>The session could not be read when the job ended.</p>\n"];
  const head = `<h3>Dogwatch: Datadog calls of this job</h3>\n<p>${link(session.url, `Session ${escape(session.id)}`)} on connection <b>${escape(session.connection)}</b></p>\n`;
  return fit([head, ...sections]);
};

/** Whole sections only: half a table would swallow the rest of the page. */
const fit = (sections: readonly string[]): string => {
  const note = "<p>The rest is on the session's page: this summary would have been too long.</p>\n";
  let text = "";
  for (const section of sections) {
    if (Buffer.byteLength(text) + Buffer.byteLength(section) > limit - note.length) return text + note;
    text += section;
  }
  return text;
};

const totals = ({ totals: { calls, denied, approved, masked, seal } }: Recorded): string => {
  const counts = [
    `${calls} ${calls === 1 ? "call" : "calls"}`,
    `${denied} denied`,
    `${approved} approved`,
    `${masked} ${masked === 1 ? "value" : "values"} masked`,
  ];
  const sealed = seal ? `<p>Sealed ${escape(seal.sealed_at)}, head <code>${escape(seal.head)}</code></p>\n` : "";
  const checkpoint = seal?.checkpoint ? `<pre>${lines(seal.checkpoint)}</pre>\n` : "";
  return `<p>${counts.join(" · ")}</p>\n${sealed}${checkpoint}`;
};

const pictures = ({ calls, totals: counted }: Recorded): string[] => {
  if (calls === null) return ["<p>The calls could not be read.</p>\n"];
  if (calls.length === 0) return [];
  const left = counted.calls - calls.length;
  const partial = left > 0 ? [`<p>Only the first ${calls.length} calls are counted below.</p>\n`] : [];
  return [observed(calls), ...partial, operations(calls), denials(calls), waterfall(calls)];
};

type Row = { operation: string; effect: string; statuses: Map<string, number>; times: number[] };

const operations = (calls: readonly CallJson[]): string => {
  const rows = new Map<string, Row>();
  for (const call of calls) {
    const key = `${call.operation} ${call.decision.effect}`;
    const row: Row = rows.get(key) ?? {
      operation: call.operation,
      effect: call.decision.effect,
      statuses: new Map(),
      times: [],
    };
    const status = call.status === null ? call.state : String(call.status);
    row.statuses.set(status, (row.statuses.get(status) ?? 0) + 1);
    row.times.push(durationOf(call));
    rows.set(key, row);
  }
  const sorted = [...rows.values()].toSorted((a, b) => b.times.length - a.times.length);
  const cells = sorted.slice(0, mostRows).map(({ operation, effect, statuses, times }) => {
    const shown = [...statuses].map(([status, count]) => (count === 1 ? status : `${status} ×${count}`)).join(", ");
    return [operation, String(times.length), effect, shown, `${median(times)} ms`, `${Math.max(...times)} ms`];
  });
  return table(["Operation", "Calls", "Decision", "Status", "Median", "Longest"], cells) + more(sorted.length);
};

/** First and loud: what passed here will not pass once the rule is in force. */
const observed = (calls: readonly CallJson[]): string => {
  const passed = calls.filter(({ decision }) => decision.effect === "observe");
  if (passed.length === 0) return "";
  const rows = passed.slice(0, mostRows).map((call) => {
    const rules = call.decision.rules.filter(({ effect }) => effect !== "allow").map(({ name }) => name);
    const rule = rules.join(", ") || "no rule allows it";
    return [{ html: link(call.url, String(call.n)) }, call.operation, rule, call.decision.reason];
  });
  const count = passed.length === 1 ? "1 call was" : `${passed.length} calls were`;
  const warning = `<h4>⚠️ ${count} forwarded only because the policy observes here: enforced, it refuses them</h4>\n`;
  return `${warning}${table(["Call", "Operation", "Rule", "Reason"], rows)}${more(passed.length)}`;
};

const denials = (calls: readonly CallJson[]): string => {
  const denied = calls.filter((call) => call.state === "refused");
  if (denied.length === 0) return "";
  const rows = denied.slice(0, mostRows).map((call) => {
    const rules = call.decision.rules.filter(({ effect }) => effect === call.decision.effect).map(({ name }) => name);
    const reason = call.error ?? call.decision.reason;
    return [
      { html: link(call.url, String(call.n)) },
      call.operation,
      call.error_code ?? "denied",
      rules.join(", ") || "no rule allows it",
      reason,
    ];
  });
  return `<h4>Refused</h4>\n${table(["Call", "Operation", "Code", "Rule", "Reason"], rows)}${more(denied.length)}`;
};

const width = 40;

/** Each call's place in the session's time, as bars. */
const waterfall = (calls: readonly CallJson[]): string => {
  const shown = calls.slice(0, mostBars);
  const start = Math.min(...shown.map(({ received_at }) => Date.parse(received_at)));
  const end = Math.max(...shown.map((call) => Date.parse(call.received_at) + durationOf(call)), start + 1);
  const column = (time: number) => Math.floor(((time - start) / (end - start)) * (width - 1));
  const lines = shown.map((call) => {
    const [from, to] = [column(Date.parse(call.received_at)), column(Date.parse(call.received_at) + durationOf(call))];
    const bar = `${" ".repeat(from)}${(call.state === "refused" ? "×" : "█").repeat(to - from + 1)}`.padEnd(width);
    return `${String(call.n).padStart(5)} │${bar}│ ${durationOf(call)} ms ${escape(nameOf(call.operation))}`;
  });
  const rest = calls.length > shown.length ? `\n      … ${calls.length - shown.length} more` : "";
  return `<details><summary>Timeline (${end - start} ms)</summary>\n<pre>${lines.join("\n")}${rest}</pre>\n</details>\n`;
};

const nameOf = (operation: string): string => operation.split(".").at(-1) ?? operation;

const durationOf = ({ received_at, done_at }: CallJson): number =>
  done_at === null ? 0 : Math.max(0, Date.parse(done_at) - Date.parse(received_at));

const median = (times: readonly number[]): number => [...times].toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

type Cell = string | { readonly html: string };

const table = (heads: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const row = (tag: string, cells: readonly Cell[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${typeof cell === "string" ? escape(cell) : cell.html}</${tag}>`).join("")}</tr>\n`;
  return `<table>\n${row("th", heads)}${rows.map((cells) => row("td", cells)).join("")}</table>\n`;
};

const more = (count: number): string => (count > mostRows ? `<p>… and ${count - mostRows} more.</p>\n` : "");

/** Characters of one cell. */
const longestWord = 200;
const longestLine = 1_000;

/** A cut address would lead nowhere, so a long one is none. */
const link = (url: string, html: string): string =>
  url.length > longestLine ? html : `<a href="${escape(url, longestLine)}">${html}</a>`;

const lines = (text: string): string =>
  text
    .split("\n")
    .map((line) => escape(line, longestLine))
    .join("\n");

/** Nothing in it can become markup, a mention, a link or a new line; text that turns the reading direction is shown as what it is. */
const escape = (text: string, longest = longestWord): string =>
  (text.length > longest ? `${text.slice(0, longest)}…` : text)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu, "\ufffd")
    .replace(/[&<>"'`|*_[\]\\~#@!$]/g, (character) => `&#${character.charCodeAt(0)};`);
