/** What a question tells below its state: who asks, why, what changes, and what an approval is good for. */

import type { Approval } from "../../model/approval.ts";
import { alert, type Links } from "./answered.ts";
import { sectionsOf } from "./sections.ts";
import { html, htmlCode, short, words } from "./visible.ts";
import { whoMayAnswer } from "./who.ts";

/** In at most `room` characters; what does not fit is said to be missing, and where it is. */
export function detailsOf(approval: Approval, { page }: Links, room: number): string {
  const beginning = [factsOf(approval), ...noteOf(approval)].join("\n\n");
  const end = footOf(approval);
  const { markdown, missing } = sectionsOf(approval.question, room - beginning.length - end.length - page.length - 400);
  const note = `**This is not all of it**: there is no room here for ${missing.join(" and ")}. Read [the whole question](${page}) before you answer.`;
  return [
    beginning,
    ...(missing.length === 0 ? [] : [alert("WARNING", note)]),
    ...(markdown === "" ? [] : [markdown]),
    end,
  ].join("\n\n");
}

/** HTML without a blank line: Markdown does not look into it. */
function factsOf(approval: Approval): string {
  const { question } = approval;
  const { method, host, path, query } = question;
  const rows: readonly (readonly [string, string])[] = [
    ["Who asks", whoAsks(question.who)],
    ["Why it is held", why(approval)],
    ["Request", htmlCode(short(`${method} https://${host}${path}${query === "" ? "" : `?${query}`}`, 1_500))],
    [
      "Operation",
      `${htmlCode(question.operation)}, ${html(question.access)}, on connection ${htmlCode(question.connection)}`,
    ],
    ["Who may answer", whoMayAnswer(approval)],
  ];
  return [
    "<table>",
    ...rows.map(([name, value]) => `<tr><td><b>${name}</b></td><td>${value}</td></tr>`),
    "</table>",
  ].join("\n");
}

function whoAsks(who: Readonly<Record<string, string>>): string {
  const { repository, workflow, job, actor, ref, run_url, subject, issuer, undo_of } = who;
  const link = run_url === undefined ? [] : [`<a href="${html(run_url)}">the run</a>`];
  if (undo_of !== undefined)
    return [
      `${htmlCode(subject ?? "unknown")}, to undo session ${htmlCode(undo_of)}`,
      ...(repository === undefined ? [] : [`of ${htmlCode(repository)}`]),
      ...link,
    ].join(", ");
  if (repository === undefined) return `${htmlCode(subject ?? "unknown")}, known to ${htmlCode(issuer ?? "nobody")}`;
  return [
    htmlCode(repository),
    ...(workflow === undefined ? [] : [`workflow ${htmlCode(workflow)}`]),
    ...(job === undefined ? [] : [`job ${htmlCode(job)}`]),
    ...(ref === undefined ? [] : [`on ${htmlCode(ref)}`]),
    ...(actor === undefined ? [] : [`started by ${htmlCode(actor)}`]),
    ...link,
  ].join(", ");
}

const why = ({ question, terms }: Approval): string =>
  question.why.length === 0
    ? `rule ${htmlCode(terms.rule)}`
    : question.why.map(({ rule, reason }) => `rule ${htmlCode(rule)}: ${htmlCode(short(reason, 600))}`).join("<br>");

/** What a reviewer would look for and not find. */
function noteOf({ question }: Approval): readonly string[] {
  const { current, body, body_size } = question;
  const notes = [
    ...(current.kind === "unavailable" && question.method !== "POST"
      ? [`Current state not available: ${words(current.why)}.`]
      : []),
    ...(current.kind === "known" && current.text === "null"
      ? ["There is nothing at this path now: Datadog answered 404."]
      : []),
    ...(body === null && body_size > 0 ? [`The body is no text: ${body_size} bytes, bound by their SHA-256.`] : []),
  ];
  return notes.length === 0 ? [] : [notes.join(" ")];
}

function footOf({ id, digest, binding, run }: Approval): string {
  const commit = binding.head_sha === null ? "" : `, for commit ${binding.head_sha.slice(0, 12)}`;
  const attempt = run === null ? "" : `, attempt ${run.run_attempt} of this run`;
  return `<sub>An approval lets exactly this request pass, once${commit}${attempt}. Another request, another commit or another state of what it changes asks again. Approval <code>${html(id)}</code>, digest <code>${html(digest.slice(0, 16))}</code>.</sub>`;
}
