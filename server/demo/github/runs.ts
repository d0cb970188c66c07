/** Workflow runs, their jobs, and what a job has of GitHub: the claims of its identity, and a token. */

import { randomBytes } from "node:crypto";
import type { DemoJob } from "./issuer.ts";
import type { Accounts } from "./accounts.ts";
import type { Ids } from "./ids.ts";
import { fullNameOf } from "./repositories.ts";
import type { Permissions, Pull, Repository, Run } from "./state.ts";

export type NewRun = {
  readonly id?: number;
  readonly actor: string;
  /** Who ran it again; default: the actor. */
  readonly triggering_actor?: string;
  /** Default: `pull_request` with a pull request, else `push`. */
  readonly event?: string;
  readonly path?: string;
  readonly name?: string;
  readonly attempt?: number;
  /** For a run without a pull request. */
  readonly head_sha?: string;
  readonly head_branch?: string;
  /** Its number is listed with the run unless it comes from a fork. */
  readonly pull?: Pull;
};

export type JobToken = { readonly run: Run; readonly permissions: Permissions };

export type RunParts = { readonly ids: Ids; readonly accounts: Accounts; readonly clock: () => Date };

export class Runs {
  readonly #parts: RunParts;
  readonly #all: Run[] = [];
  readonly #tokens = new Map<string, JobToken>();

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  start(repository: Repository, run: NewRun): Run {
    const { ids, accounts, clock } = this.#parts;
    const now = clock();
    const { pull } = run;
    const name = run.name ?? "agent";
    const started: Run = {
      id: run.id ?? ids.next("thing"),
      attempt: run.attempt ?? 1,
      repository,
      head_sha: pull?.head_sha ?? run.head_sha ?? ids.sha(),
      merge_sha: pull?.merge_sha ?? null,
      head_branch: pull?.branch ?? run.head_branch ?? repository.default_branch,
      head_repository: pull?.from ?? repository,
      event: run.event ?? (pull === undefined ? "push" : "pull_request"),
      path: run.path ?? ".github/workflows/agent.yml",
      name,
      actor: accounts.named(run.actor),
      triggering_actor: accounts.named(run.triggering_actor ?? run.actor),
      status: "in_progress",
      conclusion: null,
      pull: pull?.number ?? null,
      pulls: pull === undefined || pull.from.id !== repository.id ? [] : [pull.number],
      jobs: [{ id: ids.next("thing"), name, status: "in_progress", conclusion: null }],
      created_at: now,
      updated_at: now,
    };
    this.#all.push(started);
    return started;
  }

  /** Another attempt of the same run, with jobs of its own. */
  rerun(run: Run, by: string): void {
    Object.assign(run, {
      attempt: run.attempt + 1,
      triggering_actor: this.#parts.accounts.named(by),
      status: "in_progress",
      conclusion: null,
      updated_at: this.#parts.clock(),
      jobs: [{ id: this.#parts.ids.next("thing"), name: run.name, status: "in_progress", conclusion: null }],
    } satisfies Partial<Run>);
  }

  end(run: Run, conclusion: "success" | "failure" | "cancelled"): void {
    Object.assign(run, {
      status: "completed",
      conclusion,
      updated_at: this.#parts.clock(),
      jobs: run.jobs.map((job) => ({ ...job, status: "completed", conclusion })),
    } satisfies Partial<Run>);
    for (const [token, { run: of }] of this.#tokens) if (of === run) this.#tokens.delete(token);
  }

  find(repository: Repository, id: number): Run | null {
    return this.#all.find((run) => run.id === id && run.repository.id === repository.id) ?? null;
  }

  ofJob(repository: Repository, job: number): Run | null {
    return (
      this.#all.find((run) => run.repository.id === repository.id && run.jobs.some(({ id }) => id === job)) ?? null
    );
  }

  /** A job's `GITHUB_TOKEN`: the bot `github-actions[bot]` in this repository, until the run ends. */
  token(run: Run, permissions: Permissions): string {
    const token = `ghs_${randomBytes(27).toString("base64url")}`;
    this.#tokens.set(token, { run, permissions: { metadata: "read", ...permissions } });
    return token;
  }

  byToken(token: string): JobToken | null {
    return this.#tokens.get(token) ?? null;
  }

  /** What the identity tokens of the run's job say; `grant` takes it. */
  claims(run: Run): DemoJob {
    const { repository, actor } = run;
    const ref = run.pull === null ? `refs/heads/${run.head_branch}` : `refs/pull/${run.pull}/merge`;
    return {
      repository: fullNameOf(repository),
      repository_id: String(repository.id),
      repository_owner: repository.owner.login,
      repository_owner_id: String(repository.owner.id),
      repository_visibility: repository.private ? "private" : "public",
      run_id: String(run.id),
      run_number: "1",
      run_attempt: String(run.attempt),
      check_run_id: String(run.jobs[0]?.id ?? 0),
      event_name: run.event,
      actor: actor.login,
      actor_id: String(actor.id),
      workflow: run.name,
      ref,
      sha: run.merge_sha ?? run.head_sha,
      head_ref: run.pull === null ? "" : run.head_branch,
      base_ref: run.pull === null ? "" : repository.default_branch,
      workflow_ref: `${fullNameOf(repository)}/${run.path}@${ref}`,
      job_workflow_ref: `${fullNameOf(repository)}/${run.path}@${ref}`,
    };
  }
}
