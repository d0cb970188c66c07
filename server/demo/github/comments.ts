/** Comments on pull requests and issues. */

import type { Comment, Issue, IssueComment, Repository, Review, ReviewComment } from "./state.ts";

export type Comments = {
  /** Everything written in a repository that still stands, the oldest first. */
  in(repository: Repository): readonly Comment[];
  on(issue: Issue): readonly Comment[];
  /** The comment that begins the thread, then its replies. */
  thread(comment: ReviewComment): readonly ReviewComment[];
  /** @throws Error when it is not there (any more) */
  get(id: number): Comment;
  reviews(repository: Repository): readonly Review[];
  /** A comment that an App writes in a person's name: `user` is the person, `performed_via_github_app` the App. */
  commentVia(
    issue: Issue,
    comment: { readonly login: string; readonly app: string; readonly body: string },
  ): IssueComment;
};
