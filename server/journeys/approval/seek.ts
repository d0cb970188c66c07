/** Which question somebody means: the one in whose thread they write, else the one whose CODE they give. */

import type { Outline } from "../../model/approval.ts";
import type { CommentKind, RepositoryRef, WrittenComment } from "../../model/github.ts";
import { sameName } from "../../stages/escalate/standing.ts";
import type { ApprovalStore } from "./parts.ts";

export const isLive = ({ state }: Pick<Outline, "state">): boolean => state === "pending" || state === "approved";

export type Written = {
  readonly repository: RepositoryRef;
  readonly place: CommentKind;
  readonly comment: WrittenComment;
  /** Null when the command names none. */
  readonly code: string | null;
};

/** Null when it is nobody's question: other programs have commands too. */
export async function seek(store: ApprovalStore, written: Written): Promise<Outline | null> {
  return (await inThread(store, written)) ?? (await withCode(store, written)) ?? (await onTimeline(store, written));
}

async function inThread(store: ApprovalStore, { repository, place, comment }: Written): Promise<Outline | null> {
  const { repository_id } = repository;
  switch (place) {
    case "review_comment":
      return comment.in_reply_to === null ? null : store.at({ repository_id, kind: place, id: comment.in_reply_to });
    case "issue":
      return store.at({ repository_id, kind: place, number: comment.number });
    case "comment":
      return null;
    default:
      return place satisfies never;
  }
}

/** Also one of a repository that only has the same name: whoever writes there hears why it does not count. */
export async function withCode(
  store: ApprovalStore,
  { repository, code }: Pick<Written, "repository" | "code">,
): Promise<Outline | null> {
  if (code === null) return null;
  const found = await store.withCode(code);
  return (
    found.find(({ binding }) => binding.repository_id === repository.repository_id) ??
    found.find(({ run }) => run !== null && sameName(run.repository, repository.repository)) ??
    null
  );
}

/** As long as ours are. */
const codeLength = 8;

/** A wrong CODE where only one question can be meant, or none at all where the question itself stands on the timeline. */
async function onTimeline(
  store: ApprovalStore,
  { repository, place, comment, code }: Written,
): Promise<Outline | null> {
  if (place === "issue") return null;
  const { repository_id } = repository;
  const live = (await store.ofPull({ repository_id, number: comment.number })).filter(isLive);
  const there = live.find(({ where }) => place === "comment" && where.some(({ kind }) => kind === "comment"));
  return there ?? (code?.length === codeLength ? (live[0] ?? null) : null);
}
