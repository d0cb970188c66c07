/**
 * What the claims of a GitHub Actions identity token mean to us: which run they name, and which events are too dangerous.
 *
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */

import { refuseToken, type TokenRefusal } from "../errors.ts";
import type { Claims } from "../model/caller.ts";
import { quote } from "../model/quote.ts";

/**
 * Events whose runs have the base repository's identity although a stranger's fork or comment set them off.
 *
 * @see https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
 */
export const refusedEvents = ["pull_request_target", "workflow_run", "issue_comment"] as const;

/** Names change hands; ids do not. Without these a rule about ids would be about nothing. */
const requiredClaims = ["repository_id", "repository_owner_id", "run_id", "run_attempt", "event_name"] as const;

/** What one job is; `check_run_id` is missing on older servers. */
const runClaims = ["repository_id", "run_id", "run_attempt", "check_run_id"] as const;

/**
 * Whether these are claims of an Actions run, whoever signed them: a GitHub Enterprise Server behind a name of its own must
 * not slip past the rules for events.
 */
export const namesRun = (claims: Claims): boolean => "event_name" in claims || "run_id" in claims;

/** The first claim without which an Actions token is not one; GitHub sends every id as text. */
export const lackingClaim = (claims: Claims): TokenRefusal | null => {
  for (const name of requiredClaims) {
    const value = claims[name];
    if (typeof value !== "string" || value === "")
      return refuseToken("token_malformed", `claim ${name} is ${quote(value)}, and every GitHub Actions token has it`);
  }
  return null;
};

/** Refuses the events above unless the issuer's `events` lists them. */
export const refusedEvent = (claims: Claims, accepted: readonly string[]): TokenRefusal | null => {
  const event = claims["event_name"];
  if (event === undefined || accepted.some((name) => name === event)) return null;
  if (typeof event === "string" && !refusedEvents.some((name) => name === event)) return null;
  return refuseToken(
    "event_refused",
    `event_name is ${quote(event)}: such runs can be set off by strangers and are refused unless the issuer's events list it`,
  );
};

/** The claims that a session is bound to, so that only the same job renews it. */
export const runOf = (claims: Claims): Record<string, string> => {
  const run: Record<string, string> = {};
  for (const name of runClaims) {
    const value = claims[name];
    if (typeof value === "string" || typeof value === "number") run[name] = String(value);
  }
  return run;
};

/** Who asks, for a message: `repository 'acme/app', repository_id '70', …`. */
export const describeRun = (claims: Claims): string =>
  ["repository", "repository_id", "repository_owner_id", "event_name", "ref"]
    .filter((name) => name in claims)
    .map((name) => `${name} ${quote(claims[name])}`)
    .join(", ");
