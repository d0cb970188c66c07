/** Joins who tells people apart, and what gives them their roles: GitHub by teams, other providers by the groups that they name. */

import { createHash } from "node:crypto";
import type { GitHubApp } from "./github/client.ts";
import { GitHubSignIn } from "./github/signIn.ts";
import type { Freshness, IdentityProvider } from "./journeys/signIn.ts";
import type { Config, GitHubSource, OidcSource, Role } from "./model/config.ts";
import { readGroupsAt } from "./model/groupsClaim.ts";
import { Lately } from "./model/lately.ts";
import type { Log } from "./model/log.ts";
import type { Identity } from "./model/person.ts";
import { OidcProvider } from "./oidc/provider.ts";

export type ProviderParts = {
  /** The App's client; null without one. */
  readonly github: Pick<GitHubApp, "isInTeam"> | null;
  /** Of the start: another App waits for the next one. */
  readonly source: GitHubSource | undefined;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** ms */
  monotonic(): number;
};

/** Those of a configuration, made once for each that comes into force. */
export const createProviders = (parts: ProviderParts, config: () => Config): (() => readonly IdentityProvider[]) => {
  let made: { readonly of: Config; readonly providers: readonly IdentityProvider[] } | null = null;
  return () => {
    const now = config();
    if (made?.of !== now) made = { of: now, providers: providersOf(parts, now) };
    return made.providers;
  };
};

const providersOf = (parts: ProviderParts, { signIn }: Config): readonly IdentityProvider[] => [
  ...githubProvider(parts, signIn.github),
  ...signIn.oidc.map((source) => oidcProvider(parts, source)),
];

/** None where the App's client is not configured, or `signIn.github` says no. */
function githubProvider(parts: ProviderParts, people: Config["signIn"]["github"]): readonly IdentityProvider[] {
  const { source, fetch } = parts;
  if (source?.clientId === undefined || source.clientSecret === undefined || people === null) return [];
  const { apiUrl, clientId, clientSecret } = source;
  const client = new GitHubSignIn({ apiUrl, clientId, clientSecret, fetch });
  const roles = new TeamRoles(parts, people);
  return [
    {
      name: "github",
      issuer: client.issuer,
      terms: termsOf([client.issuer, clientId, people]),
      authorizeUrl: async (away) => client.authorizeUrl(away),
      identify: (back) => client.identify(back),
      roleOf: (who, freshness) => roles.of(who, freshness),
    },
  ];
}

function oidcProvider({ fetch, monotonic }: ProviderParts, source: OidcSource): IdentityProvider {
  const { name, issuer, clientId, groups, login, algorithm, roles } = source;
  const reading = { groups: readGroupsAt(groups), login: readGroupsAt(login) };
  const provider = new OidcProvider(source, reading, { fetch, monotonic });
  return {
    name,
    issuer,
    terms: termsOf([issuer, clientId, groups, login, algorithm, roles]),
    authorizeUrl: (away) => provider.authorizeUrl(away),
    identify: (back) => provider.identify(back),
    roleOf: async (who) => strongest.find((role) => roles[role].some((group) => who.groups.includes(group))) ?? null,
  };
}

const strongest: readonly Role[] = ["admin", "auditor", "approver", "viewer"];

const termsOf = (said: readonly unknown[]): Buffer => createHash("sha256").update(JSON.stringify(said)).digest();

/** Everybody on GitHub may answer what GitHub lets them answer; teams make more of some. What GitHub does not say makes nobody more. */
class TeamRoles {
  readonly #parts: ProviderParts;
  readonly #people: NonNullable<Config["signIn"]["github"]>;
  /** By account. */
  readonly #lately: Lately<Role>;

  constructor(parts: ProviderParts, people: NonNullable<Config["signIn"]["github"]>) {
    this.#parts = parts;
    this.#people = people;
    this.#lately = new Lately(() => parts.monotonic());
  }

  async of(who: Identity, freshness: Freshness): Promise<Role> {
    const { admins, auditors } = this.#people;
    if (this.#parts.github === null || admins.length + auditors.length === 0) return "approver";
    const known = freshness === "lately" ? this.#lately.get(who.subject) : undefined;
    if (known !== undefined) return known;
    const { role, isSure } = await this.#ask(who);
    this.#lately.set(who.subject, role, isSure);
    return role;
  }

  async #ask(who: Identity): Promise<{ readonly role: Role; readonly isSure: boolean }> {
    const { admins, auditors } = this.#people;
    const isAdmin = await this.#isInOne(admins, who);
    if (isAdmin === true) return { role: "admin", isSure: true };
    const isAuditor = await this.#isInOne(auditors, who);
    return { role: isAuditor === true ? "auditor" : "approver", isSure: isAdmin !== null && isAuditor !== null };
  }

  /** Null: GitHub did not say. */
  async #isInOne(teams: readonly string[], { login, subject }: Identity): Promise<boolean | null> {
    const { github, log } = this.#parts;
    const account = { login, account_id: Number(subject) };
    const members = await Promise.all(
      teams.map(async (team) => {
        try {
          return github !== null && (await github.isInTeam(team, account));
        } catch (error) {
          log.warn({ err: error, team }, "it could not be asked who is in a team, so nobody is taken to be");
          return null;
        }
      }),
    );
    if (members.includes(true)) return true;
    return members.includes(null) ? null : false;
  }
}
