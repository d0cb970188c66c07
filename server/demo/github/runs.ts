/** Workflow runs, their jobs, and the token that a job has. */

import type { Permissions, Pull, Repository, Run } from "./state.ts";

export type NewRun = {
  readonly id?: number;
  readonly actor: string;
  /** Who ran it again; default: the actor. */
  readonly triggering_actor?: string;
  readonly event?: string;
  readonly path?: string;
  readonly name?: string;
  readonly attempt?: number;
  /** For a run without one. */
  readonly head_sha?: string;
  readonly head_branch?: string;
  /** Its number is listed with the run unless it comes from a fork. */
  readonly pull?: Pull;
};

export type Runs = {
  start(repository: Repository, run: NewRun): Run;
  /** Another attempt of the same run. */
  rerun(run: Run, by: string): void;
  end(run: Run, conclusion: "success" | "failure" | "cancelled"): void;
  /** A job's `GITHUB_TOKEN`: the bot `github-actions[bot]` in this repository, until the run ends. */
  token(run: Run, permissions: Permissions): string;
};
