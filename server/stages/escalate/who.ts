/** Who may answer, in one sentence. */

import type { Approval } from "../../model/approval.ts";
import { htmlCode } from "./visible.ts";

/** For an HTML block, see `htmlCode`. */
export function whoMayAnswer({ terms, run, binding }: Approval): string {
  const { approvers } = terms;
  const how = approvers.count === 1 ? "One person" : `${approvers.count} different people, each one`;
  if (binding.repository_id === null)
    return `${how} of ${either("group", approvers.groups)}, and not the one who asks.`;
  const parts = [
    ...(approvers.teams.length === 0 ? [] : [`is in the ${either("team", approvers.teams)}`]),
    ...(approvers.roles.length === 0 ? [] : [`has the ${either("role", approvers.roles)}`]),
    ...(approvers.permission === undefined
      ? []
      : [`has the permission ${htmlCode(approvers.permission)} or more here`]),
  ];
  const own = run?.own_people ?? [];
  const except =
    approvers.self || own.length === 0
      ? ""
      : `, but not the run&#39;s own people (${[...new Set(own)].map(htmlCode).join(", ")})`;
  return `${how} who ${parts.join(" and ")}${except}.`;
}

const either = (what: string, names: readonly string[]): string =>
  `${what}${names.length === 1 ? "" : "s"} ${names.map(htmlCode).join(" or ")}`;
