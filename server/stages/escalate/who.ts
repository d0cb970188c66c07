/** Who may answer, in one sentence. */

import type { Approval } from "../../model/approval.ts";
import { htmlCode } from "./visible.ts";

/** For an HTML block, see `htmlCode`. */
export function whoMayAnswer({ terms, run, binding }: Approval): string {
  const { approvers } = terms;
  const how = approvers.count === 1 ? "One person" : `${approvers.count} different people`;
  if (binding.repository_id === null)
    return `${how} of ${either("group", approvers.groups)}, and not the one who asks.`;
  const parts = [
    ...(approvers.permission === undefined
      ? []
      : [`with the permission ${htmlCode(approvers.permission)} or more on the repository`]),
    ...(approvers.roles.length === 0 ? [] : [`with the ${either("role", approvers.roles)}`]),
    ...(approvers.teams.length === 0 ? [] : [`of the ${either("team", approvers.teams)}`]),
  ];
  const own = run?.own_people ?? [];
  const except =
    approvers.self || own.length === 0
      ? ""
      : `, but not the run&#39;s own people (${[...new Set(own)].map(htmlCode).join(", ")})`;
  return `${how} ${parts.join(" ")}${except}.`;
}

const either = (what: string, names: readonly string[]): string =>
  `${what}${names.length === 1 ? "" : "s"} ${names.map(htmlCode).join(" or ")}`;
