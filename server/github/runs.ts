/** A workflow run as GitHub knows it: which commit, whose, and where it asks to be merged. */

import { z } from "zod";
import type { RepositoryRef, WorkflowRun } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { Repositories } from "./repositories.ts";
import { digits, id, login } from "./shapes.ts";

const run = z.object({
  id: digits,
  run_attempt: digits.optional(),
  head_sha: z.string(),
  path: z.string(),
  status: z.string().nullish(),
  actor: login,
  triggering_actor: login,
  repository: z.object({ id: digits }),
  pull_requests: z.array(z.object({ number: id, base: z.object({ repo: z.object({ id: digits }) }) })).nullish(),
});

export const readRun = async (
  repositories: Repositories,
  of: RepositoryRef,
  run_id: string,
): Promise<WorkflowRun | null> => {
  if (!/^\d{1,20}$/.test(run_id)) return null;
  const found = await repositories.get(of, run, {
    kind: "read",
    route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}",
    parameters: { run_id },
    doing: `read run ${run_id} of ${quote(of.repository)}`,
    needs: "actions: read",
  });
  if (found === null) return null;
  const repository_id = found.repository.id;
  return {
    id: found.id,
    attempt: found.run_attempt ?? "1",
    repository_id,
    head_sha: found.head_sha,
    // `…/agent.yml@refs/heads/main`: the file's name ends at the @.
    workflow_path: found.path.replace(/@.*$/, ""),
    status: found.status ?? "",
    actor: found.actor,
    triggering_actor: found.triggering_actor,
    // A commit may be the head of pull requests to other repositories of the network too.
    pulls: (found.pull_requests ?? []).filter(({ base }) => base.repo.id === repository_id).map(({ number }) => number),
  };
};

const job = z.object({ run_id: digits, name: z.string() });

export const readJobName = async (
  repositories: Repositories,
  of: RepositoryRef,
  { run_id, job_id }: { readonly run_id: string; readonly job_id: string },
): Promise<string | null> => {
  if (!/^\d{1,20}$/.test(job_id)) return null;
  const found = await repositories.get(of, job, {
    kind: "read",
    route: "GET /repos/{owner}/{repo}/actions/jobs/{job_id}",
    parameters: { job_id },
    doing: `read job ${job_id} of ${quote(of.repository)}`,
    needs: "actions: read",
  });
  return found === null || found.run_id !== run_id ? null : found.name;
};
