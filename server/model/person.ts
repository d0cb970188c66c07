/** Somebody who signed in as themselves. Holders of access tokens are not people: a token can be anybody's. */

import type { Role } from "./config.ts";

export type Person = {
  /** `github:octocat`, `okta:ana@acme.com`; what answers and audit events name. */
  readonly name: string;
  /** `github`, or the name of the OIDC provider in `signIn.oidc`. */
  readonly provider: string;
  /** GitHub's login, or the provider's subject. */
  readonly login: string;
  /** GitHub's number of the account, which stays when the login changes hands; null elsewhere. */
  readonly account_id: number | null;
  readonly groups: readonly string[];
  readonly role: Role;
};

/** Whom a provider named when somebody signed in. */
export type Identity = {
  readonly provider: "github";
  /** The server that knows the account: `https://github.com`. */
  readonly issuer: string;
  readonly account_id: number;
  readonly login: string;
};
