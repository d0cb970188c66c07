/** Looks for comments that no delivery told of, in every repository with an open question; what did not change costs GitHub's limit nothing. */

import type { Outline } from "../../../model/approval.ts";
import { GitHubFailure, type CommentKind, type RepositoryRef, type WrittenComment } from "../../../model/github.ts";
import { refOf } from "../show/presenting.ts";
import { Turns } from "../turns.ts";
import { type Poll, pollEvery, type PollParts } from "./parts.ts";
import { Spending } from "./spending.ts";

/** Requests at the same time. */
const width = 8;
/** GitHub's clock may be another, ms. */
const margin = 2 * 60_000;
/** A list that is longer is begun anew after its last comment. */
const longList = 80;

/** One list of one repository. */
type List = {
  readonly of: RepositoryRef;
  readonly kind: CommentKind;
  /** Before the oldest question whose answer may be in it. */
  readonly since: Date;
};

export class CommentPoll implements Poll {
  readonly #parts: PollParts;
  readonly #turns = new Turns(width);
  readonly #spending: Spending;
  /** What was last in each list, and from where it is read on. */
  readonly #lists = new Map<string, { readonly print: string; readonly since: Date | null }>();
  /** Comments, as they were, that need not be dealt with again. */
  readonly #seen = new Set<string>();

  constructor(parts: PollParts) {
    this.#parts = parts;
    this.#spending = new Spending(parts.now);
  }

  async poll(watched: readonly Outline[]): Promise<void> {
    const owners = Map.groupBy(listsOf(watched), ({ of }) => ownerOf(of));
    await Promise.all([...owners].map(([owner, lists]) => this.#pollOwner(owner, lists)));
  }

  forget(): void {
    this.#lists.clear();
    this.#seen.clear();
  }

  /** Its installation of the App has one limit for all its repositories. */
  async #pollOwner(owner: string, lists: readonly List[]): Promise<void> {
    if (!this.#spending.mayAsk(owner)) return;
    const outcomes = await Promise.allSettled(lists.map((list) => this.#turns.take(() => this.#pollList(list))));
    const limits: Date[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      const error: unknown = outcome.reason;
      if (!(error instanceof GitHubFailure)) throw error;
      this.#parts.log.warn({ err: error }, "GitHub could not be asked for comments");
      if (error.retry_at !== null) limits.push(error.retry_at);
    }
    this.#spending.asked(owner, { every: pollEvery, notBefore: latest(limits) });
  }

  async #pollList(list: List): Promise<void> {
    const { of, kind } = list;
    const name = `${of.repository_id} ${kind}`;
    const before = this.#lists.get(name);
    const since = before?.since ?? list.since;
    const comments = await this.#parts.github.commentsSince(of, kind, since);
    const print = comments.map((comment) => printOf(kind, comment)).join();
    if (print !== before?.print) this.#spending.spend(ownerOf(of), 1 + Math.floor(comments.length / 100));
    const heard = await Promise.all(comments.map((comment) => this.#hear(list, comment)));
    const last = comments.at(-1);
    const readOn = comments.length >= longList && heard.every(Boolean) && last !== undefined;
    this.#lists.set(name, { print, since: readOn ? earlier(last.updated_at) : (before?.since ?? null) });
  }

  /** Whether it need not be told again. */
  async #hear({ of, kind }: List, comment: WrittenComment): Promise<boolean> {
    const print = printOf(kind, comment);
    if (this.#seen.has(print)) return true;
    const action = comment.created_at === comment.updated_at ? "created" : "edited";
    const outcome = await this.#parts.hear({ kind: "comment", repository: of, action, place: kind, comment }, "asked");
    if (outcome === "later") return false;
    this.#seen.add(print);
    return true;
  }
}

const ownerOf = ({ repository }: RepositoryRef): string => repository.split("/", 1)[0]?.toLowerCase() ?? "";

const printOf = (kind: CommentKind, { id, updated_at }: WrittenComment): string => `${kind} ${id} ${updated_at}`;

const earlier = (at: string): Date => new Date(Date.parse(at) - margin);

const latest = (dates: readonly Date[]): Date | null =>
  dates.length === 0 ? null : new Date(Math.max(...dates.map((date) => date.getTime())));

/** Every list that may hold an answer, once. */
function listsOf(watched: readonly Outline[]): readonly List[] {
  const repositories = Map.groupBy(watched, ({ run }) => run?.repository_id ?? "");
  return [...repositories.values()].flatMap((asked) => {
    const newest = asked.at(-1)?.run ?? null;
    const [oldest] = asked;
    if (newest === null || oldest === undefined) return [];
    // A whole minute: the same address again and again is what GitHub answers with "not modified".
    const since = new Date(Math.floor((oldest.asked_at.getTime() - margin) / 60_000) * 60_000);
    return kindsOf(asked).map((kind) => ({ of: refOf(newest), kind, since }));
  });
}

function kindsOf(asked: readonly Outline[]): readonly CommentKind[] {
  const inPulls = asked.some(({ run }) => run !== null && run.pull !== null);
  const inIssues = asked.some(({ where }) => where.some(({ kind }) => kind === "issue"));
  return [...(inPulls ? (["review_comment", "comment"] as const) : []), ...(inIssues ? (["issue"] as const) : [])];
}
