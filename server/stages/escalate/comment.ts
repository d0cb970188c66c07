/** The question, and later its answer, as a comment on GitHub. Nothing that others chose stands in it but in code: no name is a mention, no body ends its fence. */

import type { Answer, Approval } from "../../model/approval.ts";
import { alert, boxOf, type Links } from "./answered.ts";
import { sectionsOf } from "./sections.ts";
import { html, htmlCode, short, words } from "./visible.ts";
import { whoMayAnswer } from "./who.ts";

/** GitHub's limit is 65,536 characters. */
const most = 65_000;

/** The comment as it reads in the approval's present state: ask with it, and edit it to it at the end. */
export function commentOf(approval: Approval, links: Links): string {
  const { question } = approval;
  const beginning = [
    marker(approval.id),
    `### ${titleIn(question.title)}`,
    boxOf(approval, links),
    factsOf(approval),
  ].join("\n\n");
  const end = footOf(approval);
  const warningRoom = 400 + links.page.length;
  const { markdown, missing } = sectionsOf(question, most - beginning.length - end.length - warningRoom);
  return [
    beginning,
    ...noteOf(approval),
    ...(missing.length === 0
      ? []
      : [
          alert(
            "WARNING",
            `**This is not all of it**: there is no room here for ${missing.join(" and ")}. Read [the whole question](${links.page}) before you answer.`,
          ),
        ]),
    ...(markdown === "" ? [] : [markdown]),
    end,
  ].join("\n\n");
}

/** What is replied to one attempt, accepted or refused. */
export function replyOf({ code, terms, answers, state }: Approval, answer: Answer): string {
  if (!answer.accepted) return `**This does not count.** ${sentence(answer.reason)}`;
  if (answer.verdict === "deny") return "**Denied.** Nothing is sent.";
  const count = answers.filter(({ accepted, verdict }) => accepted && verdict === "approve").length;
  return state === "pending"
    ? `**${count} of ${terms.approvers.count}** approvals: somebody else has to answer \`/approve ${code}\` too.`
    : "**Approved.** Exactly this request passes, once.";
}

const marker = (id: string): string => `<!-- dogwatch:approval:${id} -->`;

/** The id of the approval whose comment this is; null unless it begins with our marker: a marker inside a body proves nothing. */
export const markedApproval = (comment: string): string | null =>
  /^<!-- dogwatch:approval:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) -->(?:\r?\n|$)/.exec(comment)?.[1] ?? null;

/** Our words as they are, and the name that somebody else chose, each for itself. */
const titleIn = (title: string): string => {
  const name = title.indexOf("“");
  return name <= 0 ? words(title) : `${words(title.slice(0, name).trimEnd())} ${words(title.slice(name))}`;
};

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
  const { repository, workflow, job, actor, ref, run_url, subject, issuer } = who;
  if (repository === undefined) return `${htmlCode(subject ?? "unknown")}, known to ${htmlCode(issuer ?? "nobody")}`;
  return [
    htmlCode(repository),
    ...(workflow === undefined ? [] : [`workflow ${htmlCode(workflow)}`]),
    ...(job === undefined ? [] : [`job ${htmlCode(job)}`]),
    ...(ref === undefined ? [] : [`on ${htmlCode(ref)}`]),
    ...(actor === undefined ? [] : [`started by ${htmlCode(actor)}`]),
    ...(run_url === undefined ? [] : [`<a href="${html(run_url)}">the run</a>`]),
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

/** Our own sentences, with what they may have taken from elsewhere made harmless. */
const sentence = (text: string): string =>
  text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? plain(part) : `\`${part}\``))
    .join("");

const plain = (text: string): string =>
  short(text, 600)
    .replaceAll(/[\\*_[\]<>~|&#]/g, "\\$&")
    .replaceAll(/[@#]|:\/\//g, (mark) => `${mark}\u200b`);
