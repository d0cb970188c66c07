/** Whether an attempt to answer counts: every condition is decided here, from facts that were gathered live. What is not known refuses. */

import type { Approval, Place } from "../../model/approval.ts";
import type { Attempt, CheckFacts, Comment, CommentFacts, Facts, PageFacts } from "./facts.ts";
import { objectionToPerson, objectionToRun, sameName } from "./standing.ts";
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
      return objectionToSource(approval, facts) ?? objectionToComment(approval, facts);
    case "check":
      return objectionToSource(approval, facts) ?? objectionToButton(approval, facts);
    case "page":
      return objectionToPage(approval, facts);
    default:
      return facts satisfies never;
  }
}

/** The repository by its id: a name can be given to another one. */
const objectionToSource = ({ binding }: Approval, { proof, repository_id }: CommentFacts | CheckFacts): Objection => {
  if (proof === null) return "It is not proved that GitHub said this: nothing without a valid signature counts.";
  return binding.repository_id !== null && binding.repository_id === repository_id
    ? null
    : "It came from another repository than the one that asks: answer where the question stands.";
};

function objectionToComment(approval: Approval, facts: CommentFacts): Objection {
  const { action, heard, fetched, standing } = facts;
  const again = `write \`/approve ${approval.code}\` or \`/deny ${approval.code}\` in a new comment`;
  if (action !== "created") return `Only a new comment counts, and this one was ${pastOf(action)}: ${again}.`;
  if (fetched === null) return `The comment is gone, or GitHub could not be asked for it: ${again}.`;
  if (!isUntouched(heard) || !isUntouched(fetched) || !isSame(heard, fetched))
    return `The comment was edited, and an edited comment never counts: ${again}.`;
  if (!approval.where.some((place) => answersAt(place, facts)))
    return "It is no reply to the question: answer in the thread in which the question stands.";
  if (standing !== null && standing.id !== heard.author_id) return `It is not known who wrote the comment: ${again}.`;
  return objectionToGitHub(approval, facts);
}

const pastOf = (action: string): string => (action === "deleted" ? "deleted" : "edited");

const isUntouched = ({ created_at, updated_at }: Comment): boolean =>
  created_at === updated_at && !Number.isNaN(Date.parse(created_at));

const isSame = (heard: Comment, fetched: Comment): boolean =>
  heard.id === fetched.id &&
  heard.author_id === fetched.author_id &&
  heard.body === fetched.body &&
  Date.parse(heard.created_at) === Date.parse(fetched.created_at) &&
  heard.in_reply_to === fetched.in_reply_to &&
  heard.number === fetched.number;

/** A thread has replies; a timeline has only what comes later, and comments are numbered in order. */
function answersAt(place: Place, { kind, heard }: CommentFacts): boolean {
  if (place.kind !== kind || place.number !== heard.number) return false;
  switch (kind) {
    case "review_comment":
      return place.id !== null && place.id === heard.in_reply_to;
    case "comment":
      return place.id !== null && heard.id > place.id;
    case "issue":
      return true;
    default:
      return kind satisfies never;
  }
}

function objectionToButton(approval: Approval, facts: CheckFacts): Objection {
  const { check_run_id, head_sha, sender_id, standing } = facts;
  const isOurs = approval.where.some(({ kind, id }) => kind === "check_run" && id === check_run_id);
  if (!isOurs) return "The button is not one of this question's check run: press one of the newest check run.";
  if (head_sha !== approval.binding.head_sha)
    return "The check run belongs to another commit: press a button of the newest check run.";
  if (standing !== null && standing.id !== sender_id)
    return "It is not known who pressed the button: press it again, or answer on the page.";
  return objectionToGitHub(approval, facts);
}

const objectionToGitHub = (approval: Approval, { standing, run }: CommentFacts | CheckFacts): Objection =>
  run === null
    ? "GitHub could not be asked about the pull request just now: answer again in a moment."
    : (objectionToRun(approval, run) ?? objectionToPerson(approval, standing, run.own_people));

function objectionToPage(approval: Approval, facts: PageFacts): Objection {
  const { person, caller_names, standing, run } = facts;
  if (person === null) return "Only a person answers, and a token is none: sign in as yourself.";
  if (approval.binding.repository_id === null) return objectionToColleague(approval, facts);
  if (person.provider !== "github") return "A GitHub job is answered by people whom GitHub knows: sign in with GitHub.";
  if (standing !== null && !sameName(standing.login, person.login))
    return "It is not known who you are on GitHub: sign in again.";
  // Asked without GitHub (no App, or it could not be reached): then the job's own claims must tell whose it is.
  if (approval.run === null)
    return caller_names === null
      ? "It is not known who started the job, so nobody can be told apart from them: configure the GitHub App."
      : objectionToPerson(approval, standing, caller_names);
  if (run === null) return "GitHub could not be asked about the pull request just now: answer again in a moment.";
  return (
    objectionToRun(approval, run) ?? objectionToPerson(approval, standing, [...run.own_people, ...(caller_names ?? [])])
  );
}

/** For callers that are no GitHub jobs: one of the groups, and somebody else than the caller. */
function objectionToColleague({ terms, binding }: Approval, { person, caller_names }: PageFacts): Objection {
  if (person === null || caller_names === null)
    return "It is not known whom the request comes from, so nobody can approve it.";
  const names = [person.login, person.name, person.name.slice(person.provider.length + 1)];
  // Whatever the rule says of `self`: on the page there is nobody else to see that they are the same.
  if ([binding.subject, ...caller_names].some((own) => names.some((name) => sameName(own, name))))
    return "Nobody answers for themselves: somebody else has to.";
  const { groups } = terms.approvers;
  return groups.some((group) => person.groups.includes(group))
    ? null
    : `Rule ${terms.rule} asks for somebody of ${oneOf(groups)}, and your sign-in names none of them.`;
}

const oneOf = (names: readonly string[]): string =>
  names.length === 0
    ? "a group that it does not name"
    : `the ${names.length === 1 ? "group" : "groups"} ${names.join(" or ")}`;

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
