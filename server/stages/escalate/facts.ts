/** What an attempt to answer is weighed by: gathered live by the journey. What could not be asked is null, and refuses. */

import type { GrantAsked, Permission, Verdict } from "../../model/approval.ts";
import type { Comment, CommentKind } from "../../model/github.ts";
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
  /** The newest one; an older one's jobs are gone. */
  readonly run_attempt: string;
  /** None of its jobs runs any more. */
  readonly over: boolean;
  readonly pull: { readonly number: number; readonly open: boolean; readonly head_sha: string } | null;
  readonly head_sha: string;
  /** As `RunContext.own_people`, asked again: there may be a new pusher. */
  readonly own_people: readonly string[];
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
  /** `created`, `edited`, `deleted`; what a poll finds is `created`, or `edited` when it was. */
  readonly action: string;
  /** Where the comment stands: a reply to a review comment is `review_comment`, anything else on a timeline `comment`. */
  readonly kind: CommentKind;
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
  /** Everything that names the caller: user name and email, a job's actor and triggering actor; null when that is not known. */
  readonly caller_names: readonly string[] | null;
  /** For GitHub's jobs: as for comments. `run` is not asked for where the question itself was asked without GitHub. */
  readonly standing: Standing | null;
  readonly run: RunNow | null;
};

/** `now` is the database's clock, or one that is close to it. */
export type Facts = CommentFacts | CheckFacts | PageFacts;

/** What is known right before an approved call is sent. */
export type UseFacts = {
  readonly now: Date;
  /** Digest of the policy in force. */
  readonly policy: string;
  /** One for everybody whose answer counted, by `Answer.by`. Of callers that are no GitHub jobs none is needed. */
  readonly approvers: readonly { readonly by: string; readonly standing: Standing | null }[];
  readonly run: RunNow | null;
  /** Digest of the state now; null when it could not be fetched. Left out where none was shown. */
  readonly current?: string | null;
};
