/** Who may answer, in one sentence. */

import type { Approval } from "../../model/approval.ts";
import { html, htmlCode } from "./visible.ts";

/** Our words, and names that somebody chose. */
export type Words = readonly (string | { readonly name: string })[];

/** For an HTML block, see `htmlCode`. */
export const whoMayAnswer = (approval: Approval): string =>
  wordsOfWho(approval)
    .map((word) => (typeof word === "string" ? html(word) : htmlCode(word.name)))
    .join("");

export function wordsOfWho({ terms, run, binding }: Approval): Words {
  const { approvers } = terms;
  const how = approvers.count === 1 ? "One person" : `${approvers.count} different people, each one`;
  if (binding.repository_id === null)
    return [`${how} of `, ...either("group", approvers.groups), ", and not the one who asks."];
  const parts: readonly Words[] = [
    ...(approvers.teams.length === 0 ? [] : [["is in the ", ...either("team", approvers.teams)]]),
    ...(approvers.roles.length === 0 ? [] : [["has the ", ...either("role", approvers.roles)]]),
    ...(approvers.permission === undefined
      ? []
      : [["has the permission ", { name: approvers.permission }, " or more here"]]),
  ];
  const own = [...new Set(run?.own_people ?? [])];
  const except =
    approvers.self || own.length === 0 ? [] : [", but not the run's own people (", ...listed(own, ", "), ")"];
  return [`${how} who `, ...parts.flatMap((part, index) => (index === 0 ? part : [" and ", ...part])), ...except, "."];
}

const either = (what: string, names: readonly string[]): Words => [
  `${what}${names.length === 1 ? "" : "s"} `,
  ...listed(names, " or "),
];

const listed = (names: readonly string[], between: string): Words =>
  names.flatMap((name, index) => (index === 0 ? [{ name }] : [between, { name }]));
