/** Tokens of the App's installations: each for one repository by its id, with the least that is needed, made once and used until it ends. */

import { z } from "zod";
import { GitHubFailure, type RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { App } from "./app.ts";
import { type Permissions, type Uses, forTeams, forWork, granted, lacking, within } from "./permissions.ts";
import { messageIn, read, refusal } from "./refusal.ts";
import type { Answer, Ask, Credentials } from "./send.ts";
import { digits, repository } from "./shapes.ts";

/** A token is not used in its last minutes: a request takes time, and clocks differ. */
const margin = 5 * 60_000;

const purposes = ["work", "teams"] as const;
/** What a token is for: everything, or looking into teams. */
export type Purpose = (typeof purposes)[number];

/** What may be asked with a token, and how the repository is called now. */
export type Access = Credentials & {
  readonly owner: string;
  readonly repo: string;
  readonly expires_at: Date;
};

/** The installation that answers for the name does not have this repository. */
export class NotCovered extends GitHubFailure {
  constructor({ repository: name, repository_id }: RepositoryRef) {
    super(
      "refused",
      `${quote(name)} is not the repository ${quote(repository_id)}, or the App's installation leaves it out: it was renamed, transferred, deleted, or not selected`,
    );
  }
}

class NotInstalled extends GitHubFailure {
  constructor(name: string) {
    super("refused", `the App is not installed on ${quote(name)}: install it there, from the App's settings`);
  }
}

const installation = z.object({
  id: digits,
  permissions: granted,
  html_url: z.string(),
  suspended_at: z.string().nullish(),
});
type Installation = z.output<typeof installation>;

const minted = z.object({
  token: z.string().min(1),
  expires_at: z.string().transform((text) => new Date(text)),
  repositories: z.array(repository),
});

export type InstallationOptions = { readonly app: App; readonly uses: Uses; clock(): Date };

export class Installations {
  readonly #app: App;
  readonly #uses: Uses;
  readonly #clock: () => Date;
  /** By repository and purpose. */
  readonly #accesses = new Map<string, Promise<Access>>();
  /** What repositories are called now, by id: the name that was asked for may have been given up. */
  readonly #names = new Map<string, string>();

  constructor({ app, uses, clock }: InstallationOptions) {
    this.#app = app;
    this.#uses = uses;
    this.#clock = clock;
  }

  /** One is made at a time for a repository, however many ask. */
  async access(of: RepositoryRef, purpose: Purpose = "work"): Promise<Access> {
    const key = `${purpose} ${of.repository_id}`;
    const known = this.#accesses.get(key);
    if (known !== undefined && !this.#isOver(await known)) return known;
    // Whoever asked for the same meanwhile made a new one already.
    const meanwhile = this.#accesses.get(key);
    if (meanwhile !== undefined && meanwhile !== known) return this.access(of, purpose);
    const made = this.#make(of, purpose);
    this.#accesses.set(key, made);
    made.catch(() => {
      if (this.#accesses.get(key) === made) this.#accesses.delete(key);
    });
    return made;
  }

  /** After GitHub did not accept the token: the next one is made anew. */
  forget(of: RepositoryRef, { token }: Access): Promise<void> {
    return this.#drop(of, (access) => access.token === token);
  }

  /** After the repository turned out to be called something else, or to belong to somebody else: no token goes by the old name any more. */
  forgetName(of: RepositoryRef, { owner, repo }: Access): Promise<void> {
    return this.#drop(of, (access) => access.owner === owner && access.repo === repo);
  }

  async #drop(of: RepositoryRef, isStale: (access: Access) => boolean): Promise<void> {
    for (const purpose of purposes) {
      const key = `${purpose} ${of.repository_id}`;
      const known = this.#accesses.get(key);
      const access = await known?.catch(() => null);
      if (access != null && isStale(access) && this.#accesses.get(key) === known) this.#accesses.delete(key);
    }
  }

  #isOver({ expires_at }: Access): boolean {
    return expires_at.getTime() - margin <= this.#clock().getTime();
  }

  /** By the name that was asked for, and by the one it had last: either may be another repository's by now. */
  async #make(of: RepositoryRef, purpose: Purpose): Promise<Access> {
    const last = this.#names.get(of.repository_id);
    try {
      return await this.#makeAs(of, purpose);
    } catch (error) {
      if (last === undefined || last === of.repository) throw error;
      if (!(error instanceof NotCovered || error instanceof NotInstalled)) throw error;
      return this.#makeAs({ ...of, repository: last }, purpose);
    }
  }

  async #makeAs(of: RepositoryRef, purpose: Purpose): Promise<Access> {
    const where = await this.#installation(of);
    if (where.suspended_at != null)
      throw new GitHubFailure(
        "refused",
        `the App's installation on ${quote(of.repository)} is suspended: ${place(where)}`,
      );
    const { token, expires_at, repositories } = await this.#mint(of, {
      where,
      permissions: this.#permissions(of, { where, purpose }),
    });
    const name = nameIn(repositories, of);
    this.#names.set(of.repository_id, name);
    return { token, whose: `installation ${where.id}`, expires_at, ...splitName(name) };
  }

  #permissions(
    of: RepositoryRef,
    { where, purpose }: { readonly where: Installation; readonly purpose: Purpose },
  ): Permissions {
    const needed = purpose === "work" ? forWork(this.#uses) : forTeams;
    const [lack] = lacking(needed, where.permissions);
    if (purpose === "teams" && lack !== undefined)
      throw new GitHubFailure(
        "refused",
        `rules that name teams need the App's permission ${lack} on ${quote(of.repository)}: add it to the App, then accept it at ${place(where)}`,
      );
    return within(needed, where.permissions);
  }

  /** A renamed repository redirects to its id: to another id leads a name that was taken over. */
  async #installation(of: RepositoryRef): Promise<Installation> {
    const doing = `find the App's installation on ${quote(of.repository)}`;
    const ask: Ask = {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/installation",
      parameters: splitName(of.repository),
      doing,
    };
    const answer = await this.#app.ask(ask);
    const moved = isRedirect(answer) ? await this.#follow(of, { answer, ask }) : answer;
    if (moved.status === 404) throw new NotInstalled(of.repository);
    if (moved.status !== 200) throw refusal(moved, ask, null);
    return read(installation, moved, ask);
  }

  #follow(of: RepositoryRef, { answer, ask }: { readonly answer: Answer; readonly ask: Ask }): Promise<Answer> {
    const id = /\/repositories\/(\d+)\/installation$/.exec(answer.headers["location"] ?? "")?.[1];
    if (id !== of.repository_id) throw new NotCovered(of);
    return this.#app.ask({
      ...ask,
      route: "GET /repositories/{repository_id}/installation",
      parameters: { repository_id: id },
    });
  }

  async #mint(
    of: RepositoryRef,
    { where, permissions }: { readonly where: Installation; readonly permissions: Permissions },
  ): Promise<z.output<typeof minted>> {
    const ask: Ask = {
      kind: "change",
      route: "POST /app/installations/{installation_id}/access_tokens",
      parameters: { installation_id: where.id, repository_ids: [idOf(of)], permissions },
      doing: `get a token for ${quote(of.repository)}`,
    };
    const answer = await this.#app.ask(ask);
    if (answer.status === 422 && !/permission/i.test(messageIn(answer.data))) throw new NotCovered(of);
    if (answer.status !== 201) throw refusal(answer, ask, null);
    return read(minted, answer, ask);
  }
}

