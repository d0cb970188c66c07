/** Whether an attempt to answer counts: every condition is decided here, from facts that were gathered live. What is not known refuses. */

import type { Approval } from "../../model/approval.ts";
import type { Attempt, Facts } from "./facts.ts";
import { sameName } from "./standing.ts";
import { objectionToButton, objectionToComment } from "./weighGitHub.ts";
import { objectionToPage } from "./weighPage.ts";
import { lasting } from "./when.ts";

/** `reason` says to the person what was wrong and what would work; empty when it counts. */
export type Weighed = { readonly accepted: boolean; readonly reason: string };

/** One sentence when it does not count, null when nothing speaks against it. */
type Objection = string | null;

export const weigh = (approval: Approval, attempt: Attempt, facts: Facts): Weighed => {
  const reason =
    objectionToTime(approval, facts.now) ??
    objectionToWay(approval, facts) ??
    objectionToCode(approval, attempt, facts) ??
    objectionToFacts(approval, facts) ??
    objectionToGrant(approval, attempt) ??
    objectionToRepeating(approval, attempt, facts);
  return { accepted: reason === null, reason: reason ?? "" };
};

function objectionToTime(approval: Approval, now: Date): Objection {
  switch (approval.state) {
    case "pending":
      return now.getTime() < approval.expires_at.getTime()
        ? null
        : "The time for an answer is over: when the job sends its request again, a new question is asked.";
    case "approved":
    case "consumed":
      return "This question was approved before: the first final answer counts.";
    case "denied":
      return "This question was denied before, and that is final: only a new request asks again.";
    case "expired":
      return "The time for an answer is over: when the job sends its request again, a new question is asked.";
    case "stale":
    case "cancelled":
      return "This question is closed: when the job sends its request again, a new question is asked.";
    default:
      return approval.state satisfies never;
  }
}

const objectionToWay = ({ terms }: Approval, { way }: Facts): Objection =>
  terms.via.includes(way)
    ? null
    : `Rule ${terms.rule} accepts no answer by ${wayInWords[way]}: answer by ${terms.via.map((via) => wayInWords[via]).join(" or ")}.`;

const wayInWords = { comment: "comment", check: "a button of the check run", page: "the approval's page" } as const;

/** Only the page may leave it out: it shows the question that its address names. */
function objectionToCode(approval: Approval, { code, verdict }: Attempt, { way }: Facts): Objection {
  if (code === null && way === "page") return null;
  if (code?.toUpperCase() === approval.code) return null;
  return `The CODE is not that of this question: the first line is \`/${verdict} ${approval.code}\`.`;
}

function objectionToFacts(approval: Approval, facts: Facts): Objection {
  switch (facts.way) {
    case "comment":
      return objectionToComment(approval, facts);
    case "check":
      return objectionToButton(approval, facts);
    case "page":
      return objectionToPage(approval, facts);
    default:
      return facts satisfies never;
  }
}

function objectionToGrant({ terms, code }: Approval, { verdict, grant }: Attempt): Objection {
  if (grant === null || verdict === "deny") return null;
  const alone = `\`/approve ${code}\` approves this one request`;
  switch (grant.kind) {
    case "session":
      return terms.grants.session ? null : `Rule ${terms.rule} permits no approval for a whole session: ${alone}.`;
    case "duration":
      if (terms.grants.longest === null) return `Rule ${terms.rule} permits no approval for a time: ${alone}.`;
      return grant.ms > 0 && grant.ms <= terms.grants.longest
        ? null
        : `Rule ${terms.rule} permits at most ${lasting(terms.grants.longest)}: ${alone}.`;
    default:
      return grant satisfies never;
  }
}

/** `count` counts people, not comments. */
function objectionToRepeating({ answers, terms }: Approval, { verdict }: Attempt, facts: Facts): Objection {
  const by = facts.way === "page" ? facts.person?.name : facts.standing && `github:${facts.standing.login}`;
  const before = answers.some(
    (answer) => answer.accepted && answer.verdict === "approve" && sameName(answer.by, by ?? ""),
  );
  return before && verdict === "approve"
    ? `Your approval counts already: rule ${terms.rule} asks for ${terms.approvers.count} different people.`
    : null;
}
