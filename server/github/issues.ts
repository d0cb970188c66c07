/** Issues, for runs without a pull request: one is opened, and found again when the answer to its opening was lost. */

import { z } from "zod";
import type { Place } from "../model/approval.ts";
import { GitHubFailure, type RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { type Sought, isSought, signed } from "./find.ts";
import type { Uses } from "./permissions.ts";
import { read, refusal } from "./refusal.ts";
import type { Repositories } from "./repositories.ts";
import { id } from "./shapes.ts";

const issue = signed.extend({ number: id });
type Issue = z.output<typeof issue>;

/** Issues that are looked at from the newest on, most. */
const most = 50;

/** Numbers in a row that nothing has before the last one is believed to be found: issues can be moved away. */
const gap = 3;

export class Issues {
  readonly #repositories: Repositories;
  readonly #uses: Uses;

  constructor({ repositories, uses }: { readonly repositories: Repositories; readonly uses: Uses }) {
    this.#repositories = repositories;
    this.#uses = uses;
  }

  async createIssue(of: RepositoryRef, asked: { readonly title: string; readonly body: string }): Promise<Place> {
    if (!this.#uses.issues) throw new GitHubFailure("refused", "questions in issues are off: no issue was opened");
    const made = await this.#repositories.put(of, issue.pick({ id: true, number: true, html_url: true }), {
      kind: "create",
      route: "POST /repos/{owner}/{repo}/issues",
      parameters: { ...asked },
      doing: `open an issue in ${quote(of.repository)}`,
      needs: "issues: write",
    });
    return placeOf(made);
  }

  /** From the newest back to `since`. Issues and pull requests are numbered together, so the numbers around the newest are looked at. */
  async findIssue(of: RepositoryRef, sought: Sought): Promise<Place | null> {
    const last = await this.#lastNumber(of);
    for (let number = last; number > 0 && number > last - most; number -= 1) {
      const found = await this.#issue(of, number);
      if (found === null || found === "gone") continue;
      if (isSought(found, sought)) return placeOf(found);
      if (new Date(found.created_at) < sought.since) return null;
    }
    return null;
  }

  /** From the newest pull request on: doubles the step until nothing is there, then halves it. */
  async #lastNumber(of: RepositoryRef): Promise<number> {
    let there = await this.#newestPull(of);
    let step = 1;
    for (; await this.#isAnyFrom(of, there + step); step *= 2) there += step;
    for (step /= 2; step >= 1; step /= 2) if (await this.#isAnyFrom(of, there + step)) there += step;
    // The gap's own numbers may be in use.
    return there + gap - 1;
  }

  /** 0 when there is none. */
  async #newestPull(of: RepositoryRef): Promise<number> {
    const pulls = await this.#repositories.get(of, z.array(z.object({ number: id })), {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/pulls",
      parameters: { state: "all", sort: "created", direction: "desc", per_page: 1 },
      doing: `look for the newest number of ${quote(of.repository)}`,
      needs: "pull_requests: read",
    });
    return pulls?.[0]?.number ?? 0;
  }

  async #isAnyFrom(of: RepositoryRef, number: number): Promise<boolean> {
    for (let next = number; next < number + gap; next += 1) if ((await this.#issue(of, next)) !== null) return true;
    return false;
  }

  /** A deleted or transferred one has had its number all the same. */
  async #issue(of: RepositoryRef, number: number): Promise<Issue | "gone" | null> {
    const ask = {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/issues/{issue_number}",
      parameters: { issue_number: number },
      doing: `look for our issue in ${quote(of.repository)}`,
      needs: "issues: read",
    } as const;
    const answer = await this.#repositories.ask(of, ask);
    if (answer.status === 404) return null;
    if (answer.status === 410 || answer.status === 301) return "gone";
    if (answer.status !== 200) throw refusal(answer, ask, ask.needs);
    return read(issue, answer, ask);
  }
}

const placeOf = ({ id: made, number, html_url }: Pick<Issue, "id" | "number" | "html_url">): Place => ({
  kind: "issue",
  url: html_url,
  id: made,
  number,
});
