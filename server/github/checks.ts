/** Check runs: completed ones with buttons, which only people can press. */

import { z } from "zod";
import type { Place } from "../model/approval.ts";
import type { CheckRunContent, NewCheckRun, RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { Repositories } from "./repositories.ts";
import { id } from "./shapes.ts";

const created = z.object({ id, html_url: z.string().nullish() });

const needs = "checks: write";

export class Checks {
  readonly #repositories: Repositories;
  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async createCheckRun(of: RepositoryRef, check: NewCheckRun): Promise<Place> {
    const { id: made, html_url } = await this.#repositories.put(of, created, {
      kind: "create",
      route: "POST /repos/{owner}/{repo}/check-runs",
      parameters: {
        name: nameOf(check),
        head_sha: check.head_sha,
        external_id: check.external_id,
        details_url: check.details_url,
        ...contentOf(check.content),
      },
      doing: `create a check run on ${quote(of.repository)}`,
      needs,
    });
    return { kind: "check_run", url: html_url ?? check.details_url, id: made, number: null };
  }

  /** The same twice is once. */
  async updateCheckRun(of: RepositoryRef, check_run_id: number, content: CheckRunContent): Promise<void> {
    await this.#repositories.put(of, z.object({ id }), {
      kind: "change",
      route: "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
      parameters: { check_run_id, ...contentOf(content) },
      doing: `update check run ${check_run_id} of ${quote(of.repository)}`,
      needs,
    });
  }
}

/** A name of its own: of check runs with one name on one commit GitHub shows the latest only. */
const nameOf = ({ external_id }: NewCheckRun): string => `Dogwatch approval ${external_id.slice(-8)}`;

/** Completed from the start: GitHub shows buttons on no other. */
const contentOf = ({ conclusion, title, summary, text, actions }: CheckRunContent): object => ({
  status: "completed",
  conclusion,
  output: { title, summary, text },
  actions,
});
