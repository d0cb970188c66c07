/** What the claims of an ID token say of a person: who they are for good, what they are called, which groups they are in. */

import type { OidcSource } from "../model/config.ts";
import { type Identity, SignInFailure } from "../model/person.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Reads a claim by its path: `[]` where there is none, null where it is no name or list of names. */
export type ReadNames = (claims: Claims) => readonly string[] | null;
export type Reading = { readonly groups: ReadNames; readonly login: ReadNames };

/** As many as the largest providers put into a token, and some more. */
const mostGroups = 1_000;
/** Characters. Names stand in audit events and on pages: nothing that turns the writing around, or is not seen. */
const name = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,200}$/u;

/** @throws SignInFailure */
export function readIdentity({ name: provider, issuer }: OidcSource, reading: Reading, claims: Claims): Identity {
  const { sub } = claims;
  if (typeof sub !== "string" || !name.test(sub)) throw refused("its ID token names nobody");
  // An address that nobody has verified is anybody's.
  if (claims["email_verified"] === false && isEmailOf(reading, claims))
    throw refused("it says that your e-mail address is not verified, and people are named by it here");
  const [login, ...more] = reading.login(claims) ?? [];
  if (login === undefined || more.length > 0 || !name.test(login))
    throw refused("its ID token lacks the claim that names people here (signIn.oidc login)");
  const groups = reading.groups(claims);
  if (groups === null) throw refused("its groups claim is no list of names");
  // Entra writes where the list can be asked for instead of a list that is long.
  if (groups.length > mostGroups || "_claim_names" in claims)
    throw refused("it leaves groups out of its token because there are too many: let it send fewer");
  return { provider, issuer, subject: sub, login, groups: [...new Set(groups)] };
}

const isEmailOf = ({ login }: Reading, claims: Claims): boolean => {
  const [named] = login(claims) ?? [];
  return named !== undefined && named === claims["email"];
};

const refused = (why: string): SignInFailure => new SignInFailure("refused", `the provider is not believed: ${why}`);
