/** What the stand-in for GitHub remembers: accounts, repositories, pull requests and what people and programs write on them. */

import type { KeyObject } from "node:crypto";

export type AccountType = "User" | "Bot" | "Organization";

export type Account = { readonly id: number; login: string; readonly type: AccountType; readonly created_at: Date };

export type Team = {
  readonly id: number;
  readonly organization: Account;
  readonly slug: string;
  readonly created_at: Date;
  /** By the account's id; a pending one was invited and has not accepted. */
  readonly members: Map<number, "active" | "pending">;
};

/** GitHub's own roles, from the least to the most. */
export const roles = ["none", "read", "triage", "write", "maintain", "admin"] as const;
export type Role = (typeof roles)[number];

/** What somebody may do in a repository; a custom role has a name of its own and stands on one of GitHub's. */
export type Permit = { readonly role: Role; readonly role_name: string };

export type Repository = {
  readonly id: number;
  owner: Account;
  name: string;
  private: boolean;
  readonly created_at: Date;
  readonly default_branch: string;
  /** By the account's id. */
  readonly permits: Map<number, Permit>;
  /** Files of the default branch by path, for reading their contents. */
  readonly files: Map<string, string>;
};

export type Commit = {
  readonly sha: string;
  readonly repository: Repository;
  readonly message: string;
  readonly parents: readonly string[];
  /** Null when GitHub knows no account for the commit's e-mail address: the name in it proves nothing anyway. */
  readonly author: Account | null;
  readonly committer: Account | null;
  readonly at: Date;
};

export type ChangedFile = {
  readonly path: string;
  readonly status: "added" | "removed" | "modified" | "renamed";
  readonly patch: string;
};

export type Issue = {
  readonly id: number;
  readonly repository: Repository;
  /** Issues and pull requests of a repository share their numbers. */
  readonly number: number;
  readonly author: Account;
  title: string;
  body: string;
  open: boolean;
  readonly created_at: Date;
  updated_at: Date;
  closed_at: Date | null;
};

export type Pull = Issue & {
  readonly branch: string;
  /** Where the branch is; another repository than the pull request's for a fork. */
  readonly from: Repository;
  readonly base: { readonly ref: string; readonly sha: string };
  head_sha: string;
  /** Of the merge that GitHub tries: what a job on `pull_request` checks out, and its token's claim `sha`. */
  merge_sha: string;
  merged: boolean;
  /** Every commit that was pushed to it, the oldest first. */
  commits: readonly string[];
  files: readonly ChangedFile[];
};

export type Job = {
  readonly id: number;
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion: "success" | "failure" | "cancelled" | null;
};

export type Run = {
  readonly id: number;
  attempt: number;
  readonly repository: Repository;
  readonly head_sha: string;
  /** What the job checks out on `pull_request`; null elsewhere. */
  readonly merge_sha: string | null;
  readonly head_branch: string;
  readonly head_repository: Repository;
  readonly event: string;
  /** `.github/workflows/agent.yml` */
  readonly path: string;
  readonly name: string;
  readonly actor: Account;
  triggering_actor: Account;
  status: "queued" | "in_progress" | "completed";
  conclusion: "success" | "failure" | "cancelled" | null;
  /** Number of the pull request it runs for. */
  readonly pull: number | null;
  /** Numbers of the pull requests that the run lists; none for a fork's. */
  readonly pulls: readonly number[];
  jobs: readonly Job[];
  readonly created_at: Date;
  updated_at: Date;
};

export type IssueComment = {
  readonly kind: "issue_comment";
  readonly id: number;
  readonly repository: Repository;
  /** Of the issue or pull request. */
  readonly number: number;
  readonly author: Account;
  body: string;
  readonly created_at: Date;
  updated_at: Date;
  /** The App that wrote it, for itself or in a person's name. */
  readonly via: App | null;
};

export type ReviewComment = Omit<IssueComment, "kind" | "via"> & {
  readonly kind: "review_comment";
  readonly review_id: number;
  readonly path: string;
  readonly commit_id: string;
  readonly subject_type: "file" | "line";
  readonly line: number | null;
  /** The comment that its thread begins with; null when it is that one. */
  readonly in_reply_to: number | null;
};

export type Comment = IssueComment | ReviewComment;

export type Review = {
  readonly id: number;
  readonly repository: Repository;
  readonly number: number;
  readonly author: Account;
  readonly body: string;
  readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED";
  readonly commit_id: string;
  readonly submitted_at: Date;
};

export type CheckAction = { readonly label: string; readonly description: string; readonly identifier: string };

export const conclusions = [
  "action_required",
  "cancelled",
  "failure",
  "neutral",
  "success",
  "skipped",
  "stale",
  "timed_out",
] as const;

export type CheckRun = {
  readonly id: number;
  readonly repository: Repository;
  readonly head_sha: string;
  name: string;
  /** The one that created it: only that one may change it and hears of its buttons. */
  readonly app: App;
  external_id: string;
  details_url: string | null;
  status: "queued" | "in_progress" | "completed";
  conclusion: (typeof conclusions)[number] | null;
  started_at: Date;
  completed_at: Date | null;
  output: { readonly title: string | null; readonly summary: string | null; readonly text: string | null };
  actions: readonly CheckAction[];
};

/** `metadata: "read"`, as GitHub names them in its API. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

export type App = {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly owner: Account;
  readonly bot: Account;
  readonly client_id: string;
  readonly client_secret: string;
  readonly webhook_secret: string;
  /** PKCS #1, as GitHub gives it to the App's owner once. */
  readonly pem: string;
  /** Null: nobody can sign as this App. */
  readonly public_key: KeyObject | null;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly external_url: string;
  /** Where people who sign in may be sent back to. */
  callback_urls: readonly string[];
  readonly setup_url: string | null;
  /** Where deliveries go; null: nowhere. */
  webhook_url: string | null;
  readonly created_at: Date;
};

export type Installation = {
  readonly id: number;
  readonly app: App;
  readonly account: Account;
  /** Null: all repositories of the account, later ones too. */
  repositories: Set<number> | null;
  /** What the account's owner has accepted; never more than the App asks for. */
  readonly permissions: Permissions;
  suspended_at: Date | null;
  readonly created_at: Date;
};
