/** Check runs, workflow runs and jobs as the API writes them. */

import { nodeId, time } from "../ids.ts";
import type { CheckRun, Job, Run } from "../state.ts";
import type { Surroundings } from "../world.ts";
import { userJson } from "./account.ts";
import { appJson } from "./app.ts";
import { pullInShortJson } from "./pull.ts";
import { repositoryJson, repositoryPage, repositoryUrl } from "./repository.ts";

/** The buttons are not in it: only GitHub's page shows them. */
export const checkJson = (world: Surroundings, check: CheckRun): object => {
  const { id, repository, head_sha, app, output } = check;
  const url = `${repositoryUrl(world, repository)}/check-runs/${id}`;
  return {
    id,
    node_id: nodeId("CheckRun", id),
    name: check.name,
    head_sha,
    external_id: check.external_id,
    url,
    html_url: `${repositoryPage(world, repository)}/runs/${id}`,
    details_url: check.details_url ?? app.external_url,
    status: check.status,
    conclusion: check.conclusion,
    started_at: time(check.started_at),
    completed_at: check.completed_at === null ? null : time(check.completed_at),
    output: { ...output, annotations_count: 0, annotations_url: `${url}/annotations` },
    // One suite for all that an App checks on one commit.
    check_suite: { id: suiteOf(check) },
    app: appJson(world, app),
    pull_requests: world.pulls
      .in(repository)
      .filter((pull) => pull.open && pull.head_sha === head_sha && pull.from.id === repository.id)
      .map((pull) => pullInShortJson(world, pull)),
  };
};

const suiteOf = ({ app, head_sha }: CheckRun): number => app.id * 2 ** 20 + Number.parseInt(head_sha.slice(0, 5), 16);

export const runJson = (world: Surroundings, run: Run): object => {
  const { id, repository, head_repository, attempt } = run;
  const url = `${repositoryUrl(world, repository)}/actions/runs/${id}`;
  const commit = world.pulls.commit(repository, run.head_sha);
  return {
    id,
    name: run.name,
    node_id: nodeId("WorkflowRun", id),
    check_suite_id: id,
    check_suite_node_id: nodeId("CheckSuite", id),
    head_branch: run.head_branch,
    head_sha: run.head_sha,
    path: run.path,
    display_title: run.name,
    run_number: 1,
    run_attempt: attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: id,
    url,
    html_url: `${repositoryPage(world, repository)}/actions/runs/${id}`,
    pull_requests: world.pulls
      .in(repository)
      .filter((pull) => pull.open && run.pulls.includes(pull.number))
      .map((pull) => pullInShortJson(world, pull)),
    created_at: time(run.created_at),
    updated_at: time(run.updated_at),
    run_started_at: time(run.updated_at),
    actor: userJson(world, run.actor),
    triggering_actor: userJson(world, run.triggering_actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${repositoryUrl(world, repository)}/check-suites/${id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: attempt === 1 ? null : `${url}/attempts/${attempt - 1}`,
    workflow_url: `${repositoryUrl(world, repository)}/actions/workflows/${id}`,
    referenced_workflows: [],
    // Names and addresses as the commit says them: no accounts.
    head_commit: {
      id: run.head_sha,
      tree_id: run.head_sha,
      message: commit?.message ?? "A change",
      timestamp: time(commit?.at ?? run.created_at),
      author: { name: commit?.author?.login ?? "Somebody", email: "somebody@example.com" },
      committer: { name: commit?.committer?.login ?? "Somebody", email: "somebody@example.com" },
    },
    repository: repositoryJson(world, repository),
    head_repository: repositoryJson(world, head_repository),
  };
};

export const jobJson = (world: Surroundings, run: Run, { id, name, status, conclusion }: Job): object => {
  const api = repositoryUrl(world, run.repository);
  const page = repositoryPage(world, run.repository);
  return {
    id,
    run_id: run.id,
    run_url: `${api}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    node_id: nodeId("CheckRun", id),
    head_sha: run.head_sha,
    head_branch: run.head_branch,
    url: `${api}/actions/jobs/${id}`,
    html_url: `${page}/actions/runs/${run.id}/job/${id}`,
    status,
    conclusion,
    created_at: time(run.updated_at),
    started_at: time(run.updated_at),
    completed_at: status === "completed" ? time(run.updated_at) : null,
    name,
    steps: [],
    check_run_url: `${api}/check-runs/${id}`,
    labels: ["self-hosted"],
    runner_id: 1,
    runner_name: "runner",
    runner_group_id: 1,
    runner_group_name: "Default",
    workflow_name: run.name,
  };
};
