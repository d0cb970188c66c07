/** Signing in as oneself: a browser is sent to a provider, comes back once, and is known by a cookie that is worth nothing elsewhere. */

import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import type { Role } from "../model/config.ts";
import { GitHubFailure } from "../model/github.ts";
import { type Identity, type Person, SignInFailure } from "../model/person.ts";
import { quote } from "../model/quote.ts";
import type { People } from "../store/people.ts";

/** What the browser brings along on its way to the provider. `challenge`: RFC 7636, S256. */
export type Away = Readonly<Record<"state" | "nonce" | "challenge" | "redirect", string>>;
/** What it comes back with; `query` as it stands in the address. */
export type Back = Readonly<Record<"query" | "state" | "nonce" | "verifier" | "redirect", string>>;

/** How old what is known of somebody's role may be: asked at this moment, or within the last minute. */
export type Freshness = "now" | "lately";

/** Who tells people apart: GitHub, or an OpenID Connect provider. */
export interface IdentityProvider {
  /** `github`, or its name in `signIn.oidc`. */
  readonly name: string;
  readonly issuer: string;
  /** SHA-256 of the configuration that says who gets which role: sign-ins end with it. */
  readonly terms: Buffer;
  /** @throws SignInFailure, GitHubFailure */
  authorizeUrl(away: Away): Promise<string>;
  /** @throws SignInFailure, GitHubFailure */
  identify(back: Back): Promise<Identity>;
  /** Null when nothing gives them one. */
  roleOf(who: Identity, freshness: Freshness): Promise<Role | null>;
}

export type SignInParts = {
  readonly people: People;
  /** Those of the configuration in force. */
  providers(): readonly IdentityProvider[];
  readonly publicUrl: string;
  audit(event: AuditEvent): void;
  chance(bytes: number): Buffer;
};

/** It did not happen: one sentence why, and one what to do. */
export type SignInRefusal = { readonly refused: string; readonly mend: string };

export const isSignInRefusal = (value: object): value is SignInRefusal => "refused" in value;

/** ms */
const awayFor = 10 * 60_000;
export const signedInFor = 12 * 60 * 60_000;
export const idleFor = 4 * 60 * 60_000;

/** Each provider has its own: what one of them sends back is never taken for another's (RFC 9700 §4.4). */
export const callbackPathOf = (provider: string): string => `/sign-in/${provider}/callback`;

export const callbackPath = callbackPathOf("github");

/** Where to send the browser. `browser`: what its cookie holds, 256 random bits; `to`: a path of ours. */
export async function beginSignIn(
  { people, publicUrl, chance }: SignInParts,
  provider: IdentityProvider,
  { browser, to }: { readonly browser: string; readonly to: string },
): Promise<string | SignInRefusal> {
  const state = chance(32).toString("base64url");
  const { name } = provider;
  await people.depart(tripOf(browser, state), { to, provider: name }, awayFor);
  return unlessFailed(() =>
    provider.authorizeUrl({
      state,
      nonce: nonceOf(browser, state),
      challenge: digestOf(verifierOf(browser, state)).toString("base64url"),
      redirect: publicUrl + callbackPathOf(name),
    }),
  );
}

export type Arrival = {
  /** Null when the browser has none: it never left from here. */
  readonly browser: string | null;
  readonly state: string;
  /** As it stands in the address. */
  readonly query: string;
  /** The sign-in that the browser has; it ends when another begins. */
  readonly before: string | null;
  /** An address, for the audit log. */
  readonly from: string;
};

export type SignedIn = { readonly cookie: string; readonly to: string };

export async function finishSignIn(
  parts: SignInParts,
  provider: IdentityProvider,
  arrival: Arrival,
): Promise<SignedIn | SignInRefusal> {
  const outcome = await arrive(parts, provider, arrival);
  if (isSignInRefusal(outcome))
    parts.audit({
      kind: "sign_in_refused",
      who: arrival.from,
      what: titleOf(provider.name),
      reason: outcome.refused,
    });
  return outcome;
}

