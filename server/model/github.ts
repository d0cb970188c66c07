/** What Dogwatch asks of GitHub and writes there, in the product's words: `server/github/` talks to the API, the approval journey needs it. */

import type { Permission, Place } from "./approval.ts";

/** A repository by its id: its name can be given to another one. */
export type RepositoryRef = {
  /** GitHub's id, in digits. */
  readonly repository_id: string;
  /** `acme/checkout`, as it was called last. */
  readonly repository: string;
};

/** As GitHub names it now. */
export type Repository = RepositoryRef & { readonly owner: string; readonly url: string };

export type WorkflowRun = {
  readonly id: string;
  readonly attempt: string;
  readonly repository_id: string;
  /** Of the branch, never the merge commit. */
  readonly head_sha: string;
  /** `.github/workflows/agent.yml` */
  readonly workflow_path: string;
  /** `completed` or one of those before it. */
  readonly status: string;
  readonly actor: string | null;
  readonly triggering_actor: string | null;
  /** Numbers of the pull requests that GitHub lists with the run; none for forks. */
  readonly pulls: readonly number[];
};

export type PullRequest = {
  readonly number: number;
  readonly url: string;
  readonly open: boolean;
  readonly head_sha: string;
  readonly author: string | null;
  /** Of the repository that it asks to merge into. */
  readonly repository_id: string;
};

/** `type`: `User`, `Bot`, `Organization`… */
export type Account = { readonly login: string; readonly id: number; readonly type: string };

/** What an account may do in a repository now; `role` is the name of the role that gives it, custom ones too. */
export type RepositoryAccess = { readonly permission: Permission | "none"; readonly role: string | null };

/** Where comments stand: in a review's thread, on the timeline of a pull request, in an issue. */
export type CommentKind = Extract<Place["kind"], "review_comment" | "comment" | "issue">;

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

/** With who wrote it, for looking up what they may do. */
export type WrittenComment = Comment & { readonly author: string; readonly url: string };

export type CheckRunContent = {
  readonly conclusion: "action_required" | "success" | "failure" | "timed_out" | "cancelled";
  readonly title: string;
  readonly summary: string;
  readonly text: string;
  /** Buttons; none once it is answered. */
  readonly actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
};

export type NewCheckRun = {
  readonly head_sha: string;
  /** Id of the approval. */
  readonly external_id: string;
  /** The approval's page. */
  readonly details_url: string;
  readonly content: CheckRunContent;
};

/** One delivery of the App's webhook as its list shows it. */
export type Delivery = {
  /** In digits: these ids are larger than a number can tell apart. */
  readonly id: string;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly delivered_at: Date;
};

/** A button of a check run was pressed. */
export type ButtonPress = {
  readonly repository: RepositoryRef;
  readonly check_run_id: number;
  readonly head_sha: string;
  readonly external_id: string | null;
  readonly identifier: string;
  readonly sender: string;
  readonly sender_id: number;
};

/** What a delivery says that matters here; everything else is ignored. */
export type Heard =
  | {
      readonly kind: "comment";
      readonly repository: RepositoryRef;
      /** `created`, `edited`, `deleted` */
      readonly action: string;
      readonly place: CommentKind;
      readonly comment: WrittenComment;
    }
  | { readonly kind: "button"; readonly press: ButtonPress }
  /** A check run of ours exists: how a lost answer to its creation is made up for. */
  | {
      readonly kind: "check_run";
      readonly repository: RepositoryRef;
      readonly id: number;
      readonly url: string;
      readonly external_id: string;
    }
  /** The pull request was closed, or its head is another one. */
  | { readonly kind: "pull_request"; readonly repository: RepositoryRef; readonly number: number };

