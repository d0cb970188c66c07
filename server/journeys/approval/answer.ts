/** An answer given on the page, or an attempt to give one that nothing but a person may give. */

import { v4 as uuidv4 } from "uuid";
import { type ApiRefusal, refuseApi } from "../../errors.ts";
import { namesRun } from "../../github/oidc.ts";
import type { Approval, Verdict } from "../../model/approval.ts";
import type { Caller } from "../../model/caller.ts";
import type { Person } from "../../model/person.ts";
import type { Session } from "../../model/session.ts";
import type { PageFacts } from "../../stages/escalate/facts.ts";
import { weigh } from "../../stages/escalate/weigh.ts";
import type { RepositoryAccess } from "../repositoryAccess.ts";
import type { ApprovalParts } from "./parts.ts";
import { isSeer } from "../history.ts";
import { concerns, noApproval } from "./read.ts";

export type PageAnswer = { readonly verdict: Verdict; readonly reason: string };

export type AnswerParts = ApprovalParts & {
  readonly repositories: RepositoryAccess;
  readonly sessions: { get(id: string): Promise<Session | null> };
};

/** The approval with the attempt in it; a refusal when it did not count. It is recorded either way, unless the person may not know of the question. */
export async function answerOnPage(
  parts: AnswerParts,
  person: Person,
  { id, verdict, reason }: PageAnswer & { readonly id: string },
): Promise<Approval | ApiRefusal> {
  const approval = await parts.store.get(id);
  if (approval === null) return noApproval(id);
  if (!isSeer(person.role) && !(await concerns(person, approval, (of) => parts.repositories.mayRead(person, of))))
    return noApproval(id);
  const weighed = weigh(approval, { verdict, code: null, grant: null }, await factsOf(parts, person, approval));
  const answer = {
    verdict,
    by: person.name,
    via: "page" as const,
    accepted: weighed.accepted,
    reason: weighed.accepted ? reason : weighed.reason,
    grant: null,
  };
  const answered = await parts.store.answer(id, { key: `page:${uuidv4()}`, answer });
  parts.audit({
    kind: "approval_answered",
    who: person.name,
    what: `approval ${id}`,
    reason: `${verdict} on the page: ${answered.answer.accepted ? "accepted" : `refused, ${answered.answer.reason}`}`,
  });
  parts.show(id);
  return answered.answer.accepted ? answered.approval : refuseApi("forbidden", answered.answer.reason);
}

/** What would speak against this person's answer if they gave it now; null when nothing would. */
export async function objectionTo(parts: AnswerParts, person: Person, approval: Approval): Promise<string | null> {
  const facts = await factsOf(parts, person, approval);
  const weighed = weigh(approval, { verdict: "approve", code: null, grant: null }, facts);
  return weighed.accepted ? null : weighed.reason;
}

async function factsOf(
  { directory, sessions, now }: AnswerParts,
  person: Person,
  { run, terms, session_id }: Approval,
): Promise<PageFacts> {
  const known = run === null || directory === null ? null : { run, directory };
  const [session, runNow, standing] = await Promise.all([
    sessions.get(session_id),
    known === null ? null : known.directory.runNow(known.run),
    // Only an account of GitHub has a standing there, whatever its name is elsewhere.
    known === null || person.provider !== "github"
      ? null
      : known.directory.standingOf(known.run, person.login, terms.approvers.teams),
  ]);
  return {
    way: "page",
    now: now(),
    person,
    caller_names: session === null ? null : namesOf(session.caller),
    standing,
    run: runNow,
  };
}

/** What a caller may be called elsewhere: nobody approves their own call under another name. */
const namesOf = ({ subject, claims }: Caller): readonly string[] => {
  const wanted = namesRun(claims)
    ? ["actor", "triggering_actor"]
    : ["email", "preferred_username", "upn", "unique_name", "login", "user_login", "user_email", "nickname"];
  return [subject, ...wanted.map((name) => claims[name]).filter((value) => typeof value === "string")];
};
