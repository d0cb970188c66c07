/** Comments on pull requests and issues, in threads and on the timeline. */

import type { Announce } from "./happenings.ts";
import type { Ids } from "./ids.ts";
import { isPull, type Pulls } from "./pulls.ts";
import type { Account, App, Comment, Issue, IssueComment, Pull, Repository, Review, ReviewComment } from "./state.ts";

export type NewComment = { readonly author: Account; readonly body: string; readonly via?: App | null };

export type NewThread = NewComment & {
  readonly path: string;
  readonly commit_id: string;
  readonly subject_type: "file" | "line";
  readonly line?: number | null;
};

export type NewReview = NewComment & { readonly state: Review["state"]; readonly commit_id?: string };

export type CommentParts = {
  readonly ids: Ids;
  readonly pulls: Pulls;
  readonly clock: () => Date;
  readonly announce: Announce;
};

export class Comments {
  readonly #parts: CommentParts;
  readonly #all: Comment[] = [];
  readonly #reviews: Review[] = [];

  constructor(parts: CommentParts) {
    this.#parts = parts;
  }

  /** Everything written in a repository that still stands, the oldest first. */
  in(repository: Repository): readonly Comment[] {
    return this.#all.filter((comment) => comment.repository.id === repository.id);
  }

  on(issue: Issue): readonly Comment[] {
    return this.in(issue.repository).filter(({ number }) => number === issue.number);
  }

  /** The comment that begins the thread, then its replies. */
  thread(comment: ReviewComment): readonly ReviewComment[] {
    const first = comment.in_reply_to ?? comment.id;
    return this.#all.filter(
      (each): each is ReviewComment =>
        each.kind === "review_comment" && (each.id === first || each.in_reply_to === first),
    );
  }

  /** @throws Error when it is not there (any more) */
  get(id: number): Comment {
    const comment = this.#all.find((each) => each.id === id);
    if (comment === undefined) throw new Error(`there is no comment ${id}`);
    return comment;
  }

  /** By its kind: GitHub knows a comment under the path of its kind only. */
  find<Kind extends Comment["kind"]>(
    repository: Repository,
    kind: Kind,
    id: number,
  ): Extract<Comment, { kind: Kind }> | null {
    const found = this.in(repository).find((comment) => comment.id === id);
    return found?.kind === kind ? (found as Extract<Comment, { kind: Kind }>) : null;
  }

  /** On the timeline of an issue or pull request. */
  write(issue: Issue, { author, body, via = null }: NewComment): IssueComment {
    const comment: IssueComment = { ...this.#new(issue, author, body), kind: "issue_comment", via };
    this.#all.push(comment);
    this.#announce(comment, { action: "created", sender: author });
    return comment;
  }

  /** On a file of the diff; whether it is in the diff is for whoever asks to know. */
  startThread(pull: Pull, { author, body, path, commit_id, subject_type, line = null }: NewThread): ReviewComment {
    return this.#addReviewComment({
      ...this.#new(pull, author, body),
      kind: "review_comment",
      review_id: this.#parts.ids.next("thing"),
      path,
      commit_id,
      subject_type,
      line,
      in_reply_to: null,
    });
  }

  /** A reply to a reply is a reply to what the thread began with. */
  reply(to: ReviewComment, { author, body }: NewComment): ReviewComment {
    const pull = this.#parts.pulls.numbered(to.repository, to.number);
    const first = to.in_reply_to ?? to.id;
    return this.#addReviewComment({
      ...to,
      ...this.#new(pull, author, body),
      review_id: this.#parts.ids.next("thing"),
      in_reply_to: first,
    });
  }

  /** The author stays who it was. */
  edit(comment: Comment, body: string, sender: Account): void {
    const was = comment.body;
    comment.body = body;
    comment.updated_at = this.#parts.clock();
    this.#announce(comment, { action: "edited", sender, was });
  }

  remove(comment: Comment, sender: Account): void {
    this.#all.splice(this.#all.indexOf(this.get(comment.id)), 1);
    this.#announce(comment, { action: "deleted", sender });
  }

  review(pull: Pull, { author, body, state, commit_id = pull.head_sha }: NewReview): Review {
    const review: Review = {
      id: this.#parts.ids.next("thing"),
      repository: pull.repository,
      number: pull.number,
      author,
      body,
      state,
      commit_id,
      submitted_at: this.#parts.clock(),
    };
    this.#reviews.push(review);
    return review;
  }

  reviews(repository: Repository): readonly Review[] {
    return this.#reviews.filter((review) => review.repository.id === repository.id);
  }

  #addReviewComment(comment: ReviewComment): ReviewComment {
    this.#all.push(comment);
    this.#announce(comment, { action: "created", sender: comment.author });
    return comment;
  }

  #new(issue: Issue, author: Account, body: string): Omit<IssueComment, "kind" | "via"> {
    const now = this.#parts.clock();
    return {
      id: this.#parts.ids.next("thing"),
      repository: issue.repository,
      number: issue.number,
      author,
      body,
      created_at: now,
      updated_at: now,
    };
  }

  #announce(
    comment: Comment,
    { sender, ...written }: { action: "created" | "edited" | "deleted"; sender: Account; was?: string },
  ): void {
    const { repository, number } = comment;
    const issue = this.#parts.pulls.find(repository, number);
    if (issue === null) return;
    const by = { sender, repository };
    if (comment.kind === "issue_comment")
      this.#parts.announce({ ...written, event: "issue_comment", comment, issue }, by);
    else if (isPull(issue))
      this.#parts.announce({ ...written, event: "pull_request_review_comment", comment, pull: issue }, by);
  }
}