/** GitHub did not do what it was asked. */
export class GitHubFailure extends Error {
  /**
   * `unreachable`: nothing was done, try again later. `limited`: the same, not before `retry_at`. `refused`: GitHub said no (permission,
   * installation, validation), trying again changes nothing. `uncertain`: a create whose answer was lost; look for it before it is repeated.
   */
  readonly kind: "unreachable" | "limited" | "refused" | "uncertain";
  readonly retry_at: Date | null;
  /** @param message one sentence that names what was asked and what to mend */
  constructor(kind: GitHubFailure["kind"], message: string, retry_at: Date | null = null) {
    super(message);
    this.name = "GitHubFailure";
    this.kind = kind;
    this.retry_at = retry_at;
  }
}

/** Lookups are live; null and empty are GitHub's word (404), everything else rejects with `GitHubFailure`. */
export interface GitHubReader {
  /** Asked with a token for this id alone: a repository that only has the same name is not found. */
  repository(of: RepositoryRef): Promise<Repository | null>;
  run(of: RepositoryRef, run_id: string): Promise<WorkflowRun | null>;
  /** What the workflow calls a job of this run; null also when it is another run's. */
  jobName(of: RepositoryRef, job: { readonly run_id: string; readonly job_id: string }): Promise<string | null>;
  pull(of: RepositoryRef, number: number): Promise<PullRequest | null>;
  /** Open pull requests whose head is this commit. */
  pullsWith(of: RepositoryRef, head_sha: string): Promise<readonly PullRequest[]>;
  /** Paths of the files that the pull request changes, in GitHub's order, at most 300. */
  changedFiles(of: RepositoryRef, number: number): Promise<readonly string[]>;
  /** Logins of a commit's author and committer. */
  committers(of: RepositoryRef, sha: string): Promise<readonly string[]>;
  /** The same of the commit that a pull request proposes last. */
  headCommitters(of: RepositoryRef, pull: Pick<PullRequest, "number" | "head_sha">): Promise<readonly string[]>;
  account(of: RepositoryRef, login: string): Promise<Account | null>;
  access(of: RepositoryRef, login: string): Promise<RepositoryAccess>;
  /** Whether the account is an active member of a team of the repository's owner. */
  isMember(of: RepositoryRef, team: string, login: string): Promise<boolean>;
  comment(of: RepositoryRef, kind: CommentKind, id: number): Promise<WrittenComment | null>;
  /** Those of the whole repository that were created or edited since, oldest first; asked conditionally, so that nothing new costs nothing. */
  commentsSince(of: RepositoryRef, kind: CommentKind, since: Date): Promise<readonly WrittenComment[]>;
  /** Of the App, newest first, back to `since`. */
  deliveries(since: Date): Promise<readonly Delivery[]>;
  /** What one of them said; null when it is nothing that matters here. */
  delivery(id: string): Promise<Heard | null>;
}

/** Nothing that creates is ever repeated by itself. */
export interface GitHubWriter {
  /** Null when that file cannot be commented on (it is not in the diff any more). */
  createReviewComment(
    of: RepositoryRef,
    asked: { readonly number: number; readonly head_sha: string; readonly path: string; readonly body: string },
  ): Promise<Place | null>;
  createComment(of: RepositoryRef, asked: { readonly number: number; readonly body: string }): Promise<Place>;
  createIssue(of: RepositoryRef, asked: { readonly title: string; readonly body: string }): Promise<Place>;
  createCheckRun(of: RepositoryRef, check: NewCheckRun): Promise<Place>;
  /** Our own comment or issue that begins with `marker`, written since: what a create with a lost answer made. */
  find(
    of: RepositoryRef,
    sought: { readonly number: number | null; readonly marker: string; readonly since: Date },
  ): Promise<Place | null>;
  /** In the thread of a review comment; elsewhere below it. */
  reply(of: RepositoryRef, place: Place, body: string): Promise<void>;
  /** Of a comment or an issue. */
  edit(of: RepositoryRef, place: Place, body: string): Promise<void>;
  updateCheckRun(of: RepositoryRef, id: number, content: CheckRunContent): Promise<void>;
}

export type GitHub = GitHubReader & GitHubWriter;
