/** What speaks against an answer that came from GitHub: a comment, or a button of a check run. */

import type { Approval, Place } from "../../model/approval.ts";
import type { Comment } from "../../model/github.ts";
import type { CheckFacts, CommentFacts } from "./facts.ts";
import { objectionToPerson, objectionToRun } from "./standing.ts";

/** One sentence when it does not count, null when nothing speaks against it. */
type Objection = string | null;

/** The repository by its id: a name can be given to another one. */
const objectionToSource = ({ binding }: Approval, { proof, repository_id }: CommentFacts | CheckFacts): Objection => {
  if (proof === null) return "It is not proved that GitHub said this: nothing without a valid signature counts.";
  return binding.repository_id !== null && binding.repository_id === repository_id
    ? null
    : "It came from another repository than the one that asks: answer where the question stands.";
};

export function objectionToComment(approval: Approval, facts: CommentFacts): Objection {
  const source = objectionToSource(approval, facts);
  if (source !== null) return source;
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

export function objectionToButton(approval: Approval, facts: CheckFacts): Objection {
  const source = objectionToSource(approval, facts);
  if (source !== null) return source;
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
