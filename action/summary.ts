/** The job summary: what the session did, as HTML in Markdown; every word from outside is escaped, the whole stays under GitHub's limit. */

import type { ApprovalJson, CallJson, CloseAnswer } from "../server/contract.ts";
import { escape, lines, link, more, mostRows, table } from "./markup.ts";
import { duration } from "./relay/tell.ts";

export type Recorded = {
  readonly totals: CloseAnswer;
  /** Null when they could not be read. */
  readonly calls: readonly CallJson[] | null;
  /** Those that the calls name. */
  readonly approvals: readonly ApprovalJson[] | null;
};

type SessionLink = { readonly id: string; readonly url: string; readonly connection: string };

/** GitHub drops a step's summary over 1 MiB whole: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#step-isolation-and-limits */
const limit = 1_000_000;
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

const pictures = ({ calls, totals: counted, approvals }: Recorded): string[] => {
  if (calls === null) return ["<p>The calls could not be read.</p>\n"];
  if (calls.length === 0) return [];
  const left = counted.calls - calls.length;
  const partial = left > 0 ? [`<p>Only the first ${calls.length} calls are counted below.</p>\n`] : [];
  const asked = approvals === null ? ["<p>The approvals could not be read.</p>\n"] : [answers(approvals, calls)];
  return [observed(calls), ...partial, operations(calls), ...asked, denials(calls), waterfall(calls, approvals ?? [])];
};

/** The client was told to wait: nothing was sent, and nothing was refused either. */
const isHeld = ({ state, status, approval_id }: CallJson): boolean =>
  state === "refused" && status === 202 && approval_id !== null;

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
    const status = isHeld(call) ? "asked" : call.status === null ? call.state : String(call.status);
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

/** Who was asked what, who answered, and which call it let pass. */
const answers = (approvals: readonly ApprovalJson[], calls: readonly CallJson[]): string => {
  if (approvals.length === 0) return "";
  const callLinks = new Map(calls.map((call) => [call.id, link(call.url, `call ${call.n}`)]));
  const rows = approvals.slice(0, mostRows).map((approval) => {
    const { title, operation, rule, asked_at, decided_at, where, url, consumed_by } = approval;
    const places = [...where.filter(({ kind }) => kind !== "page"), { kind: "page", url }];
    const passed = consumed_by === null ? [] : [callLinks.get(consumed_by) ?? escape(consumed_by)];
    return [
      { html: `${escape(title || operation)}<br>${escape(nameOf(operation))}, rule ${escape(rule)}` },
      { html: [outcomeOf(approval), ...passed].join(", let pass ") },
      { html: approval.answers.slice(0, mostAnswers).map(answerOf).join("<br>") || "nobody answered" },
      decided_at === null ? "–" : duration(Date.parse(decided_at) - Date.parse(asked_at)),
      { html: places.map((place) => link(place.url, escape(place.kind.replaceAll("_", " ")))).join(", ") },
    ];
  });
  const heads = ["Asked", "What happened", "Answers", "After", "Where"];
  return `<h4>Approvals</h4>\n${table(heads, rows)}${more(approvals.length)}`;
};

/** Of one approval; attempts are free for anybody who can comment. */
const mostAnswers = 20;

const answerOf = ({ verdict, by, via, at, accepted, reason }: ApprovalJson["answers"][number]): string => {
  const said = `${verdict} by ${escape(by)} (${via}, ${escape(at)})${reason === "" ? "" : `: ${escape(reason)}`}`;
  return accepted ? said : `<i>not accepted:</i> ${said}`;
};

const outcomeOf = ({ state, reason }: ApprovalJson): string => {
  switch (state) {
    case "consumed":
      return "approved";
    case "approved":
      return "approved, never used";
    case "pending":
      return "not answered when the job ended";
    case "denied":
    case "expired":
    case "stale":
    case "cancelled":
      return reason === "" ? state : `${state}: ${escape(reason)}`;
    default:
      return state satisfies never;
  }
};

const denials = (calls: readonly CallJson[]): string => {
  const denied = calls.filter((call) => call.state === "refused" && !isHeld(call));
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

/** Each call's place in the session's time, as bars; what waited for a person is light. */
const waterfall = (calls: readonly CallJson[], approvals: readonly ApprovalJson[]): string => {
  const decided = new Map(approvals.map((approval) => [approval.id, approval.decided_at]));
  const spans = calls.slice(0, mostBars).map((call) => ({ call, ...spanOf(call, decided) }));
  const start = Math.min(...spans.map(({ from }) => from));
  const end = Math.max(...spans.map(({ to }) => to), start + 1);
  const column = (time: number) => Math.floor(((time - start) / (end - start)) * (width - 1));
  const lines = spans.map(({ call, from, sent, to }) => {
    const [first, middle, last] = [column(from), column(sent), column(to)];
    const mark = isHeld(call) ? "░" : call.state === "refused" ? "×" : "█";
    const bar = `${" ".repeat(first)}${"░".repeat(middle - first)}${mark.repeat(last - middle + 1)}`.padEnd(width);
    return `${String(call.n).padStart(5)} │${bar}│ ${to - from} ms ${escape(nameOf(call.operation))}`;
  });
  const rest = calls.length > spans.length ? `\n      … ${calls.length - spans.length} more` : "";
  return `<details><summary>Timeline (${end - start} ms)</summary>\n<pre>${lines.join("\n")}${rest}</pre>\n</details>\n`;
};

type Span = { readonly from: number; readonly sent: number; readonly to: number };

/** A call that was told to wait lasts until the answer; one whose connection was kept waits until it is sent. */
const spanOf = (call: CallJson, decided: ReadonlyMap<string, string | null>): Span => {
  const from = Date.parse(call.received_at);
  const to = from + durationOf(call);
  const answered = Date.parse(decided.get(call.approval_id ?? "") ?? "");
  if (isHeld(call)) return { from, sent: from, to: Math.max(to, answered || to) };
  const kept = call.approval_id !== null && call.forwarded_at !== null ? Date.parse(call.forwarded_at) : from;
  return { from, sent: Math.min(to, Math.max(from, kept)), to };
};

const nameOf = (operation: string): string => operation.split(".").at(-1) ?? operation;

const durationOf = ({ received_at, done_at }: CallJson): number =>
  done_at === null ? 0 : Math.max(0, Date.parse(done_at) - Date.parse(received_at));

const median = (times: readonly number[]): number => [...times].toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
