/** Pull requests, issues and commits. */

import type { ChangedFile, Commit, Issue, Pull, Repository } from "./state.ts";

export type NewPull = {
  readonly author: string;
  readonly title?: string;
  readonly body?: string;
  readonly branch?: string;
  /** Paths are modified files. */
  readonly files?: readonly (string | ChangedFile)[];
  /** The repository its branch is in, when that is a fork. */
  readonly from?: Repository;
  /** Who committed and authored what it proposes; default: its author. Null: nobody that GitHub knows. */
  readonly committer?: string | null;
  readonly authoredBy?: string | null;
  readonly head_sha?: string;
  readonly number?: number;
};

export type NewCommit = {
  /** Who pushes it: the sender of the delivery. */
  readonly by: string;
  readonly committer?: string | null;
  readonly authoredBy?: string | null;
  /** What the pull request changes from now on; default: the same files. */
  readonly files?: readonly (string | ChangedFile)[];
  readonly sha?: string;
};

export type Pulls = {
  open(repository: Repository, pull: NewPull): Pull;
  /** Another commit on its branch: `synchronize`. */
  push(pull: Pull, commit: NewCommit): Commit;
  close(pull: Pull, by: string, more?: { readonly merged?: boolean }): void;
  reopen(pull: Pull, by: string): void;
  openIssue(
    repository: Repository,
    issue: { readonly author: string; readonly title: string; readonly body?: string },
  ): Issue;
  /** @throws Error when there is none */
  numbered(repository: Repository, number: number): Pull;
  issues(repository: Repository): readonly Issue[];
};
