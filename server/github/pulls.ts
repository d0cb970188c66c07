/** Pull requests: their state, their files, and the people behind their commits. */

import { z } from "zod";
import { GitHubFailure, type PullRequest, type RepositoryRef } from "../model/github.ts";
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
    return found === null ? [] : peopleOf(found);
  }

  /** As one of the pull request's commits, which needs no look at the code; GitHub lists 250 at most, in their order. */
  async headCommitters(
    of: RepositoryRef,
    { number, head_sha }: Pick<PullRequest, "number" | "head_sha">,
  ): Promise<readonly string[]> {
    const commits = await this.#list(of, commit.extend({ sha: z.string() }), {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits",
      parameters: { pull_number: number },
      doing: `list the commits of pull request ${number} of ${quote(of.repository)}`,
      needs,
    });
    const head = commits.find(({ sha }) => sha === head_sha);
    if (head !== undefined) return peopleOf(head);
    const people = await this.committers(of, head_sha);
    if (people.length > 0) return people;
    const what = `who made the commit ${quote(head_sha)}, the last of pull request ${number} of ${quote(of.repository)}`;
    throw new GitHubFailure("refused", `GitHub does not tell ${what}`);
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

const peopleOf = ({ author, committer }: z.output<typeof commit>): readonly string[] => [
  ...new Set([author, committer].filter((who) => who !== null)),
];

const pullRequest = ({ number, html_url, state, head, user, base }: z.output<typeof pull>): PullRequest => ({
  number,
  url: html_url,
  open: state === "open",
  head_sha: head.sha,
  author: user,
  repository_id: base.repo.id,
});
