/** Whether somebody who signed in with GitHub may see what belongs to a repository: GitHub is asked, and what it does not answer is a no. */

import { type Permission, permissions } from "../model/approval.ts";
import type { GitHubReader, RepositoryRef } from "../model/github.ts";
import { Lately } from "../model/lately.ts";
import type { Log } from "../model/log.ts";
import type { Person } from "../model/person.ts";

export interface RepositoryAccess {
  /** Asked now. */
  mayRead(person: Person, of: RepositoryRef): Promise<boolean>;
  /** Asked within the last minute, or now: for what a page asks again and again by itself. */
  mayReadLately(person: Person, of: RepositoryRef): Promise<boolean>;
}

export type RepositoryAccessParts = {
  /** Null without a GitHub App: then nobody is known to may anything. */
  readonly github: Pick<GitHubReader, "account" | "access"> | null;
  readonly log: Log;
  /** ms */
  monotonic(): number;
};

export class AskedRepositoryAccess implements RepositoryAccess {
  readonly #parts: RepositoryAccessParts;
  /** By account and repository. */
  readonly #lately: Lately<boolean>;

  constructor(parts: RepositoryAccessParts) {
    this.#parts = parts;
    this.#lately = new Lately(() => parts.monotonic());
  }

  async mayRead(person: Person, of: RepositoryRef): Promise<boolean> {
    const said = await this.#ask(person, of);
    const may = said === true;
    this.#lately.set(keyOf(person, of), may, said !== null);
    return may;
  }

  async mayReadLately(person: Person, of: RepositoryRef): Promise<boolean> {
    return this.#lately.get(keyOf(person, of)) ?? this.mayRead(person, of);
  }

  /** Asked now: whether somebody may change what is in it. Of a public repository everybody may read. */
  async mayWrite(person: Person, of: RepositoryRef): Promise<boolean> {
    return (await this.#ask(person, of, ["write", "maintain", "admin"])) === true;
  }

  /** Null: it was not said. */
  async #ask(
    { provider, login, account_id }: Person,
    of: RepositoryRef,
    enough: readonly Permission[] = permissions,
  ): Promise<boolean | null> {
    const { github, log } = this.#parts;
    if (github === null || provider !== "github" || account_id === null) return false;
    try {
      // The login is the same account's as at the sign-in: names change hands.
      const account = await github.account(of, login);
      if (account === null || account.id !== account_id || account.type !== "User") return false;
      const { permission } = await github.access(of, login);
      return permission !== "none" && enough.includes(permission);
    } catch (error) {
      log.warn({ err: error, repository: of.repository }, "it could not be asked who may read a repository");
      return null;
    }
  }
}

/** For one page that shows several lists: GitHub is asked once about each repository. */
export function onceEach(access: RepositoryAccess): RepositoryAccess {
  const asked = new Map<string, Promise<boolean>>();
  const mayRead = (person: Person, of: RepositoryRef): Promise<boolean> => {
    const key = keyOf(person, of);
    const answer = asked.get(key) ?? access.mayRead(person, of);
    asked.set(key, answer);
    return answer;
  };
  return { mayRead, mayReadLately: mayRead };
}

const keyOf = ({ account_id }: Person, { repository_id }: RepositoryRef): string => `${account_id} ${repository_id}`;
