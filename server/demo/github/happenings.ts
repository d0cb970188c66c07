/** What happens in the stand-in and is told to the Apps that listen. */

import type { Account, CheckRun, Installation, Issue, IssueComment, Pull, Repository, ReviewComment } from "./state.ts";

/** An edit tells what stood there before. */
type Written<Comment> = {
  readonly action: "created" | "edited" | "deleted";
  readonly comment: Comment;
  readonly was?: string;
};

export type Happening =
  | (Written<ReviewComment> & { readonly event: "pull_request_review_comment"; readonly pull: Pull })
  | (Written<IssueComment> & { readonly event: "issue_comment"; readonly issue: Issue })
  | {
      readonly event: "check_run";
      readonly action: "created" | "completed" | "requested_action";
      readonly check: CheckRun;
      /** Of the button. */
      readonly identifier?: string;
    }
  | {
      readonly event: "pull_request";
      readonly action: "opened" | "closed" | "reopened" | "synchronize";
      readonly pull: Pull;
      /** The head before a push. */
      readonly before?: string;
    }
  | {
      readonly event: "installation";
      readonly action: "created" | "deleted" | "suspend";
      readonly installation: Installation;
    };

/** `repository` is null only where none is concerned. */
export type Announce = (
  happening: Happening,
  by: { readonly sender: Account; readonly repository: Repository | null },
) => void;
