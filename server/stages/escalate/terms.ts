/** What the rules that asked demand of an answer: of each part the strictest that any of them names. */

import { type Refusal, refuse } from "../../errors.ts";
import { permissions, type Permission, type Terms, type Way, ways } from "../../model/approval.ts";
import type { RuleSource } from "../../model/config.ts";

/** Jobs are answered by people of their repository, others on the page, by whoever is signed in with the right group. */
export type Asker = "github" | "other";

const halfAnHour = 30 * 60_000;

/** A refusal where nobody could ever give an answer that satisfies all the rules. */
export function termsOf(rules: readonly RuleSource[], asker: Asker): Terms | Refusal {
  const via = ways.filter((way) => rules.every((rule) => rule.via === undefined || rule.via.includes(way)));
  if (via.length === 0) return contradiction(rules, "their `via` have no way of answering in common");
  const onPage = asker === "other" ? via.filter((way) => way === "page") : via;
  if (onPage.length === 0)
    return contradiction(rules, "who is no GitHub job is answered on the page, and `via` leaves it out");
  const named = {
    teams: agreed(rules.map(({ approvers }) => approvers?.teams)),
    roles: agreed(rules.map(({ approvers }) => approvers?.roles)),
    groups: agreed(rules.map(groupsOf)),
  };
  for (const [kind, names] of Object.entries(named))
    if (names === "nobody") return contradiction(rules, `their \`${kind}\` have no name in common`);
  if (asker === "other" && named.groups.length === 0)
    return contradiction(rules, "who is no GitHub job needs `groups` of people who may answer, and none are named");
  return termsWith(rules, { via: onPage, ...(named as Named) });
}

type Named = Readonly<Record<"teams" | "roles" | "groups", readonly string[]>>;

const termsWith = (
  rules: readonly RuleSource[],
  { via, ...named }: Named & { readonly via: readonly Way[] },
): Terms => {
  const permission = strongest(rules);
  return {
    rule: namesOf(rules).join(", "),
    approvers: {
      ...(permission !== undefined && { permission }),
      ...named,
      count: Math.max(1, ...rules.map(({ approvers }) => approvers?.count ?? 1)),
      self: rules.every(({ approvers }) => approvers?.self === true),
    },
    via,
    grants: {
      session: rules.every(({ grants }) => grants?.session === true),
      longest: rules.map(({ grants }) => grants?.longest ?? null).reduce(shorter),
    },
    expires: Math.min(...rules.map(({ expires }) => expires ?? halfAnHour)),
  };
};

const namesOf = (rules: readonly RuleSource[]): readonly string[] => rules.map(({ name }) => name).toSorted();

/** Both places where groups may be written mean the same. */
const groupsOf = ({ approvers, groups }: RuleSource): readonly string[] => [
  ...(approvers?.groups ?? []),
  ...(groups ?? []),
];

/** Names that satisfy every list that has any. */
function agreed(lists: readonly (readonly string[] | undefined)[]): readonly string[] | "nobody" {
  const [first, ...others] = lists.filter((list) => list !== undefined).filter((list) => list.length > 0);
  if (first === undefined) return [];
  const common = [...new Set(first)].filter((name) => others.every((list) => list.includes(name)));
  return common.length === 0 ? "nobody" : common;
}

/** `write` where a rule says nothing; a rule that names roles says it with them. */
const strongest = (rules: readonly RuleSource[]): Permission | undefined => {
  const asked = rules.map(
    ({ approvers }) => approvers?.permission ?? ((approvers?.roles ?? []).length > 0 ? undefined : "write"),
  );
  return permissions.findLast((permission) => asked.includes(permission));
};

const shorter = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : Math.min(one, other);

const contradiction = (rules: readonly RuleSource[], why: string): Refusal =>
  refuse(
    "approval_required",
    `${rules.length === 1 ? "rule" : "rules"} ${namesOf(rules).join(", ")} ask for an approval that nobody can ever give: ${why}; nothing was sent`,
  );
