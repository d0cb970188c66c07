/** Finds the pull request of a run: the one whose event set it off, else an open one that has the run's commit as its head. */

import type { GitHubReader, PullRequest, RepositoryRef, WorkflowRun } from "../../model/github.ts";
import type { ClaimedRun } from "./claimed.ts";
import type { Unasked } from "./parts.ts";

export type RunSought = {
  readonly repository: RepositoryRef;
  readonly run: WorkflowRun;
  readonly claimed: ClaimedRun;
};

/** Null when it has none. */
export async function pullOf(github: GitHubReader, sought: RunSought): Promise<PullRequest | Unasked | null> {
  const { repository, run, claimed } = sought;
  if (claimed.pull !== null) return ownPull(sought, await github.pull(repository, claimed.pull), claimed.pull);
  const listed = await Promise.all(run.pulls.map((number) => github.pull(repository, number)));
  const open = listed.filter((pull) => pull !== null).filter((pull) => isOpenIn(repository, pull));
  const found = withHead(open, run);
  if (found !== undefined) return found;
  const [moved] = open;
  if (moved !== undefined) return hasMoved(moved.number);
  const others = await github.pullsWith(repository, run.head_sha);
  return (
    withHead(
      others.filter((pull) => isOpenIn(repository, pull)),
      run,
    ) ?? null
  );
}

/** The same when the run may be long over: an open one, whatever its commits. Null when it had none, or it is closed. */
export async function pullAfter(github: GitHubReader, sought: RunSought): Promise<PullRequest | null> {
  const { repository, run, claimed } = sought;
  const numbers = claimed.pull === null ? run.pulls : [claimed.pull];
  const listed = await Promise.all(numbers.map((number) => github.pull(repository, number)));
  return listed.filter((pull) => pull !== null).find((pull) => isOpenIn(repository, pull)) ?? null;
}

function ownPull({ repository, run }: RunSought, pull: PullRequest | null, number: number): PullRequest | Unasked {
  if (pull === null || pull.repository_id !== repository.repository_id)
    return { unasked: `GitHub shows no pull request ${number} of ${repository.repository} to the App` };
  if (!pull.open) return { unasked: `pull request ${number} is closed` };
  return pull.head_sha === run.head_sha ? pull : hasMoved(number);
}

const hasMoved = (number: number): Unasked => ({
  unasked: `pull request ${number} has new commits since the run began: the run of the newest one can ask`,
});

const isOpenIn = ({ repository_id }: RepositoryRef, pull: PullRequest): boolean =>
  pull.open && pull.repository_id === repository_id;

/** Of several the first one opened: whichever it is, it must be the same each time. */
const withHead = (pulls: readonly PullRequest[], { head_sha }: WorkflowRun): PullRequest | undefined =>
  pulls.filter((pull) => pull.head_sha === head_sha).toSorted((one, other) => one.number - other.number)[0];
