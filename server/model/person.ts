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
  /** `github`, the name of a provider in `signIn.oidc`, or `accessToken`. */
  readonly provider: string;
  /** The server that knows the account: `https://github.com`. */
  readonly issuer: string;
  /** What stays when names change: the number of a GitHub account, `sub`, the name of an access token. */
  readonly subject: string;
  /** What people call them: GitHub's login, an e-mail address. */
  readonly login: string;
  /** As the provider listed them at that moment; GitHub is asked when it matters. */
  readonly groups: readonly string[];
};

/** `accessToken` as a provider: somebody who signed in with one, and `once` is the path of links that are good once. */
export const reservedProviders = ["github", "accessToken", "once"] as const;

/** A provider did not say who somebody is, or nobody can believe it. The message names no token, code or claim. */
export class SignInFailure extends Error {
  readonly kind: "unreachable" | "refused";
  /** @param message begins in lower case, ends without a full stop */
  constructor(kind: SignInFailure["kind"], message: string) {
    super(message);
    this.name = "SignInFailure";
    this.kind = kind;
  }
}