/** GitHub lists what the token is for; a token for anything else is not used. */
const nameIn = (repositories: z.output<typeof minted>["repositories"], of: RepositoryRef): string => {
  const [only, ...others] = repositories;
  if (only?.id !== of.repository_id || others.length > 0) throw new NotCovered(of);
  return only.full_name;
};

const place = ({ html_url }: Installation): string => quote(html_url);

/** GitHub's redirects of renamed repositories: 301 for reads, 307 for writes. */
export const isRedirect = ({ status }: Answer): boolean => [301, 302, 307, 308].includes(status);

const idOf = ({ repository_id }: RepositoryRef): number => {
  const id = Number(repository_id);
  if (!/^\d{1,16}$/.test(repository_id) || !Number.isSafeInteger(id))
    throw new GitHubFailure("refused", `${quote(repository_id)} is not a repository's id`);
  return id;
};

/** GitHub's own characters only: what goes into an address must not lead elsewhere. */
const splitName = (name: string): { readonly owner: string; readonly repo: string } => {
  const [, owner, repo] = /^([\w-]+)\/([\w.-]+)$/.exec(name) ?? [];
  if (owner === undefined || repo === undefined || /^\.+$/.test(repo))
    throw new GitHubFailure("refused", `${quote(name)} is not a repository's name`);
  return { owner, repo };
};
