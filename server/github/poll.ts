/** Asks which comments are new, in a way that costs nothing while none are: the same address every time, with the last answer's ETag. */

import { z } from "zod";
import type { CommentKind, RepositoryRef, WrittenComment } from "../model/github.ts";
import type { Log } from "../model/log.ts";
import { quote } from "../model/quote.ts";
import { listedComment, numberedComment } from "./comments.ts";
import { listPages } from "./pages.ts";
import { read, refusal } from "./refusal.ts";
import type { Repositories, RepositoryAsk } from "./repositories.ts";
import type { Answer } from "./send.ts";
import { timestamp, wholeSecond } from "./shapes.ts";

/** For so long the address stays the same although what is asked for moves on; then it moves too, so that the list stays short. */
const window = 15 * 60_000;

/** 1,000 comments. */
const mostPages = 10;

/** Lists that are remembered, most. */
const mostLists = 500;

type Kept = {
  /** `since` of the address. */
  readonly from: Date;
  readonly etag: string | null;
  readonly comments: readonly WrittenComment[];
};

/** A comment on a pull request's timeline and one in an issue are the same to GitHub, and come in one list. */
const routes = {
  review_comment: "GET /repos/{owner}/{repo}/pulls/comments",
  comment: "GET /repos/{owner}/{repo}/issues/comments",
  issue: "GET /repos/{owner}/{repo}/issues/comments",
} as const satisfies Record<CommentKind, string>;

export class Poll {
  readonly #repositories: Repositories;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();

  constructor({ repositories, log }: { readonly repositories: Repositories; readonly log: Log }) {
    this.#repositories = repositories;
    this.#log = log;
  }

  async commentsSince(of: RepositoryRef, kind: CommentKind, since: Date): Promise<readonly WrittenComment[]> {
    const key = `${of.repository_id} ${routes[kind]}`;
    const asked = wholeSecond(since);
    const kept = this.#kept.get(key) ?? null;
    const from =
      kept !== null && kept.from <= asked && asked.getTime() - kept.from.getTime() <= window ? kept.from : asked;
    const fresh = await this.#list(of, { route: routes[kind], from, kept: kept?.from === from ? kept : null });
    this.#remember(key, fresh);
    return fresh.comments.filter(({ updated_at }) => new Date(updated_at) >= asked);
  }

  /** Newest first, so that the first page tells whether anything is new; a comment that moves while pages are read comes twice. */
  async #list(of: RepositoryRef, { route, from, kept }: Listing): Promise<Kept> {
    const ask: RepositoryAsk = {
      kind: "read",
      route,
      parameters: { sort: "updated", direction: "desc", since: timestamp(from) },
      doing: `list new comments of ${quote(of.repository)}`,
      needs: "pull_requests: read",
    };
    const complete = { ...ask, parameters: ask.parameters ?? {} };
    const answers: Answer[] = [];
    const { items, whole } = await listPages({
      name: "page",
      most: mostPages,
      ask: (page) =>
        this.#repositories.ask(of, {
          ...ask,
          parameters: { ...ask.parameters, ...page },
          etag: "page" in page ? null : (kept?.etag ?? null),
        }),
      read: (answer: Answer) => {
        answers.push(answer);
        if (answer.status === 304) return [];
        if (answer.status !== 200) throw refusal(answer, complete, ask.needs);
        return read(z.array(listedComment), answer, complete);
      },
    });
    const [first] = answers;
    if (first?.status === 304 && kept !== null) return kept;
    if (!whole)
      this.#log.warn(
        { repository: of.repository },
        "GitHub lists more new comments than are read at once: the oldest are left out",
      );
    const comments = new Map(items.map((item) => [item.id, numberedComment(item)]));
    return { from, etag: first?.headers["etag"] ?? null, comments: [...comments.values()].toSorted(byTime) };
  }

  #remember(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostLists && oldest !== undefined) this.#kept.delete(oldest);
  }
}

type Listing = { readonly route: string; readonly from: Date; readonly kept: Kept | null };

const byTime = (a: WrittenComment, b: WrittenComment): number =>
  a.updated_at === b.updated_at ? a.id - b.id : a.updated_at < b.updated_at ? -1 : 1;
