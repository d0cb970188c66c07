/** What GitHub signed of a run, and by which GitHub. */

import type { Claims } from "../../model/caller.ts";
import type { RepositoryRef } from "../../model/github.ts";
import { isLoopback } from "../../model/loopback.ts";

/** By id, so that a name that was given to another repository or run leads nowhere. */
export type ClaimedRun = RepositoryRef & {
  readonly run_id: string;
  readonly run_attempt: string;
  /** Id of its check run, which is the job's too. */
  readonly job_id: string | null;
  readonly actor: string | null;
  /** Of the pull request whose event set the run off. */
  readonly pull: number | null;
};

/** Null when the token names no repository, or not by its id. */
export function claimedRepository(claims: Claims): RepositoryRef | null {
  const { repository, repository_id } = claims;
  if (typeof repository !== "string" || typeof repository_id !== "string") return null;
  return repository === "" || repository_id === "" ? null : { repository, repository_id };
}

/** Null when the token does not name a run whole. */
export function claimedRun(claims: Claims): ClaimedRun | null {
  const text = (name: string): string | null => {
    const value = claims[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const [repository, repository_id, run_id, run_attempt] = ["repository", "repository_id", "run_id", "run_attempt"].map(
    text,
  );
  if (repository == null || repository_id == null || run_id == null || run_attempt == null) return null;
  const named = { actor: text("actor"), job_id: text("check_run_id"), pull: pullIn(text("ref")) };
  return { repository, repository_id, run_id, run_attempt, ...named };
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request */
function pullIn(ref: string | null): number | null {
  const [, digits] = /^refs\/pull\/(\d{1,10})\/(?:merge|head)$/.exec(ref ?? "") ?? [];
  return digits === undefined ? null : Number(digits);
}

/**
 * Whether an issuer's tokens speak of the server whose API this is: github.com, a ghe.com subdomain, or a server of one's own, whose issuer and
 * API have one name. An API that is reached on this machine, through something of the operator's, may be any.
 */
export function isOfServer(issuer: string, apiUrl: string): boolean {
  const api = new URL(apiUrl).hostname;
  return isLoopback(api) || api === apiOf(new URL(issuer).hostname);
}

function apiOf(issuer: string): string {
  if (issuer === "token.actions.githubusercontent.com") return "api.github.com";
  const [, subdomain] = /^token\.actions\.([\w-]+\.ghe\.com)$/.exec(issuer) ?? [];
  return subdomain === undefined ? issuer : `api.${subdomain}`;
}
