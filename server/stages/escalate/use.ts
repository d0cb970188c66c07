/** Whether an approval that people gave still stands in the moment in which it is about to be used. */

import type { Answer, Approval, ApprovalState } from "../../model/approval.ts";
import type { UseFacts } from "./facts.ts";
import { objectionToPerson, objectionToRun, sameName, type WhereRun } from "./standing.ts";

export type Usable =
  | { readonly usable: true }
  | {
      readonly usable: false;
      /** What becomes of the approval; null: something could not be asked, so not now, but the next identical request may try again. */
      readonly state: Extract<ApprovalState, "expired" | "stale" | "cancelled"> | null;
      readonly reason: string;
    };

export const weighUse = (approval: Approval, facts: UseFacts): Usable =>
  overtime(approval, facts) ??
  policy(approval, facts) ??
  run(approval, facts) ??
  people(approval, facts) ??
  current(approval, facts) ?? { usable: true };

const not = (state: Extract<Usable, { usable: false }>["state"], reason: string): Usable => ({
  usable: false,
  state,
  reason,
});

const overtime = ({ state, expires_at }: Approval, { now }: UseFacts): Usable | null => {
  if (state !== "approved") return not(null, `the approval is ${state}`);
  return now.getTime() < expires_at.getTime()
    ? null
    : not("expired", "it was approved, and not used before it expired");
};

const policy = ({ binding }: Approval, facts: UseFacts): Usable | null =>
  facts.policy === binding.policy ? null : not("stale", "the policy changed after the question was asked");

function run(approval: Approval, facts: UseFacts): Usable | null {
  if (approval.run === null) return null;
  if (facts.run === null) return not(null, "GitHub could not be asked about the pull request");
  const end = endOf(approval, facts.run);
  return end === null ? null : not("cancelled", end);
}

/** Why nobody needs to answer it any more, as an approval's reason is written; null when somebody does. */
export function endOf(approval: Pick<Approval, "binding" | "run">, now: WhereRun): string | null {
  const objection = objectionToRun(approval, now);
  return objection === null ? null : lowered(objection);
}

/** Everybody whose approval counted must still be somebody whose approval would count. */
function people(approval: Approval, facts: UseFacts): Usable | null {
  const counted = approval.answers.filter((answer) => answer.accepted && answer.verdict === "approve");
  const distinct = new Set(counted.map(({ by }) => by.toLowerCase()));
  if (distinct.size < approval.terms.approvers.count)
    return not("stale", "fewer people approved it than the rule asks for");
  // Other callers' colleagues are known by their sign-in alone, and there is nobody to ask about them again.
  if (approval.binding.repository_id === null) return null;
  for (const answer of counted) {
    const objection = objectionTo(approval, answer, facts);
    if (objection !== null) return objection;
  }
  return null;
}

function objectionTo(approval: Approval, { by }: Answer, facts: UseFacts): Usable | null {
  const standing = facts.approvers.find((approver) => sameName(approver.by, by))?.standing ?? null;
  if (standing === null || (standing.teams === null && approval.terms.approvers.teams.length > 0))
    return not(null, `GitHub could not be asked whether ${by} may still approve it`);
  if (!sameName(`github:${standing.login}`, by)) return not("stale", `${by} is another account now`);
  return objectionToPerson(approval, standing, facts.run?.own_people ?? []) === null
    ? null
    : not("stale", `${by}, who approved it, may not approve it any more`);
}

function current({ question }: Approval, facts: UseFacts): Usable | null {
  if (question.current.kind === "unavailable") return null;
  if (facts.current === undefined || facts.current === null)
    return not(null, "Datadog could not be asked whether it is still as it was shown");
  return facts.current === question.current.digest
    ? null
    : not("stale", "what it changes is not any more as it was shown to the people who approved it");
}

const lowered = (sentence: string): string => sentence.slice(0, 1).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
