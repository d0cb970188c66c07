/** Asks GitHub where a run happens and who may answer for it. What GitHub does not say is not known, and what is not known refuses. */

import type { RunContext } from "../../model/approval.ts";
import type { Caller } from "../../model/caller.ts";
import {
  GitHubFailure,
  type GitHubReader,
  type PullRequest,
  type RepositoryRef,
  type WorkflowRun,
} from "../../model/github.ts";
import type { Log } from "../../model/log.ts";
import type { RunNow, Standing } from "../../stages/escalate/facts.ts";
import type { WhereRun } from "../../stages/escalate/standing.ts";
import { type ClaimedRun, claimedRun, isOfServer } from "./claimed.ts";
import { type Directory, isUnasked, type Unasked } from "./parts.ts";
import { pullAfter, pullOf } from "./pull.ts";

export type DirectoryParts = {
  readonly github: GitHubReader;
  /** Of the server whose runs it knows. */
  readonly apiUrl: string;
  readonly log: Log;
};

export const createDirectory = (parts: DirectoryParts): Directory => {
  const { github, log } = parts;
  /** Null when GitHub did not answer as it should. */
  const asked = <T>(what: string, answer: Promise<T>): Promise<T | null> =>
    answer.catch((error: unknown) => {
      if (!(error instanceof GitHubFailure)) throw error;
      log.warn({ err: error }, `GitHub could not be asked ${what}`);
      return null;
    });
  const unaskedOf = (error: unknown): Unasked => {
    if (!(error instanceof GitHubFailure)) throw error;
    log.warn({ err: error }, "GitHub could not be asked where a run happens");
    return unasked(`GitHub could not be asked where the run happens: ${error.message}`);
  };
  return {
    contextOf: (caller) => contextOf(parts, caller).catch(unaskedOf),
    contextAfter: (caller) => contextAfter(parts, caller).catch(unaskedOf),

    whereIs: (run) =>
      asked(
        "where a run happens",
        whereIs(github, run).then((found) => found?.where ?? null),
      ),

    runNow: (run) => asked("whose a run is", runNow(github, run)),

    standingOf: async (run, login, teams) => {
      const standing = await asked("what an account may do", standingOf(github, refOf(run), login));
      if (standing === null || standing.type !== "User") return standing;
      return { ...standing, teams: await asked("about teams", teamsOf(github, { of: refOf(run), login, teams })) };
    },
  };
};

const unasked = (why: string): Unasked => ({ unasked: why });

const refOf = ({ repository, repository_id }: RunContext): RepositoryRef => ({ repository, repository_id });

async function contextOf(parts: DirectoryParts, caller: Caller): Promise<RunContext | Unasked> {
  const known = await runOf(parts, caller);
  if (isUnasked(known)) return known;
  const { github } = parts;
  const { claimed, repository, run } = known;
  const { run_id, run_attempt } = claimed;
  if (run.attempt !== run_attempt)
    return unasked(`the caller is attempt ${run_attempt} of run ${run_id}, and attempt ${run.attempt} is the newest`);
  if (run.status === "completed") return unasked(`run ${run_id} has ended`);
  const pull = await pullOf(github, { repository, run, claimed });
  return pull !== null && isUnasked(pull) ? pull : contextIn(parts, known, pull);
}

/** In its pull request as long as that is open, whatever was committed since: what was done is there whichever commit did it. */
async function contextAfter(parts: DirectoryParts, caller: Caller): Promise<RunContext | Unasked> {
  const known = await runOf(parts, caller);
  if (isUnasked(known)) return known;
  const pull = await pullAfter(parts.github, known);
  const context = await contextIn(parts, known, pull);
  return { ...context, head_sha: pull?.head_sha ?? context.head_sha, afterwards: true };
}

type KnownRun = { readonly claimed: ClaimedRun; readonly repository: RepositoryRef; readonly run: WorkflowRun };

async function runOf({ github, apiUrl }: DirectoryParts, caller: Caller): Promise<KnownRun | Unasked> {
  const claimed = claimedRun(caller.claims);
  if (claimed === null) return unasked("the caller's token does not name its run");
  // Ids of one server mean nothing on another.
  if (!isOfServer(caller.issuer, apiUrl))
    return unasked(`the run belongs to another GitHub than the App (${new URL(apiUrl).host})`);
  const { repository_id, run_id } = claimed;
  const named = `${claimed.repository} (id ${repository_id})`;
  const repository = await github.repository(claimed);
  if (repository === null || repository.repository_id !== repository_id)
    return unasked(`the GitHub App does not see repository ${named}: install it there`);
  const run = await github.run(repository, run_id);
  if (run === null || run.repository_id !== repository_id)
    return unasked(`GitHub knows no run ${run_id} of repository ${named}`);
  return { claimed, repository, run };
}

