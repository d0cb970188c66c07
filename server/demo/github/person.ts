/** Somebody at a keyboard, signed in to GitHub's pages. */

import type { CheckRun, Comment, Issue, IssueComment, Repository, Review, ReviewComment } from "./state.ts";

export type Person = {
  /** On the timeline of an issue or pull request. */
  comment(on: Issue, body: string): IssueComment;
  /** In the thread of a review comment. */
  reply(to: ReviewComment | number, body: string): ReviewComment;
  /** A thread of one's own on a file of the diff. */
  startThread(on: Issue, path: string, body: string): ReviewComment;
  /** One's own, or anybody's with write permission: the author stays who it was. */
  edit(comment: Comment, body: string): void;
  remove(comment: Comment): void;
  review(on: Issue, state: Review["state"], body?: string): Review;
  /** A button of a completed check run. @throws Error when it has no such button, or the person may not write in the repository */
  press(check: CheckRun, identifier: string): void;
  /** Answers whichever question stands in this repository, as `npm start` does: by a reply to the newest comment of the App that holds `/approve CODE`. */
  answer(repository: Repository, verdict: "approve" | "deny", reason?: string): Comment;
};
