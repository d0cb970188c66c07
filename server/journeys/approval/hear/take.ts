/** Takes one attempt to answer: recorded first, then replied to; only when both are done it counts as heard. */

import { type Answer, type Approval, type Place } from "../../../model/approval.ts";
import { GitHubFailure, type RepositoryRef } from "../../../model/github.ts";
import { replyMarkerOf, replyOf } from "../../../stages/escalate/comment.ts";
import { sameName } from "../../../stages/escalate/standing.ts";
import type { Answered } from "../../../store/approvals.ts";
import type { HearParts } from "./parts.ts";

export type Taken = {
  readonly approval: Approval;
  /** Of the comment or press. */
  readonly key: string;
  /** As it was weighed. */
  readonly answer: Omit<Answer, "at">;
  readonly isPerson: boolean;
  /** Null where there is no thread to reply in. */
  readonly reply: ReplyTo | null;
};

export type ReplyTo = { readonly of: RepositoryRef; readonly thread: Place; readonly since: Date };

/** Nobody hears more often from us about one question, refused again and again; a program, which may answer every reply, once. */
const mostReplies = { person: 5, program: 1 };

/** Whoever was refused so often is not looked up again. */
const mostRefusals = 20;

export const tired = "This account was refused too often: nothing that it says to this question is looked at any more.";

export const isTired = ({ answers }: Approval, login: string): boolean =>
  refusedOf(answers, `github:${login}`).length >= mostRefusals;

const refusedOf = (answers: readonly Answer[], name: string): readonly Answer[] =>
  answers.filter(({ by, accepted }) => !accepted && sameName(by, name));

/** @throws GitHubFailure when the reply has to be tried again: the answer is recorded by then */
export async function take(parts: HearParts, taken: Taken): Promise<void> {
  const { store, audit, show } = parts;
  const { approval, key, answer } = taken;
  const answered = await store.answer(approval.id, { key, answer });
  if (answered.how === "new") {
    const { accepted, reason, verdict, by, via } = answered.answer;
    audit({
      kind: "approval_answered",
      who: by,
      what: `approval ${approval.id}`,
      reason: `${verdict} by ${wayInWords[via]}: ${accepted ? "accepted" : `refused, ${reason}`}`,
    });
    if (accepted) show(approval.id);
  }
  if (taken.reply !== null && isDueReply(answered, taken))
    await reply(parts, { ...taken, reply: taken.reply }, answered);
  await store.hear(key);
}

const wayInWords = { comment: "comment", check: "a button", page: "the page" } as const;

function isDueReply({ approval, answer }: Answered, { isPerson }: Taken): boolean {
  const most = isPerson ? mostReplies.person : mostReplies.program;
  return answer.accepted || refusedOf(approval.answers, answer.by).length <= most;
}

async function reply(
  { github, log }: HearParts,
  { key, reply: { of, thread, since } }: Taken & { readonly reply: ReplyTo },
  { approval, answer, how }: Answered,
): Promise<void> {
  const marker = replyMarkerOf(key);
  try {
    // Whoever recorded it may have replied, and not lived to note it.
    if (how === "repeated" && (await github.find(of, { number: thread.number, marker, since })) !== null) return;
    await github.reply(of, thread, `${marker}\n${replyOf(approval, answer)}`);
  } catch (error) {
    if (!(error instanceof GitHubFailure) || error.kind !== "refused") throw error;
    log.warn({ err: error, approval: approval.id }, "GitHub takes no reply to an answer");
  }
}
