/** A comment that may be an answer: looked at again on GitHub, weighed, recorded and replied to, once. */

import type { Approval, Place } from "../../../model/approval.ts";
import {
  type Comment,
  GitHubFailure,
  type CommentKind,
  type Heard,
  type WrittenComment,
} from "../../../model/github.ts";
import { type Command, readCommand } from "../../../stages/escalate/command.ts";
import type { CommentFacts } from "../../../stages/escalate/facts.ts";
import { weigh } from "../../../stages/escalate/weigh.ts";
import { seek } from "../seek.ts";
import { findThread, isThread } from "../show/thread.ts";
import { byOne, type HearParts, type Outcome, type Proof } from "./parts.ts";
import { isTired, take, tired } from "./take.ts";

type HeardComment = Extract<Heard, { kind: "comment" }>;

/** What is no command is none of our business, our own comments among it; unless it was one before it was edited. */
export async function hearComment(parts: HearParts, heard: HeardComment, proof: Proof): Promise<Outcome> {
  const { action, place, comment } = heard;
  if (action !== "created" && action !== "edited") return "ignored";
  const command = readCommand(comment.body);
  const edited = action === "edited" || wasEdited(comment);
  if (command === null && !edited) return "ignored";
  const name = `${place === "review_comment" ? "review_comment" : "comment"}:${comment.id}`;
  const before = edited ? await parts.store.answerTo(name) : null;
  const meant = command ?? (before === null ? null : beforehand(before.answer));
  if (meant === null) return "ignored";
  const [isHeard, sought] = await Promise.all([
    parts.store.isHeard(keyOf(name, edited)),
    before ?? seek(parts.store, { ...heard, code: codeIn(meant) }),
  ]);
  if (isHeard) return "done";
  if (sought === null) return "ignored";
  const id = "approval_id" in sought ? sought.approval_id : sought.id;
  return byOne(parts, name, () => takeComment(parts, { id, heard, meant, name, edited, proof }));
}

/** An edited comment is another attempt, whoever tells of it. */
const keyOf = (name: string, edited: boolean): string => (edited ? `${name}:edited` : name);

const wasEdited = ({ created_at, updated_at }: WrittenComment): boolean => created_at !== updated_at;

/** It was edited between being told and being looked at again. */
const turnedOut = (told: WrittenComment, fetched: Comment | null): boolean =>
  fetched !== null && (fetched.body !== told.body || fetched.updated_at !== told.updated_at);

const codeIn = (command: Command): string | null => ("code" in command ? command.code : null);

const beforehand = ({ verdict }: Pick<Approval["answers"][number], "verdict">): Command => ({
  verdict,
  problem: "The comment was edited, and an edited comment never counts: write a new one.",
});

type Meant = {
  readonly id: string;
  readonly heard: HeardComment;
  readonly meant: Command;
  readonly name: string;
  readonly edited: boolean;
  readonly proof: Proof;
};

async function takeComment(parts: HearParts, { id, heard, meant, name, edited, proof }: Meant): Promise<Outcome> {
  const { store } = parts;
  const [isHeard, known] = await Promise.all([store.isHeard(keyOf(name, edited)), store.get(id)]);
  const approval = await withThread(parts, known);
  if (isHeard || approval === null) return "done";
  if (isTired(approval, heard.comment.author)) return refuseUnseen(parts, approval, { heard, meant, name, edited });
  const facts = await factsOf(parts, approval, { heard, edited, proof });
  const { comment, repository, place } = heard;
  const key = keyOf(name, edited || turnedOut(comment, facts.fetched));
  // Told as new, and told as edited before.
  if (key === keyOf(name, edited) || !(await store.isHeard(key)))
    await take(parts, {
      approval,
      key,
      answer: {
        verdict: meant.verdict,
        by: `github:${facts.standing?.login ?? comment.author}`,
        via: "comment",
        ...outcomeOf(approval, meant, facts),
      },
      isPerson: facts.standing === null || facts.standing.type === "User",
      reply: { of: repository, thread: threadOf(place, comment), since: new Date(comment.created_at) },
    });
  // What was told as new and turns out to be edited is not heard a second time.
  if (key !== name) await store.hear(name);
  return "done";
}

/** Looking costs requests to GitHub, of which there are only so many. */
async function refuseUnseen(
  parts: HearParts,
  approval: Approval,
  { heard, meant, name, edited }: Pick<Meant, "heard" | "meant" | "name" | "edited">,
): Promise<Outcome> {
  const { verdict } = meant;
  const by = `github:${heard.comment.author}`;
  const answer = { verdict, by, via: "comment", accepted: false, reason: tired, grant: null } as const;
  await take(parts, { approval, key: keyOf(name, edited), answer, isPerson: true, reply: null });
  return "done";
}

function outcomeOf(approval: Approval, meant: Command, facts: CommentFacts) {
  if ("code" in meant) {
    const { verdict, code, grant } = meant;
    const weighed = weigh(approval, { verdict, code, grant }, facts);
    return { accepted: weighed.accepted, reason: weighed.accepted ? meant.reason : weighed.reason, grant };
  }
  // What ended is said before what was badly written.
  const over = approval.state === "pending" ? null : weigh(approval, { ...meant, code: null, grant: null }, facts);
  return { accepted: false, reason: over?.reason ?? meant.problem, grant: null };
}

/** A reply may come before it is known here that its question stands: a create whose answer was lost, or is on its way. */
async function withThread(parts: HearParts, approval: Approval | null): Promise<Approval | null> {
  if (approval === null || approval.run === null || approval.where.some(isThread)) return approval;
  const found = await findThread({ ...parts, approval, run: approval.run });
  return found === null ? approval : { ...approval, where: [...approval.where, found] };
}

async function factsOf(
  { github, directory, now, log }: HearParts,
  { run, terms }: Approval,
  { heard, edited, proof }: Pick<Meant, "heard" | "edited" | "proof">,
): Promise<CommentFacts> {
  const { repository, place, comment } = heard;
  const [fetched, standing, runNow] = await Promise.all([
    github.comment(repository, place, comment.id).catch((error: unknown) => {
      if (!(error instanceof GitHubFailure)) throw error;
      log.warn({ err: error }, "a comment could not be looked at again");
      return null;
    }),
    run === null ? null : directory.standingOf(run, comment.author, terms.approvers.teams),
    run === null ? null : directory.runNow(run),
  ]);
  return {
    way: "comment",
    now: now(),
    proof,
    repository_id: repository.repository_id,
    standing,
    run: runNow,
    action: edited ? "edited" : "created",
    kind: place,
    heard: comment,
    fetched,
  };
}

/** Where the comment stands: the reply goes to its writer, not to whom they may have meant. */
const threadOf = (kind: CommentKind, { id, in_reply_to, number, url }: WrittenComment): Place => ({
  kind,
  id: kind === "review_comment" ? (in_reply_to ?? id) : id,
  number,
  url,
});
