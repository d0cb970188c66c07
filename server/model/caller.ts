/** A verified identity: who signed it, whom it names, its groups, and every claim of its token. */

export type Claims = Readonly<Record<string, unknown>>;

export type Caller = {
  /** Exact `iss` of the identity token. */
  readonly issuer: string;
  /** `name` of the issuer in dogwatch.yaml. */
  readonly issuer_name: string;
  /** `sub`. */
  readonly subject: string;
  /** From the issuer's `groups` claim path; empty without one. */
  readonly groups: readonly string[];
  /** All claims as they came, unknown ones too. */
  readonly claims: Claims;
};

/** The shape policies and the API see: claims beside `issuer`, `subject` and `groups`, which a claim never overrides. */
export const flattenCaller = (caller: Caller): Record<string, unknown> => ({
  ...caller.claims,
  issuer: caller.issuer,
  issuer_name: caller.issuer_name,
  subject: caller.subject,
  groups: [...caller.groups],
});

/** As audit events name a caller: `github repo:acme/app:ref:refs/heads/main`. */
export const whoIs = ({ issuer_name, subject }: Caller): string => `${issuer_name} ${subject}`;
