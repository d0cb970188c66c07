/** Signing in with GitHub: a browser is sent there, comes back once, and is known by a cookie that is worth nothing elsewhere. */

import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import { GitHubFailure } from "../model/github.ts";
import type { Identity, Person } from "../model/person.ts";
import { quote } from "../model/quote.ts";
import type { People } from "../store/people.ts";

/** Who tells people apart; `github/signIn.ts` is one. */
export interface IdentityProvider {
  readonly issuer: string;
  authorizeUrl(asked: { readonly state: string; readonly challenge: string; readonly redirect: string }): string;
  /** @throws GitHubFailure */
  identify(answer: { readonly code: string; readonly verifier: string; readonly redirect: string }): Promise<Identity>;
}

export type GitHubSignInParts = {
  readonly people: People;
  readonly provider: IdentityProvider;
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
const idleFor = 4 * 60 * 60_000;

export const callbackPath = "/sign-in/github/callback";

/** Where to send the browser. `browser`: what its cookie holds, 256 random bits; `to`: a path of ours. */
export async function beginSignIn(
  { people, provider, publicUrl, chance }: GitHubSignInParts,
  { browser, to }: { readonly browser: string; readonly to: string },
): Promise<string> {
  const state = chance(32).toString("base64url");
  await people.depart({ purpose: "sign_in", state: digestOf(state), browser: digestOf(browser) }, { to }, awayFor);
  return provider.authorizeUrl({
    state,
    challenge: digestOf(verifierOf(browser, state)).toString("base64url"),
    redirect: publicUrl + callbackPath,
  });
}

export type Arrival = {
  /** Null when the browser has none: it never left from here. */
  readonly browser: string | null;
  readonly state: string;
  readonly code: string | null;
  /** What GitHub says instead of a code. */
  readonly error: string | null;
  /** The sign-in that the browser has; it ends when another begins. */
  readonly before: string | null;
  /** An address, for the audit log. */
  readonly from: string;
};

export type SignedIn = { readonly cookie: string; readonly to: string };

export async function finishSignIn(parts: GitHubSignInParts, arrival: Arrival): Promise<SignedIn | SignInRefusal> {
  const outcome = await arrive(parts, arrival);
  if (isSignInRefusal(outcome))
    parts.audit({ kind: "sign_in_refused", who: arrival.from, what: "GitHub", reason: outcome.refused });
  return outcome;
}

async function arrive(parts: GitHubSignInParts, arrival: Arrival): Promise<SignedIn | SignInRefusal> {
  const { people, provider, publicUrl } = parts;
  const { browser, state, code, error } = arrival;
  if (browser === null) return fromElsewhere;
  // Used up before anything else is looked at: a second try with the same state finds nothing.
  const trip = await people.arrive({ purpose: "sign_in", state: digestOf(state), browser: digestOf(browser) });
  if (trip === null) return fromElsewhere;
  if (code === null) return { refused: noCode(error), mend: again };
  try {
    const redirect = publicUrl + callbackPath;
    const who = await provider.identify({ code, verifier: verifierOf(browser, state), redirect });
    return await welcome(parts, who, { before: arrival.before, to: carried.parse(trip).to });
  } catch (failure) {
    if (!(failure instanceof GitHubFailure)) throw failure;
    return { refused: sentence(failure.message), mend: again };
  }
}

async function welcome(
  { people, audit, chance }: GitHubSignInParts,
  who: Identity,
  { before, to }: { readonly before: string | null; readonly to: string },
): Promise<SignedIn> {
  const cookie = chance(32).toString("base64url");
  await people.signIn(
    who,
    { digest: digestOf(cookie), before: before === null ? null : digestOf(before) },
    signedInFor,
  );
  const { login, issuer, account_id } = who;
  audit({ kind: "sign_in", who: nameOf(who), what: to, reason: `${issuer}/${login}, account ${account_id}` });
  return { cookie, to };
}

/** Null when nobody is signed in with this cookie, or it was with another GitHub than the one that is configured. */
export async function personOf(
  { people, provider }: Pick<GitHubSignInParts, "people" | "provider">,
  cookie: string,
): Promise<Person | null> {
  const who = await people.signedIn(digestOf(cookie), idleFor);
  if (who === null || who.issuer !== provider.issuer) return null;
  const { login, account_id } = who;
  return { name: nameOf(who), provider: "github", login, account_id, groups: [], role: "approver" };
}

export async function endSignIn(
  { people, audit }: Pick<GitHubSignInParts, "people" | "audit">,
  cookie: string,
): Promise<void> {
  const who = await people.signOut(digestOf(cookie));
  if (who !== null) audit({ kind: "sign_out", who: nameOf(who), what: "GitHub", reason: "asked to" });
}

const carried = z.object({ to: z.string() });

const again = "Go back and sign in again.";

const fromElsewhere: SignInRefusal = {
  refused: "This sign-in did not begin in this browser, was finished before, or took longer than ten minutes.",
  mend: again,
};

const noCode = (error: string | null): string => {
  if (error === "access_denied") return "You did not agree on GitHub's page.";
  return error === null ? "GitHub sent no code back." : `GitHub sent no code back, but ${quote(error)}.`;
};

const nameOf = ({ login }: Identity): string => `github:${login}`;

/** RFC 7636 §4.1. Made of what only this browser holds, so that nothing that could finish a sign-in is kept here. */
const verifierOf = (browser: string, state: string): string =>
  createHmac("sha256", browser).update(`code verifier ${state}`).digest("base64url");

const digestOf = (value: string): Buffer => createHash("sha256").update(value).digest();

const sentence = (message: string): string => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`;
