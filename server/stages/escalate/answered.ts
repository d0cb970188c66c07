/** The state of a question in one box: what it waits for, or how it was answered. */

import type { Answer, Approval, Way } from "../../model/approval.ts";
import type { Seal } from "../../model/seal.ts";
import { code, short, words } from "./visible.ts";
import { lasting, utc } from "./when.ts";

export type Links = {
  /** The approval's page. */
  readonly page: string;
  /** The page of the call that the approval let pass; null while there is none. */
  readonly call: string | null;
  /** Of the session, once it is over; with it the comment is an anchor, out of the database's reach. */
  readonly seal: Seal | null;
};

/** GitHub draws each in a colour of its own: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts */
type Alert = "IMPORTANT" | "NOTE" | "TIP" | "CAUTION" | "WARNING";

export const alert = (kind: Alert, ...lines: readonly string[]): string =>
  [`[!${kind}]`, ...lines].map((line) => (line === "" ? ">" : `> ${line}`)).join("\n");

/** `where` it stands decides what "below" and "above" mean. */
export function boxOf(approval: Approval, links: Links, where: "thread" | "check"): string {
  switch (approval.state) {
    case "pending":
      return alert("IMPORTANT", ...waiting(approval, links, where));
    case "approved":
      return alert(
        "NOTE",
        `**Approved** by ${whoApproved(approval)}. The request passes once, when the job sends it again, until ${utc(approval.expires_at)}.`,
      );
    case "consumed":
      return alert(
        "TIP",
        `**Approved** by ${whoApproved(approval)}, **and sent**${links.call === null ? "." : `: [see what it did](${links.call}).`}`,
      );
    case "denied":
      return alert("CAUTION", `**Denied**${whoDenied(approval)}. Nothing was sent.`);
    case "expired":
      return alert("WARNING", `**Not approved in time**: it ended at ${utc(approval.expires_at)}. Nothing was sent.`);
    case "stale":
      return alert("WARNING", `**Approved, and not valid any more**: ${words(approval.reason)}. Nothing was sent.`);
    case "cancelled":
      return alert("WARNING", `**Not asked any more**: ${words(approval.reason)}. Nothing was sent.`);
    default:
      return approval.state satisfies never;
  }
}

function waiting(approval: Approval, { page }: Links, where: "thread" | "check"): readonly string[] {
  const { terms, asked_at, expires_at } = approval;
  const until = `until **${utc(expires_at)}** (${lasting(expires_at.getTime() - asked_at.getTime())} after it was asked)`;
  const others = terms.via.flatMap((way) => (way === "comment" ? [] : [otherWay[way](page, where)]));
  const counted = `**${approvals(approval).length} of ${terms.approvers.count}** approvals so far.`;
  return [
    `**This request to Datadog waits for a person**, ${until}.`,
    ...(terms.via.includes("comment") ? byComment(approval, where) : ["A comment does not count for it."]),
    ...(others.length === 0
      ? []
      : ["", `${terms.via.includes("comment") ? "Or answer" : "Answer"} ${others.join(" or ")}.`]),
    ...(terms.approvers.count === 1 ? [] : ["", counted]),
  ];
}

const byComment = (approval: Approval, where: "thread" | "check"): readonly string[] => [
  `Answer ${where === "thread" ? "below" : "in the thread of the question"}; the first line of your reply decides:`,
  "",
  ...commands(approval).flatMap((command) => ["```", command, "```"]),
  ...lastingNote(approval),
];

function lastingNote({ operation, terms: { grants } }: Approval): readonly string[] {
  const ways = [...(grants.session ? ["`session`"] : []), ...(grants.longest === null ? [] : ["a time"])];
  return ways.length === 0
    ? []
    : [
        "",
        `With ${ways.join(" or ")} every ${code(operation.split(".").at(-1) ?? operation)} of this job passes for that long, whatever it changes.`,
      ];
}

const otherWay = {
  check: (_page, where) => (where === "check" ? "with a button above" : "with a button of the check run"),
  page: (page) => `[on the approval's page](${page})`,
} as const satisfies Record<Exclude<Way, "comment">, (page: string, where: "thread" | "check") => string>;

const commands = ({ code: CODE, terms: { grants } }: Approval): readonly string[] => [
  `/approve ${CODE}`,
  ...(grants.session ? [`/approve ${CODE} session`] : []),
  ...(grants.longest === null ? [] : [`/approve ${CODE} ${shortest(grants.longest)}`]),
  `/deny ${CODE} reason`,
];

/** As a command takes it: `30m`. */
const shortest = (ms: number): string =>
  ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.floor(ms / 1_000)}s`;

const approvals = ({ answers }: Approval): readonly Answer[] =>
  answers.filter(({ accepted, verdict }) => accepted && verdict === "approve");

const whoApproved = (approval: Approval): string => approvals(approval).map(inWords).join(" and ") || "nobody";

const inWords = ({ by, via, at }: Answer): string => `${code(nameOf(by))} (${viaInWords[via]}, ${utc(at)})`;

const viaInWords = { comment: "comment", check: "check run", page: "page" } as const satisfies Record<Way, string>;

const nameOf = (by: string): string => (by.startsWith("github:") ? by.slice("github:".length) : by);

/** With the person's own words, which are no words of ours. */
function whoDenied({ answers }: Approval): string {
  const denial = answers.find(({ accepted, verdict }) => accepted && verdict === "deny");
  if (denial === undefined) return "";
  return ` by ${inWords(denial)}${denial.reason === "" ? "" : `: ${code(short(denial.reason, 500))}`}`;
}
