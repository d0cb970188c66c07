/** Pull requests, issues and commits. */

import type { Accounts } from "./accounts.ts";
import type { Announce } from "./happenings.ts";
import type { Ids } from "./ids.ts";
import type { ChangedFile, Commit, Issue, Pull, Repository } from "./state.ts";

export type NewPull = NewCommitters & {
  readonly author: string;
  readonly title?: string;
  readonly body?: string;
  readonly branch?: string;
  /** Paths are modified files. */
  readonly files?: readonly (string | ChangedFile)[];
  /** The repository its branch is in, when that is a fork. */
  readonly from?: Repository;
  readonly head_sha?: string;
  readonly number?: number;
};

/** Logins; null: nobody that GitHub knows. Left out: who pushes. */
type NewCommitters = { readonly committer?: string | null; readonly authoredBy?: string | null };

export type NewCommit = NewCommitters & {
  /** Who pushes it: the sender of the delivery. */
  readonly by: string;
  /** What the pull request changes from now on; default: the same files. */
  readonly files?: readonly (string | ChangedFile)[];
  readonly sha?: string;
};

export type NewIssue = { readonly author: string; readonly title: string; readonly body?: string };

export type PullParts = {
  readonly ids: Ids;
  readonly accounts: Accounts;
  readonly clock: () => Date;
  readonly announce: Announce;
};

export class Pulls {
  readonly #parts: PullParts;
  readonly #issues: Issue[] = [];
  readonly #commits: Commit[] = [];

  constructor(parts: PullParts) {
    this.#parts = parts;
  }

  open(repository: Repository, pull: NewPull): Pull {
    const { ids, accounts, announce } = this.#parts;
    const from = pull.from ?? repository;
    const base = this.#commit(repository, { by: pull.author, committer: null, authoredBy: null });
    const head = this.#commit(from, {
      ...pull,
      by: pull.author,
      ...(pull.head_sha === undefined ? {} : { sha: pull.head_sha }),
    });
    const opened: Pull = {
      ...this.#newIssue(repository, { author: pull.author, title: pull.title ?? "A change", body: pull.body ?? "" }),
      ...(pull.number === undefined ? {} : { number: pull.number }),
      branch: pull.branch ?? "change",
      from,
      base: { ref: repository.default_branch, sha: base.sha },
      head_sha: head.sha,
      merge_sha: ids.sha(),
      merged: false,
      commits: [head.sha],
      files: filesOf(pull.files ?? ["README.md"]),
    };
    if (this.find(repository, opened.number) !== null) throw new Error(`number ${opened.number} is taken`);
    this.#issues.push(opened);
    announce(
      { event: "pull_request", action: "opened", pull: opened },
      { sender: accounts.named(pull.author), repository },
    );
    return opened;
  }

  /** Another commit on its branch: `synchronize`. */
  push(pull: Pull, commit: NewCommit): Commit {
    const pushed = this.#commit(pull.from, commit, pull.head_sha);
    const before = pull.head_sha;
    pull.head_sha = pushed.sha;
    pull.merge_sha = this.#parts.ids.sha();
    pull.commits = [...pull.commits, pushed.sha];
    pull.updated_at = this.#parts.clock();
    if (commit.files !== undefined) pull.files = filesOf(commit.files);
    this.#announce(pull, "synchronize", { by: commit.by, before });
    return pushed;
  }

  close(pull: Pull, by: string, { merged = false }: { readonly merged?: boolean } = {}): void {
    const now = this.#parts.clock();
    Object.assign(pull, { open: false, merged, updated_at: now, closed_at: now });
    this.#announce(pull, "closed", { by });
  }

  reopen(pull: Pull, by: string): void {
    Object.assign(pull, { open: true, updated_at: this.#parts.clock(), closed_at: null });
    this.#announce(pull, "reopened", { by });
  }

  openIssue(repository: Repository, issue: NewIssue): Issue {
    const opened = this.#newIssue(repository, issue);
    this.#issues.push(opened);
    return opened;
  }

  edit(issue: Issue, change: { readonly title?: string; readonly body?: string; readonly open?: boolean }): void {
    const now = this.#parts.clock();
    if (change.title !== undefined) issue.title = change.title;
    if (change.body !== undefined) issue.body = change.body;
    if (change.open !== undefined && change.open !== issue.open)
      Object.assign(issue, { open: change.open, closed_at: change.open ? null : now });
    issue.updated_at = now;
  }

  /** @throws Error when there is no such pull request */
  numbered(repository: Repository, number: number): Pull {
    const pull = this.findPull(repository, number);
    if (pull === null) throw new Error(`there is no pull request ${number}`);
    return pull;
  }

  findPull(repository: Repository, number: number): Pull | null {
    const issue = this.find(repository, number);
    return issue !== null && isPull(issue) ? issue : null;
  }

  /** An issue or a pull request. */
  find(repository: Repository, number: number): Issue | null {
    return this.issues(repository).find((issue) => issue.number === number) ?? null;
  }

  /** Pull requests are among them. */
  issues(repository: Repository): readonly Issue[] {
    return this.#issues.filter((issue) => issue.repository.id === repository.id);
  }

  in(repository: Repository): readonly Pull[] {
    return this.issues(repository).filter(isPull);
  }

  /** Of the repository, or of a fork that a pull request comes from. */
  commit(repository: Repository, sha: string): Commit | null {
    const known = this.#commits.find((commit) => commit.sha === sha);
    if (known === undefined) return null;
    const brought = this.in(repository).some((pull) => pull.commits.includes(sha));
    return known.repository.id === repository.id || brought ? known : null;
  }

  /** A commit that no pull request brings: on the default branch. */
  commitTo(repository: Repository, commit: Omit<NewCommit, "files">): Commit {
    return this.#commit(repository, commit);
  }

  #announce(
    pull: Pull,
    action: "closed" | "reopened" | "synchronize",
    { by, before }: { by: string; before?: string },
  ): void {
    this.#parts.announce(
      { event: "pull_request", action, pull, ...(before === undefined ? {} : { before }) },
      { sender: this.#parts.accounts.named(by), repository: pull.repository },
    );
  }

  #newIssue(repository: Repository, { author, title, body = "" }: NewIssue): Issue {
    const now = this.#parts.clock();
    return {
      id: this.#parts.ids.next("thing"),
      repository,
      number: Math.max(0, ...this.issues(repository).map(({ number }) => number)) + 1,
      author: this.#parts.accounts.named(author),
      title,
      body,
      open: true,
      created_at: now,
      updated_at: now,
      closed_at: null,
    };
  }

  #commit(repository: Repository, { by, committer = by, authoredBy = by, sha }: NewCommit, parent?: string): Commit {
    const { ids, accounts, clock } = this.#parts;
    const commit: Commit = {
      sha: sha ?? ids.sha(),
      repository,
      message: "A change",
      parents: parent === undefined ? [] : [parent],
      author: authoredBy === null ? null : accounts.named(authoredBy),
      committer: committer === null ? null : accounts.named(committer),
      at: clock(),
    };
    this.#commits.push(commit);
    return commit;
  }
}

export const isPull = (issue: Issue): issue is Pull => "head_sha" in issue;

const filesOf = (files: readonly (string | ChangedFile)[]): readonly ChangedFile[] =>
  files.map((file) =>
    typeof file === "string" ? { path: file, status: "modified", patch: "@@ -1 +1 @@\n-before\n+after" } : file,
  );
