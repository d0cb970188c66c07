/** Who a caller is, for people and for rules: a repository where it is one, else the subject that its issuer vouches for. */

import type { Caller } from "../../model/caller.ts";

export type CallerIdentity = {
  /** `acme/app`, or the subject: as somebody else chose it. */
  readonly label: string;
  /** What tells this caller from all others: claims and their values, never names that somebody else could take. */
  readonly claims: Readonly<Record<string, string>>;
};

/** GitHub's repositories are known by their id: names can be given up and taken by others. */
export const identityOf = (caller: Caller): CallerIdentity => {
  const { repository, repository_id } = caller.claims;
  const issuer_name = caller.issuer_name;
  if (typeof repository === "string" && typeof repository_id === "string")
    return { label: repository, claims: { issuer_name, repository_id } };
  return { label: caller.subject, claims: { issuer_name, subject: caller.subject } };
};
