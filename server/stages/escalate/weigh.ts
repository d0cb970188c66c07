/** Whether an attempt to answer counts: every condition is decided here, from facts that were gathered live. What is not known refuses. */

import type { Approval, ApprovalState, GrantAsked, Permission, Place, Verdict } from "../../model/approval.ts";
import type { Person } from "../../model/person.ts";

/** One attempt; by which way it came is said by the facts. */
export type Attempt = {
  readonly verdict: Verdict;
  /** Null where the page itself names the approval. */
  readonly code: string | null;
  readonly grant: GrantAsked | null;
};

/** GitHub's word on one account, asked now and never of a delivery. */
export type Standing = {
  readonly login: string;
  readonly id: number;
  /** `User`, `Bot`, `Organization`… */
  readonly type: string;
  /** Live permission on the repository. */
  readonly permission: Permission | "none";
  /** Name of the role that gives it, custom ones too. */
  readonly role: string | null;
  /** Slugs of those of the rule's teams in which the account is an active member; null when that could not be asked. */
  readonly teams: readonly string[] | null;
};

/** The run's repository and pull request, asked now. */
export type RunNow = {
  readonly repository_id: string;
  readonly pull: { readonly number: number; readonly open: boolean; readonly head_sha: string } | null;
  readonly head_sha: string;
  /** As `RunContext.own_people`, asked again: there may be a new pusher. */
  readonly own_people: readonly string[];
};

export type Comment = {
  readonly id: number;
  readonly author_id: number;
  readonly body: string;
  readonly created_at: string;
  readonly updated_at: string;
  /** Of a review comment: the one it replies to. */
  readonly in_reply_to: number | null;
  /** Number of the pull request or issue it stands in. */
  readonly number: number;
};

type Asked = {
  readonly now: Date;
  /** How we know that GitHub said it; null refuses. */
  readonly proof: "signature" | "asked" | null;
  /** Repository id of the delivery or of the comments that were asked for. */
  readonly repository_id: string;
  readonly standing: Standing | null;
  /** Null when it could not be asked, or there is none. */
  readonly run: RunNow | null;
};

export type CommentFacts = Asked & {
  readonly way: "comment";
  /** `created`, `edited`, `deleted`; what a poll finds is `created`. */
  readonly action: string;
  /** Where the comment stands: a reply to a review comment is `review_comment`, anything else on a timeline `comment`. */
  readonly kind: Extract<Place["kind"], "review_comment" | "comment" | "issue">;
  readonly heard: Comment;
  /** The same comment fetched afterwards; null when it is gone. */
  readonly fetched: Comment | null;
};

export type CheckFacts = Asked & {
  readonly way: "check";
  readonly check_run_id: number;
  readonly head_sha: string;
  /** As the delivery names the presser; must be the account whose standing was asked. */
  readonly sender_id: number;
};

export type PageFacts = {
  readonly way: "page";
  readonly now: Date;
  /** Null: a token, which never answers. */
  readonly person: Person | null;
  /** Everything that names the caller besides its subject: email, user name…; null when that is not known. */
  readonly caller_names: readonly string[] | null;
  /** For GitHub's jobs: as for comments. */
  readonly standing: Standing | null;
  readonly run: RunNow | null;
};

export type Facts = CommentFacts | CheckFacts | PageFacts;

/** `reason` says to the person what was wrong and what would work; empty when it counts. */
export type Weighed = { readonly accepted: boolean; readonly reason: string };

export const weigh = (_approval: Approval, _attempt: Attempt, _facts: Facts): Weighed => ({
  accepted: false,
  reason: "not built yet",
});

/** What is known right before an approved call is sent. */
export type UseFacts = {
  readonly now: Date;
  /** Digest of the policy in force. */
  readonly policy: string;
  /** One for everybody whose answer counted, by `Answer.by`; page answers of other callers' approvals: the person, or null when gone. */
  readonly approvers: readonly { readonly by: string; readonly standing: Standing | null }[];
  readonly run: RunNow | null;
  /** Digest of the state now; null when it could not be fetched. Left out where none was shown. */
  readonly current?: string | null;
};

export type Usable =
  | { readonly usable: true }
  | {
      readonly usable: false;
      readonly state: Extract<ApprovalState, "expired" | "stale" | "cancelled">;
      readonly reason: string;
    };

/** Whether an approval that people gave still stands now that it is about to be used. */
export const weighUse = (_approval: Approval, _facts: UseFacts): Usable => ({
  usable: false,
  state: "stale",
  reason: "not built yet",
});
