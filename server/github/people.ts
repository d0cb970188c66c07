/** Accounts, and what they may do in a repository: asked anew every time, since an answer counts only while it is true. */

import { z } from "zod";
import { type Permission, permissions } from "../model/approval.ts";
import type { Account, RepositoryAccess, RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { Repositories } from "./repositories.ts";
import { id } from "./shapes.ts";

const account = z.object({ login: z.string(), id, type: z.string() });

const level = z.object({
  permission: z.string(),
  role_name: z.string().nullish(),
  user: z
    .object({
      login: z.string(),
      permissions: z.object({ maintain: z.boolean(), triage: z.boolean() }).partial().nullish(),
    })
    .nullish(),
});

const membership = z.object({ state: z.string() });

const none: RepositoryAccess = { permission: "none", role: null };

export class People {
  readonly #repositories: Repositories;
  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async account(of: RepositoryRef, login: string): Promise<Account | null> {
    if (!isLogin(login)) return null;
    return this.#repositories.get(of, account, {
      kind: "read",
      route: "GET /users/{username}",
      parameters: { username: login },
      doing: `look up the account ${quote(login)}`,
      needs: "metadata: read",
    });
  }

  /** Of a public repository everybody may `read`. */
  async access(of: RepositoryRef, login: string): Promise<RepositoryAccess> {
    if (!isLogin(login)) return none;
    // What somebody may do in another repository that took over the name is no answer.
    const found = await this.#repositories.named(of, () =>
      this.#repositories.get(of, level, {
        kind: "read",
        route: "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
        parameters: { username: login },
        doing: `read what ${quote(login)} may do in ${quote(of.repository)}`,
        needs: "metadata: read",
      }),
    );
    // Nobody's permission is nobody's; an account that is called something else now is not the one that was asked about.
    if (found?.user == null || found.user.login.toLowerCase() !== login.toLowerCase()) return none;
    return { permission: permissionIn(found), role: found.role_name ?? null };
  }

  /** Whoever was invited and has not accepted is no member. */
  async isMember(of: RepositoryRef, team: string, login: string): Promise<boolean> {
    if (!isLogin(login) || !/^[\w-]+$/.test(team)) return false;
    // Nor is what a former owner's teams say.
    const found = await this.#repositories.named(of, () =>
      this.#repositories.get(of, membership, {
        kind: "read",
        route: "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
        parameters: { team_slug: team, username: login },
        doing: `read whether ${quote(login)} is in the team ${quote(team)}`,
        needs: "members: read",
        purpose: "teams",
      }),
    );
    return found?.state === "active";
  }
}

/**
 * `permission` knows `admin`, `write`, `read`, `none` only: `maintain` is `write` there, `triage` is `read`. Custom roles have one of the five
 * below them, told by the flags. What is finer than `permission` never makes it more.
 *
 * @see https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
 */
const permissionIn = ({ permission, role_name, user }: z.output<typeof level>): Permission | "none" => {
  const flags = user?.permissions;
  if (permission === "write" && (role_name === "maintain" || flags?.maintain === true)) return "maintain";
  if (permission === "read" && (role_name === "triage" || flags?.triage === true)) return "triage";
  return permissions.find((known) => known === permission) ?? "none";
};

/** Those of people, of managed users (`ana_acme`) and of Apps (`dependabot[bot]`); anything else would be another address. */
const isLogin = (login: string): boolean => /^[\w-]{1,100}(?:\[bot\])?$/.test(login);
