/** The question, and later its answer, as a comment on GitHub. Nothing that others chose stands in it but in code: no name is a mention, no body ends its fence. */

import type { Answer, Approval } from "../../model/approval.ts";
import { boxOf, type Links } from "./answered.ts";
import { detailsOf } from "./details.ts";
import { code, short, words } from "./visible.ts";

/** GitHub's limit is 65,536 characters. */
const most = 65_000;

/** The comment as it reads in the approval's present state: ask with it, and edit it to it at the end. */
export function commentOf(approval: Approval, links: Links): string {
  const title = `### ${titleIn(approval.question.title)}`;
  const box = boxOf(approval, links, "thread");
  const beginning = [markerOf(approval.id), title, box, ...sealOf(links)].join("\n\n");
  return `${beginning}\n\n${detailsOf(approval, links, most - beginning.length)}`;
}

/** What the gateway signed when the job's session was over: whoever alters the recording afterwards contradicts it. */
const sealOf = ({ seal }: Links): readonly string[] =>
  seal === null || seal.checkpoint === null
    ? []
    : [
        [
          "<details><summary>The recording of this job is sealed</summary>",
          "",
          `Head ${code(seal.head)}, ${seal.calls} calls. This checkpoint of the log of seals covers it:`,
          "",
          "```",
          seal.checkpoint.trimEnd(),
          "```",
          "</details>",
        ].join("\n"),
      ];

/** What is replied to one attempt, accepted or refused. A button leaves no comment to reply to, so it is said whose it was. */
export function replyOf(approval: Approval, answer: Answer): string {
  const said = verdictOf(approval, answer);
  if (answer.via !== "check") return said;
  const button = answer.verdict === "deny" ? "Deny" : "Approve";
  return `${code(answer.by.replace(/^github:/, ""))} pressed ${button}. ${said}`;
}

function verdictOf({ code: CODE, terms, answers, state }: Approval, answer: Answer): string {
  if (!answer.accepted) return `**This does not count.** ${sentence(answer.reason)}`;
  if (answer.verdict === "deny") return "**Denied.** Nothing is sent.";
  const count = answers.filter(({ accepted, verdict }) => accepted && verdict === "approve").length;
  if (state === "pending")
    return `**${count} of ${terms.approvers.count}** approvals: somebody else has to answer \`/approve ${CODE}\` too.`;
  return answer.grant === null
    ? "**Approved.** Exactly this request passes, once."
    : "**Approved.** This request passes, and others of the same operation as long as you said.";
}

/** With what our comment about it begins. */
export const markerOf = (id: string): string => `<!-- dogwatch:approval:${id} -->`;

/** With what our reply to one attempt begins; `key` names the attempt. */
export const replyMarkerOf = (key: string): string => `<!-- dogwatch:reply:${key.replaceAll(/[^\w:-]/g, "_")} -->`;

/** The id of the approval whose comment this is; null unless it begins with our marker: a marker inside a body proves nothing. */
export const markedApproval = (comment: string): string | null =>
  /^<!-- dogwatch:approval:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) -->(?:\r?\n|$)/.exec(comment)?.[1] ?? null;

/** Our words as they are, and the name that somebody else chose, each for itself. */
const titleIn = (title: string): string => {
  const name = title.indexOf("“");
  return name <= 0 ? words(title) : `${words(title.slice(0, name).trimEnd())} ${words(title.slice(name))}`;
};

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
