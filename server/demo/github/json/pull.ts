/** Pull requests, their files and commits as the API writes them. */

import { createHash } from "node:crypto";
import { nodeId, time } from "../ids.ts";
import type { Account, ChangedFile, Commit, Pull, Repository } from "../state.ts";
import type { Surroundings } from "../world.ts";
import { userJson } from "./account.ts";
import { association } from "./association.ts";
import { repositoryJson, repositoryPage, repositoryUrl } from "./repository.ts";

export const pullPage = (world: Pick<Surroundings, "url">, { repository, number }: Pull): string =>
  `${repositoryPage(world, repository)}/pull/${number}`;

/** As lists have it. */
export const pullInListJson = (world: Surroundings, pull: Pull): object => {
  const { id, repository, number, author, head_sha, base, from } = pull;
  const links = linksOf(world, pull);
  const end = (ref: string, sha: string, repo: Repository): object => ({
    label: `${repo.owner.login}:${ref}`,
    ref,
    sha,
    user: userJson(world, repo.owner),
    repo: repositoryJson(world, repo),
  });
  return {
    ...links,
    id,
    node_id: nodeId("PullRequest", id),
    number,
    state: pull.open ? "open" : "closed",
    locked: false,
    active_lock_reason: null,
    title: pull.title,
    body: pull.body === "" ? null : pull.body,
    user: userJson(world, author),
    author_association: association(world, repository, author),
    created_at: time(pull.created_at),
    updated_at: time(pull.updated_at),
    closed_at: pull.closed_at === null ? null : time(pull.closed_at),
    merged_at: pull.merged && pull.closed_at !== null ? time(pull.closed_at) : null,
    merge_commit_sha: pull.merge_sha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [],
    milestone: null,
    draft: false,
    auto_merge: null,
    head: end(pull.branch, head_sha, from),
    base: end(base.ref, base.sha, repository),
    _links: {
      self: { href: links.url },
      html: { href: links.html_url },
      issue: { href: links.issue_url },
      comments: { href: links.comments_url },
      review_comments: { href: links.review_comments_url },
      review_comment: { href: links.review_comment_url },
      commits: { href: links.commits_url },
      statuses: { href: links.statuses_url },
    },
  };
};

export const pullJson = (world: Surroundings, pull: Pull): object => {
  const comments = world.comments.on(pull);
  const reviewComments = comments.filter(({ kind }) => kind === "review_comment").length;
  return {
    ...pullInListJson(world, pull),
    merged: pull.merged,
    mergeable: pull.open ? true : null,
    rebaseable: pull.open ? true : null,
    mergeable_state: pull.open ? "clean" : "unknown",
    merged_by: pull.merged ? userJson(world, pull.author) : null,
    comments: comments.length - reviewComments,
    review_comments: reviewComments,
    maintainer_can_modify: false,
    commits: pull.commits.length,
    additions: pull.files.length,
    deletions: pull.files.length,
    changed_files: pull.files.length,
  };
};

/** As runs and check runs name it. */
export const pullInShortJson = (world: Surroundings, pull: Pull): object => {
  const repo = (of: Repository): object => ({ id: of.id, url: repositoryUrl(world, of), name: of.name });
  return {
    id: pull.id,
    number: pull.number,
    url: linksOf(world, pull).url,
    head: { ref: pull.branch, sha: pull.head_sha, repo: repo(pull.from) },
    base: { ref: pull.base.ref, sha: pull.base.sha, repo: repo(pull.repository) },
  };
};

const linksOf = (world: Surroundings, pull: Pull) => {
  const api = repositoryUrl(world, pull.repository);
  const url = `${api}/pulls/${pull.number}`;
  const html_url = pullPage(world, pull);
  return {
    url,
    html_url,
    diff_url: `${html_url}.diff`,
    patch_url: `${html_url}.patch`,
    issue_url: `${api}/issues/${pull.number}`,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${api}/issues/${pull.number}/comments`,
    statuses_url: `${api}/statuses/${pull.head_sha}`,
  };
};

export const fileJson = (world: Surroundings, pull: Pull, { path, status, patch }: ChangedFile): object => {
  const changed = (sign: string): number => patch.split("\n").filter((line) => line.startsWith(sign)).length;
  const page = repositoryPage(world, pull.from);
  const escaped = path.split("/").map(encodeURIComponent).join("/");
  return {
    sha: createHash("sha1").update(`${pull.head_sha} ${path}`).digest("hex"),
    filename: path,
    status,
    additions: changed("+"),
    deletions: changed("-"),
    changes: changed("+") + changed("-"),
    blob_url: `${page}/blob/${pull.head_sha}/${escaped}`,
    raw_url: `${page}/raw/${pull.head_sha}/${escaped}`,
    contents_url: `${repositoryUrl(world, pull.from)}/contents/${escaped}?ref=${pull.head_sha}`,
    patch,
  };
};

export const commitJson = (world: Surroundings, repository: Repository, commit: Commit): object => {
  const url = `${repositoryUrl(world, repository)}/commits/${commit.sha}`;
  const git = (account: Account | null): object => ({
    name: account?.login ?? "Somebody",
    email: `${account?.login ?? "somebody"}@users.noreply.github.com`,
    date: time(commit.at),
  });
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", Number.parseInt(commit.sha.slice(0, 8), 16)),
    url,
    html_url: `${repositoryPage(world, repository)}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    commit: {
      url: `${repositoryUrl(world, repository)}/git/commits/${commit.sha}`,
      message: commit.message,
      author: git(commit.author),
      committer: git(commit.committer),
      comment_count: 0,
      tree: { sha: commit.sha, url: `${repositoryUrl(world, repository)}/git/trees/${commit.sha}` },
      verification: { verified: false, reason: "unsigned", payload: null, signature: null, verified_at: null },
    },
    author: commit.author === null ? null : userJson(world, commit.author),
    committer: commit.committer === null ? null : userJson(world, commit.committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryUrl(world, repository)}/commits/${sha}`,
      html_url: `${repositoryPage(world, repository)}/commit/${sha}`,
    })),
    stats: { additions: 1, deletions: 1, total: 2 },
    files: [],
  };
};