async function contextIn(
  parts: DirectoryParts,
  { claimed, repository, run }: KnownRun,
  pull: PullRequest | null,
): Promise<RunContext> {
  const people = [run.actor, run.triggering_actor, pull?.author ?? null, claimed.actor];
  const [own_people, job] = await Promise.all([
    ownPeople(parts.github, repository, { people, pull }),
    jobOf(parts, repository, claimed),
  ]);
  return {
    repository: repository.repository,
    repository_id: claimed.repository_id,
    run_id: claimed.run_id,
    run_attempt: claimed.run_attempt,
    pull: pull === null ? null : { number: pull.number, head_sha: pull.head_sha, url: pull.url },
    own_people,
    head_sha: run.head_sha,
    ...(job !== null && { job }),
  };
}

/** Only shown: where GitHub does not tell, people are asked without it. */
async function jobOf(
  { github, log }: DirectoryParts,
  of: RepositoryRef,
  { run_id, job_id }: ClaimedRun,
): Promise<string | null> {
  if (job_id === null) return null;
  return github.jobName(of, { run_id, job_id }).catch((error: unknown) => {
    if (!(error instanceof GitHubFailure)) throw error;
    log.warn({ err: error }, "GitHub could not be asked what a job is called");
    return null;
  });
}

type Found = { readonly where: WhereRun; readonly people: readonly (string | null)[] };

/** Null when the run is not there any more. */
async function whereIs(github: GitHubReader, run: RunContext): Promise<Found | null> {
  const of = refOf(run);
  const [now, pull] = await Promise.all([
    github.run(of, run.run_id),
    run.pull === null ? null : github.pull(of, run.pull.number),
  ]);
  if (now === null) return null;
  const { repository_id, head_sha } = now;
  // One that asks to merge into another repository is not the one that was asked in.
  const own = pull === null || pull.repository_id !== repository_id ? null : pull;
  return {
    where: {
      repository_id,
      run_attempt: now.attempt,
      over: now.status === "completed",
      pull: own === null ? null : { number: own.number, open: own.open, head_sha: own.head_sha },
      head_sha,
    },
    people: [now.actor, now.triggering_actor, own?.author ?? null],
  };
}

async function runNow(github: GitHubReader, run: RunContext): Promise<RunNow | null> {
  const found = await whereIs(github, run);
  if (found === null) return null;
  const { where, people } = found;
  return { ...where, own_people: await ownPeople(github, refOf(run), { people, pull: where.pull }) };
}

/**
 * With the committers of what a pull request proposes: they are as near to its last pusher as GitHub's API leads. Whoever pushed what a run without
 * one ran is its actor.
 */
async function ownPeople(
  github: GitHubReader,
  of: RepositoryRef,
  { people, pull }: Pick<Found, "people"> & { readonly pull: Pick<PullRequest, "number" | "head_sha"> | null },
): Promise<readonly string[]> {
  const committers = pull === null ? [] : await github.headCommitters(of, pull);
  return distinct([...people, ...committers].filter((name) => name !== null));
}

/** Accounts are the same in any case of letters. */
const distinct = (logins: readonly string[]): readonly string[] => [
  ...new Map(logins.map((login) => [login.toLowerCase(), login])).values(),
];

/** Without teams. Null when there is no such account. */
async function standingOf(github: GitHubReader, of: RepositoryRef, login: string): Promise<Standing | null> {
  const account = await github.account(of, login);
  if (account === null) return null;
  const { id, type } = account;
  // What is no person may do nothing here, whatever it may do there.
  if (type !== "User") return { login: account.login, id, type, permission: "none", role: null, teams: null };
  const { permission, role } = await github.access(of, account.login);
  return { login: account.login, id, type, permission, role, teams: null };
}

type Membership = { readonly of: RepositoryRef; readonly login: string; readonly teams: readonly string[] };

const teamsOf = async (github: GitHubReader, { of, login, teams }: Membership): Promise<readonly string[]> => {
  const members = await Promise.all(teams.map((team) => github.isMember(of, team, login)));
  return teams.filter((_team, i) => members[i]);
};
