/** Issues, and what is written on them and on pull requests, as the API writes it. */

import { nodeId, time } from "../ids.ts";
import { isPull } from "../pulls.ts";
import type { Issue, IssueComment, Review, ReviewComment } from "../state.ts";
import type { Surroundings } from "../world.ts";
import { userJson } from "./account.ts";
import { appJson } from "./app.ts";
import { association } from "./association.ts";
import { repositoryPage, repositoryUrl } from "./repository.ts";

export const issuePage = (world: Surroundings, issue: Issue): string =>
  `${repositoryPage(world, issue.repository)}/${isPull(issue) ? "pull" : "issues"}/${issue.number}`;

export const issueJson = (world: Surroundings, issue: Issue): object => {
  const { id, repository, number, author } = issue;
  const api = repositoryUrl(world, repository);
  const url = `${api}/issues/${number}`;
  const page = issuePage(world, issue);
  return {
    id,
    node_id: nodeId("Issue", id),
    url,
    repository_url: api,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: page,
    number,
    state: issue.open ? "open" : "closed",
    state_reason: null,
    title: issue.title,
    body: issue.body,
    user: userJson(world, author),
    author_association: association(world, repository, author),
    labels: [],
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    active_lock_reason: null,
    comments: world.comments.on(issue).filter(({ kind }) => kind === "issue_comment").length,
    closed_at: issue.closed_at === null ? null : time(issue.closed_at),
    created_at: time(issue.created_at),
    updated_at: time(issue.updated_at),
    closed_by: null,
    reactions: reactions(url),
    ...(isPull(issue)
      ? {
          draft: false,
          pull_request: {
            url: `${api}/pulls/${number}`,
            html_url: page,
            diff_url: `${page}.diff`,
            patch_url: `${page}.patch`,
            merged_at: issue.merged && issue.closed_at !== null ? time(issue.closed_at) : null,
          },
        }
      : {}),
  };
};

export const issueCommentJson = (world: Surroundings, comment: IssueComment): object => {
  const { id, repository, number, author, body } = comment;
  const api = repositoryUrl(world, repository);
  const issue = world.pulls.find(repository, number);
  const url = `${api}/issues/comments/${id}`;
  return {
    id,
    node_id: nodeId("IssueComment", id),
    url,
    html_url: `${issue === null ? repositoryPage(world, repository) : issuePage(world, issue)}#issuecomment-${id}`,
    issue_url: `${api}/issues/${number}`,
    user: userJson(world, author),
    author_association: association(world, repository, author),
    body,
    created_at: time(comment.created_at),
    updated_at: time(comment.updated_at),
    reactions: reactions(url),
    performed_via_github_app: comment.via === null ? null : appJson(world, comment.via),
  };
};

export const reviewCommentJson = (world: Surroundings, comment: ReviewComment): object => {
  const { id, repository, number, author, body, path, commit_id, in_reply_to, line, subject_type } = comment;
  const url = `${repositoryUrl(world, repository)}/pulls/comments/${id}`;
  const pull_request_url = `${repositoryUrl(world, repository)}/pulls/${number}`;
  const html_url = `${repositoryPage(world, repository)}/pull/${number}#discussion_r${id}`;
  return {
    id,
    node_id: nodeId("PullRequestReviewComment", id),
    pull_request_review_id: comment.review_id,
    url,
    html_url,
    pull_request_url,
    _links: { self: { href: url }, html: { href: html_url }, pull_request: { href: pull_request_url } },
    diff_hunk: "",
    path,
    commit_id,
    original_commit_id: commit_id,
    subject_type,
    ...(line === null ? { position: 1 } : { line, original_line: line, side: "RIGHT" }),
    ...(in_reply_to === null ? {} : { in_reply_to_id: in_reply_to }),
    user: userJson(world, author),
    author_association: association(world, repository, author),
    body,
    created_at: time(comment.created_at),
    updated_at: time(comment.updated_at),
    reactions: reactions(url),
  };
};

export const reviewJson = (world: Surroundings, review: Review): object => {
  const { id, repository, number, author, body, state, commit_id } = review;
  const pull_request_url = `${repositoryUrl(world, repository)}/pulls/${number}`;
  const html_url = `${repositoryPage(world, repository)}/pull/${number}#pullrequestreview-${id}`;
  return {
    id,
    node_id: nodeId("PullRequestReview", id),
    user: userJson(world, author),
    author_association: association(world, repository, author),
    body,
    state,
    commit_id,
    submitted_at: time(review.submitted_at),
    html_url,
    pull_request_url,
    _links: { html: { href: html_url }, pull_request: { href: pull_request_url } },
  };
};

const reactions = (url: string): object => ({
  url: `${url}/reactions`,
  total_count: 0,
  "+1": 0,
  "-1": 0,
  laugh: 0,
  hooray: 0,
  confused: 0,
  heart: 0,
  rocket: 0,
  eyes: 0,
});
