/** Whether a person may answer for a job, and whether the job's pull request is still what it was: asked when answered, and again before use. */

import { type Approval, permissions } from "../../model/approval.ts";
import type { RunNow, Standing } from "./facts.ts";

/** Accounts and teams are the same in any case of letters. */
export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** `own_people` plays no part. */
export type WhereRun = Omit<RunNow, "own_people">;

export function objectionToRun({ binding, run }: Pick<Approval, "binding" | "run">, now: WhereRun): string | null {
  if (run === null || now.repository_id !== binding.repository_id || now.repository_id !== run.repository_id)
    return "The repository is another one than when the question was asked: only a new run can ask again.";
  if (run.afterwards === true) return objectionToPull(binding, now);
  if (now.run_attempt !== run.run_attempt)
    return "The run was started again since the question was asked: only its newest attempt can ask again.";
  if (now.over) return "The run has ended: nobody waits for an answer any more.";
  const pull = objectionToPull(binding, now);
  if (pull !== null) return pull;
  const head = now.pull?.head_sha ?? now.head_sha;
  return head === binding.head_sha
    ? null
    : "There are new commits since the question was asked: the run of the newest commit asks again.";
}

function objectionToPull({ pull_request }: Approval["binding"], { pull }: WhereRun): string | null {
  if (pull?.number !== (pull_request ?? undefined))
    return "The run belongs to another pull request than when the question was asked: only a new run can ask again.";
  return pull !== null && !pull.open ? "The pull request is closed: reopen it and run the job again." : null;
}

/** `ownPeople` as asked now; whoever was one of them when the question was asked still is. */
export function objectionToPerson(
  { terms, run }: Approval,
  standing: Standing | null,
  ownPeople: readonly string[],
): string | null {
  const { rule, approvers } = terms;
  if (standing === null)
    return "GitHub could not be asked what you may do in this repository: answer again in a moment.";
  if (standing.type !== "User") return "Only a person answers, and this account belongs to none.";
  const own = [...ownPeople, ...(run?.own_people ?? [])].some((login) => sameName(login, standing.login));
  if (own && !approvers.self)
    return `Nobody answers for their own run (its actor, the pull request's author, the last pusher): somebody else has to, or rule ${rule} says \`self: true\`.`;
  if (standing.permission === "none" || !reaches(standing.permission, approvers.permission))
    return `Rule ${rule} asks for the permission \`${approvers.permission ?? "read"}\` or more on this repository, and yours is \`${standing.permission}\`.`;
  const { role, teams } = standing;
  if (approvers.roles.length > 0 && !approvers.roles.some((name) => role !== null && sameName(name, role)))
    return `Rule ${rule} asks for the role ${approvers.roles.join(" or ")} on this repository, and yours is ${role ?? "not known"}.`;
  if (approvers.teams.length === 0) return null;
  if (teams === null) return "GitHub could not be asked which teams you are in: answer again in a moment.";
  return approvers.teams.some((team) => teams.some((member) => sameName(team, member)))
    ? null
    : `Rule ${rule} asks for a member of the team ${approvers.teams.join(" or ")}, and you are in none of them.`;
}

const reaches = (has: (typeof permissions)[number], asked: (typeof permissions)[number] | undefined): boolean =>
  permissions.indexOf(has) >= permissions.indexOf(asked ?? "read");
