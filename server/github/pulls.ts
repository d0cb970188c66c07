/** Pull requests: their state, their files, and the people behind their commits. */

import { z } from "zod";
import type { PullRequest, RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { listPages } from "./pages.ts";
import { read, refusal } from "./refusal.ts";
import type { Repositories, RepositoryAsk } from "./repositories.ts";
import type { Answer } from "./send.ts";
import { digits, id, login } from "./shapes.ts";

const pull = z.object({
  number: id,
  html_url: z.string(),
  state: z.string(),
  head: z.object({ sha: z.string() }),
  user: login,
  base: z.object({ repo: z.object({ id: digits }) }),
});

const file = z.object({ filename: z.string() });

const commit = z.object({ author: login, committer: login });

const needs = "pull_requests: read";

export class Pulls {
  readonly #repositories: Repositories;
  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async pull(of: RepositoryRef, number: number): Promise<PullRequest | null> {
    const found = await this.#repositories.get(of, pull, {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/pulls/{pull_number}",
      parameters: { pull_number: number },
      doing: `read pull request ${number} of ${quote(of.repository)}`,
      needs,
    });
    return found === null ? null : pullRequest(found);
  }

  async pullsWith(of: RepositoryRef, head_sha: string): Promise<readonly PullRequest[]> {
    const found = await this.#list(of, pull, {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
      parameters: { commit_sha: head_sha },
      doing: `look for pull requests with the commit ${quote(head_sha)} in ${quote(of.repository)}`,
      needs,
    });
    // Those that merely contain the commit are listed too.
    return found.map(pullRequest).filter((each) => each.open && each.head_sha === head_sha);
  }

  async changedFiles(of: RepositoryRef, number: number): Promise<readonly string[]> {
    const files = await this.#list(of, file, {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
      parameters: { pull_number: number },
      doing: `list the files of pull request ${number} of ${quote(of.repository)}`,
      needs,
    });
    return files.map(({ filename }) => filename);
  }

  /** Of a private repository GitHub tells this to Apps with `contents: read` only, which this one does not ask for: then it rejects. */
  async committers(of: RepositoryRef, sha: string): Promise<readonly string[]> {
    const found = await this.#repositories.get(of, commit, {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/commits/{ref}",
      parameters: { ref: sha },
      doing: `read who made the commit ${quote(sha)} of ${quote(of.repository)}`,
      needs: "contents: read",
    });
    const people = [found?.author, found?.committer].filter((who) => typeof who === "string");
    return [...new Set(people)];
  }

  /** At most 300; none for GitHub's 404. */
  async #list<Shape extends z.ZodType>(
    of: RepositoryRef,
    shape: Shape,
    ask: RepositoryAsk,
  ): Promise<readonly z.output<Shape>[]> {
    const complete = { ...ask, parameters: ask.parameters ?? {} };
    const { items } = await listPages({
      name: "page",
      most: 3,
      ask: (page) => this.#repositories.ask(of, { ...ask, parameters: { ...ask.parameters, ...page } }),
      read: (answer: Answer) => {
        if (answer.status === 404) return [];
        if (answer.status !== 200) throw refusal(answer, complete, ask.needs);
        return read(z.array(shape), answer, complete);
      },
    });
    return items;
  }
}

const pullRequest = ({ number, html_url, state, head, user, base }: z.output<typeof pull>): PullRequest => ({
  number,
  url: html_url,
  open: state === "open",
  head_sha: head.sha,
  author: user,
  repository_id: base.repo.id,
});