async function arrive(
  parts: SignInParts,
  provider: IdentityProvider,
  { browser, state, query, before }: Arrival,
): Promise<SignedIn | SignInRefusal> {
  if (browser === null) return fromElsewhere;
  // Used up before anything else is looked at: a second try with the same state finds nothing.
  const trip = await parts.people.arrive(tripOf(browser, state));
  const carried = trip === null ? null : departure.parse(trip);
  if (carried === null || carried.provider !== provider.name) return fromElsewhere;
  const who = await unlessFailed(() =>
    provider.identify({
      query,
      state,
      nonce: nonceOf(browser, state),
      verifier: verifierOf(browser, state),
      redirect: parts.publicUrl + callbackPathOf(provider.name),
    }),
  );
  if ("refused" in who) return who;
  const role = await provider.roleOf(who, "now");
  return role === null ? roleless(provider, who) : welcome(parts, provider, { who, role, before, to: carried.to });
}

type Guest = {
  readonly who: Identity;
  readonly role: Role;
  readonly before: string | null;
  readonly to: string;
};

async function welcome(
  { people, audit, chance }: SignInParts,
  { terms }: IdentityProvider,
  { who, role, before, to }: Guest,
): Promise<SignedIn> {
  const cookie = chance(32).toString("base64url");
  const digests = { digest: digestOf(cookie), before: before === null ? null : digestOf(before), terms };
  await people.signIn(who, digests, signedInFor);
  const { login, issuer, subject } = who;
  audit({ kind: "sign_in", who: nameOf(who), what: to, reason: `${issuer}/${login}, account ${subject}, ${role}` });
  return { cookie, to };
}

/** Null when nobody is signed in with this cookie, or what they signed in under is not what is configured, or nothing gives them a role any more. */
export async function personOf(
  { people, providers }: Pick<SignInParts, "people" | "providers">,
  cookie: string,
  freshness: Freshness,
): Promise<Person | null> {
  const who = await people.signedIn(digestOf(cookie), idleFor);
  const provider = providers().find(({ name }) => name === who?.provider);
  if (who === null || provider === undefined) return null;
  if (who.issuer !== provider.issuer || !who.terms.equals(provider.terms)) return null;
  const role = await provider.roleOf(who, freshness);
  return role === null ? null : asPerson(who, role);
}

const asPerson = (who: Identity, role: Role): Person => {
  const isGitHub = who.provider === "github";
  return {
    name: nameOf(who),
    provider: who.provider,
    login: isGitHub ? who.login : who.subject,
    account_id: isGitHub ? Number(who.subject) : null,
    groups: who.groups,
    role,
  };
};

/** In every browser: whoever signs out because somebody else may have a copy ends the copy too. */
export async function endSignIn(
  { people, audit }: Pick<SignInParts, "people" | "audit">,
  cookie: string,
): Promise<void> {
  const who = await people.signOutEverywhere(digestOf(cookie));
  if (who === null) return;
  audit({ kind: "sign_out", who: nameOf(who), what: titleOf(who.provider), reason: "asked to, in every browser" });
}

/** As people read it. */
export const titleOf = (provider: string): string => (provider === "github" ? "GitHub" : provider);

const departure = z.object({ to: z.string(), provider: z.string() });

const again = "Go back and sign in again.";

const fromElsewhere: SignInRefusal = {
  refused: "This sign-in did not begin in this browser, was finished before, or took longer than ten minutes.",
  mend: again,
};

const roleless = ({ name }: IdentityProvider, { login }: Identity): SignInRefusal => ({
  refused: `None of the groups that ${name} names gives ${quote(login)} a role here.`,
  mend: "Whoever runs this gateway says in signIn.oidc which groups do.",
});

const unlessFailed = async <T>(work: () => Promise<T>): Promise<T | SignInRefusal> => {
  try {
    return await work();
  } catch (failure) {
    if (!(failure instanceof SignInFailure || failure instanceof GitHubFailure)) throw failure;
    return { refused: sentence(failure.message), mend: again };
  }
};

/** `github:octocat`; no name of a provider has a colon. */
const nameOf = ({ provider, login }: Identity): string => `${provider}:${login}`;

const tripOf = (browser: string, state: string) =>
  ({ purpose: "sign_in", state: digestOf(state), browser: digestOf(browser) }) as const;

/** RFC 7636 §4.1. Made of what only this browser holds, so that nothing that could finish a sign-in is kept here. */
const verifierOf = (browser: string, state: string): string => made(browser, `code verifier ${state}`);

/** So is what ties the ID token to this browser. */
const nonceOf = (browser: string, state: string): string => made(browser, `nonce ${state}`);

const made = (browser: string, what: string): string => createHmac("sha256", browser).update(what).digest("base64url");

const digestOf = (value: string): Buffer => createHash("sha256").update(value).digest();

const sentence = (message: string): string => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`;
