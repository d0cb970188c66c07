/** Comments: read one, write one, answer one, change our own. */

import { z } from "zod";
import type { Place } from "../model/approval.ts";
import { type CommentKind, GitHubFailure, type RepositoryRef, type WrittenComment } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { writtenComment } from "./heard.ts";
import { messageIn, read, refusal } from "./refusal.ts";
import type { Repositories, RepositoryAsk } from "./repositories.ts";
import { comment, id } from "./shapes.ts";

/** A comment of a list says in its addresses where it stands. */
export const listedComment = comment.extend({
  pull_request_url: z.string().nullish(),
  issue_url: z.string().nullish(),
});

export const numberedComment = (listed: z.output<typeof listedComment>): WrittenComment => {
  const address = listed.pull_request_url ?? listed.issue_url ?? "";
  return writtenComment(listed, Number(/\/(\d+)$/.exec(address)?.[1] ?? 0));
};

const created = z.object({ id, html_url: z.string() });

export type NewReviewComment = {
  readonly number: number;
  readonly head_sha: string;
  readonly path: string;
  readonly body: string;
};

const needs = "pull_requests: write";

export class Comments {
  readonly #repositories: Repositories;
  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async comment(of: RepositoryRef, kind: CommentKind, comment_id: number): Promise<WrittenComment | null> {
    const list = kind === "review_comment" ? "pulls" : "issues";
    const found = await this.#repositories.get(of, listedComment, {
      kind: "read",
      route: `GET /repos/{owner}/{repo}/${list}/comments/{comment_id}`,
      parameters: { comment_id },
      doing: `read comment ${comment_id} of ${quote(of.repository)}`,
      needs: "pull_requests: read",
    });
    return found === null ? null : numberedComment(found);
  }

  async createReviewComment(
    of: RepositoryRef,
    { number, head_sha, path, body }: NewReviewComment,
  ): Promise<Place | null> {
    const ask: RepositoryAsk = {
      kind: "create",
      route: "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments",
      parameters: { pull_number: number, commit_id: head_sha, path, subject_type: "file", body },
      doing: `comment on a file of pull request ${number} of ${quote(of.repository)}`,
      needs,
    };
    const answer = await this.#repositories.ask(of, ask);
    // Not in the diff, too large a diff, or a server from before comments on files: whatever it is, a comment of another kind is left.
    if (answer.status === 422 && !aboutCommit(messageIn(answer.data))) return null;
    const complete = { ...ask, parameters: ask.parameters ?? {} };
    if (answer.status !== 201) throw refusal(answer, complete, needs);
    const { id: made, html_url } = read(created, answer, complete);
    return { kind: "review_comment", url: html_url, id: made, number };
  }

  async createComment(
    of: RepositoryRef,
    { number, body }: { readonly number: number; readonly body: string },
  ): Promise<Place> {
    const { id: made, html_url } = await this.#below(of, { number, body, doing: `comment on pull request ${number}` });
    return { kind: "comment", url: html_url, id: made, number };
  }

  async reply(of: RepositoryRef, place: Place, body: string): Promise<void> {
    const { kind, id: comment_id, number } = place;
    if (number === null || kind === "check_run" || kind === "page")
      throw new GitHubFailure("refused", `a ${kind} has no thread to answer in`);
    if (kind !== "review_comment" || comment_id === null) {
      await this.#below(of, { number, body, doing: `answer in ${number}`, lane: "reply" });
      return;
    }
    await this.#repositories.put(of, created, {
      kind: "create",
      route: "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
      parameters: { pull_number: number, comment_id, body },
      doing: `answer comment ${comment_id} on pull request ${number} of ${quote(of.repository)}`,
      needs,
      lane: "reply",
    });
  }

  /** Of our own; the same twice is once. */
  async edit(of: RepositoryRef, place: Place, body: string): Promise<void> {
    const change = editOf(place);
    await this.#repositories.put(of, z.object({ id }), {
      kind: "change",
      route: change.route,
      parameters: { ...change.parameters, body },
      doing: `edit ${quote(place.url)}`,
      needs: place.kind === "issue" ? "issues: write" : needs,
    });
  }

  #below(
    of: RepositoryRef,
    { number, body, doing, lane }: { number: number; body: string; doing: string; lane?: "reply" },
  ) {
    return this.#repositories.put(of, created, {
      kind: "create",
      route: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
      parameters: { issue_number: number, body },
      doing: `${doing} of ${quote(of.repository)}`,
      needs,
      ...(lane !== undefined && { lane }),
    });
  }
}

/** The head that was named is not the pull request's: a comment of another kind would be about something else than was asked. */
const aboutCommit = (message: string): boolean => /commit_?(id|oid)|commit found|end_commit/i.test(message);

const editOf = ({ kind, id: comment_id, number }: Place): { readonly route: string; readonly parameters: object } => {
  switch (kind) {
    case "review_comment":
      return { route: "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}", parameters: { comment_id } };
    case "comment":
      return { route: "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", parameters: { comment_id } };
    case "issue":
      return { route: "PATCH /repos/{owner}/{repo}/issues/{issue_number}", parameters: { issue_number: number } };
    case "check_run":
    case "page":
      throw new GitHubFailure("refused", `a ${kind} is not edited like a comment`);
    default:
      return kind satisfies never;
  }
};
