/** Somebody at a keyboard, signed in to GitHub's pages. */

import { isPull } from "./pulls.ts";
import type { Account, CheckRun, Comment, Issue, IssueComment, Repository, Review, ReviewComment } from "./state.ts";
import type { World } from "./world.ts";

type Parts = Pick<World, "accounts" | "repositories" | "pulls" | "comments" | "checks">;

export class Person {
  readonly #parts: Parts;
  readonly account: Account;

  constructor(parts: Parts, account: Account) {
    this.#parts = parts;
    this.account = account;
  }

  /** On the timeline of an issue or pull request. */
  comment(on: Issue, body: string): IssueComment {
    return this.#parts.comments.write(on, { author: this.account, body });
  }

  /** In the thread of a review comment. */
  reply(to: ReviewComment | number, body: string): ReviewComment {
    const comment = typeof to === "number" ? this.#parts.comments.get(to) : to;
    if (comment.kind !== "review_comment") throw new Error(`comment ${comment.id} begins no thread`);
    return this.#parts.comments.reply(comment, { author: this.account, body });
  }

  /** A thread of one's own on a file of the diff. */
  startThread(on: Issue, path: string, body: string): ReviewComment {
    if (!isPull(on)) throw new Error(`${on.number} is no pull request`);
    if (!on.files.some((file) => file.path === path)) throw new Error(`${path} is not in the diff`);
    const thread = { path, commit_id: on.head_sha, subject_type: "file" } as const;
    return this.#parts.comments.startThread(on, { author: this.account, body, ...thread });
  }

  /** One's own, or anybody's with write permission: the author stays who it was. @throws Error when the person may not */
  edit(comment: Comment, body: string): void {
    this.#mayChange(comment);
    this.#parts.comments.edit(this.#parts.comments.get(comment.id), body, this.account);
  }

  /** @throws Error when the person may not */
  remove(comment: Comment): void {
    this.#mayChange(comment);
    this.#parts.comments.remove(comment, this.account);
  }

  review(on: Issue, state: Review["state"], body = ""): Review {
    if (!isPull(on)) throw new Error(`${on.number} is no pull request`);
    return this.#parts.comments.review(on, { author: this.account, body, state });
  }

  /** @throws Error when the check run shows no such button, or shows none to this person */
  press(check: CheckRun | number, identifier: string): void {
    const pressed = typeof check === "number" ? this.#parts.checks.get(check) : check;
    if (!this.#parts.repositories.may(pressed.repository, this.account, "write"))
      throw new Error(`${this.account.login} sees no buttons: they are for people who may write`);
    this.#parts.checks.press(pressed, identifier, this.account);
  }

  /**
   * Answers the newest question of a bot in this repository that nobody has answered by the same words: `/approve CODE` in its thread, or below
   * it where it begins none. @throws Error when no question stands there
   */
  answer(repository: Repository, verdict: "approve" | "deny", reason = ""): Comment {
    const { comments, pulls } = this.#parts;
    const asked = comments
      .in(repository)
      .findLast(({ author, body }) => author.type === "Bot" && codeIn(body) !== null);
    if (asked === undefined) throw new Error(`nobody asks anything in ${repository.owner.login}/${repository.name}`);
    const body = [`/${verdict}`, codeIn(asked.body), reason].filter(Boolean).join(" ");
    if (asked.kind === "review_comment") return this.reply(asked, body);
    const issue = pulls.find(repository, asked.number);
    if (issue === null) throw new Error(`there is no ${asked.number}`);
    return this.comment(issue, body);
  }

  #mayChange(comment: Comment): void {
    if (comment.author.id === this.account.id) return;
    if (!this.#parts.repositories.may(comment.repository, this.account, "write"))
      throw new Error(`${this.account.login} may not change what ${comment.author.login} wrote`);
  }
}

/** The CODE that a question names. */
export const codeIn = (body: string): string | null => /\/approve ([A-Z0-9]{6,10})\b/.exec(body)?.[1] ?? null;
