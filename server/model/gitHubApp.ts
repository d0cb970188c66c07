/** A GitHub App from its making to its first comment. */

import type { Secret } from "./connection.ts";

/** As GitHub hands it over, once. */
export type CreatedApp = {
  /** In digits. */
  readonly appId: string;
  readonly slug: string;
  readonly name: string;
  /** Login of the account that owns it. */
  readonly owner: string;
  /** Its page: `https://github.com/apps/SLUG`, `https://HOST/github-apps/SLUG`. */
  readonly url: string;
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly webhookSecret: Secret;
  /** PEM */
  readonly privateKey: Secret;
};

/** What was stored of an App, and whether the configuration names it. */
export type KeptApp = {
  /** Holds its key and secrets, for the user that runs the gateway alone. */
  readonly folder: string;
  /** Where what was there before is now; null when nothing was. */
  readonly before: string | null;
  /** The section of dogwatch.yaml, without a secret in it. */
  readonly yaml: string;
  /** Null when the configuration was written; else why it was not, and `yaml` has to be put there by hand. */
  readonly unwritten: string | null;
};

/** Where the App is installed, and what it may do there. */
export type AppInstallation = {
  readonly account: string;
  /** Its settings on GitHub. */
  readonly url: string;
  readonly repositories: "all" | "selected";
  /** `checks: write`, of what is needed and not granted. */
  readonly lacking: readonly string[];
};

/** Where people install an App; its own page is under another path on a server of one's own. */
export const installAddress = (url: string): string => `${url.replace(/\/+$/, "")}/installations/new`;

/** A pull request, as people name it: `acme/shop#7`. */
export type PullName = { readonly owner: string; readonly repo: string; readonly number: number };

/** What came of a test comment. */
export type Trial = {
  /** The comment; null when there is none. */
  readonly url: string | null;
  /** One sentence for everything that is missing, with what mends it; empty when all is well. */
  readonly problems: readonly string[];
};

/** `acme/shop#7`, or the address of the pull request; null for anything else. */
export function pullName(written: string): PullName | null {
  const [, owner, repo, number] =
    /^([\w-]{1,100})\/([\w.-]{1,100})#(\d{1,9})$/.exec(written.trim()) ??
    /^https?:\/\/[^/\s]+\/([\w-]{1,100})\/([\w.-]{1,100})\/pull\/(\d{1,9})(?:[/?#].*)?$/.exec(written.trim()) ??
    [];
  return owner === undefined || repo === undefined || /^\.+$/.test(repo)
    ? null
    : { owner, repo, number: Number(number) };
}
