/** What speaks against an answer that was given on the approval's page. */

import type { Approval } from "../../model/approval.ts";
import type { PageFacts } from "./facts.ts";
import { objectionToPerson, objectionToRun, sameName } from "./standing.ts";

/** One sentence when it does not count, null when nothing speaks against it. */
type Objection = string | null;

export function objectionToPage(approval: Approval, facts: PageFacts): Objection {
  const { person, caller_names, standing, run } = facts;
  if (person === null) return "Only a person answers, and a token is none: sign in as yourself.";
  if (person.role === "viewer") return "Viewers look and do not answer: it takes the role approver.";
  if (approval.binding.repository_id === null) return objectionToColleague(approval, facts);
  if (person.provider !== "github") return "A GitHub job is answered by people whom GitHub knows: sign in with GitHub.";
  // Login names change hands: the account must be the one that signed in.
  if (standing !== null && !(sameName(standing.login, person.login) && standing.id === person.account_id))
    return "It is not known who you are on GitHub: sign in again.";
  // Asked without GitHub (no App, or it could not be reached): then the job's own claims must tell whose it is.
  if (approval.run === null)
    return caller_names === null
      ? "It is not known who started the job, so nobody can be told apart from them: configure the GitHub App."
      : objectionToPerson(approval, standing, caller_names);
  if (run === null) return "GitHub could not be asked about the pull request just now: answer again in a moment.";
  return (
    objectionToRun(approval, run) ?? objectionToPerson(approval, standing, [...run.own_people, ...(caller_names ?? [])])
  );
}

/** For callers that are no GitHub jobs: one of the groups, and somebody else than the caller. */
function objectionToColleague({ terms, binding }: Approval, { person, caller_names }: PageFacts): Objection {
  if (person === null || caller_names === null)
    return "It is not known whom the request comes from, so nobody can approve it.";
  const names = [person.login, person.name, person.name.slice(person.provider.length + 1)];
  // Whatever the rule says of `self`: on the page there is nobody else to see that they are the same.
  if ([binding.subject, ...caller_names].some((own) => names.some((name) => sameName(own, name))))
    return "Nobody answers for themselves: somebody else has to.";
  const { groups } = terms.approvers;
  return groups.some((group) => person.groups.includes(group))
    ? null
    : `Rule ${terms.rule} asks for somebody of ${oneOf(groups)}, and your sign-in names none of them.`;
}

const oneOf = (names: readonly string[]): string =>
  names.length === 0
    ? "a group that it does not name"
    : `the ${names.length === 1 ? "group" : "groups"} ${names.join(" or ")}`;
