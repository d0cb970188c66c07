/** Repositories: names that move, ids that stay, and who may do what in them. */

import type { Accounts } from "./accounts.ts";
import type { Ids } from "./ids.ts";
import { type Account, type Permit, type Repository, type Role, roles } from "./state.ts";

export type NewRepository = {
  readonly id?: number;
  readonly private?: boolean;
  /** Contents by path. */
  readonly files?: Readonly<Record<string, string>>;
};

export type Found =
  | { readonly kind: "here"; readonly repository: Repository }
  /** It was called so once. */
  | { readonly kind: "moved"; readonly repository: Repository };

export class Repositories {
  readonly #ids: Ids;
  readonly #accounts: Accounts;
  readonly #clock: () => Date;
  readonly #all = new Map<number, Repository>();
  /** Old full names, in lower case. */
  readonly #moved = new Map<string, number>();

  constructor(ids: Ids, accounts: Accounts, clock: () => Date) {
    this.#ids = ids;
    this.#accounts = accounts;
    this.#clock = clock;
  }

  /** An owner who is not there is made: an organization. Private unless it is said. */
  add(fullName: string, more: NewRepository = {}): Repository {
    if (this.#at(fullName) !== null) throw new Error(`there is a ${fullName} already`);
    const { owner, name } = this.#split(fullName);
    const repository: Repository = {
      id: more.id ?? this.#ids.next("repository"),
      owner,
      name,
      private: more.private ?? true,
      created_at: this.#clock(),
      default_branch: "main",
      permits: new Map(),
      files: new Map(Object.entries(more.files ?? {})),
    };
    if (this.#all.has(repository.id)) throw new Error(`repository ${repository.id} is there already`);
    this.#all.set(repository.id, repository);
    this.#moved.delete(fullName.toLowerCase());
    return repository;
  }

  /** By its name now. @throws Error when there is none */
  named(fullName: string): Repository {
    const repository = this.#at(fullName);
    if (repository === null) throw new Error(`there is no ${fullName}`);
    return repository;
  }

  find(fullName: string): Found | null {
    const repository = this.#at(fullName);
    if (repository !== null) return { kind: "here", repository };
    const moved = this.#all.get(this.#moved.get(fullName.toLowerCase()) ?? -1);
    return moved === undefined ? null : { kind: "moved", repository: moved };
  }

  byId(id: number): Repository | null {
    return this.#all.get(id) ?? null;
  }

  of(owner: Account): readonly Repository[] {
    return [...this.#all.values()].filter((repository) => repository.owner.id === owner.id);
  }

  get all(): readonly Repository[] {
    return [...this.#all.values()];
  }

  /** The old name leads on to it until another repository takes it. A new owner is a transfer. */
  rename(repository: Repository, fullName: string): void {
    const before = fullNameOf(repository);
    const { owner, name } = this.#split(fullName);
    Object.assign(repository, { owner, name });
    this.#moved.set(before.toLowerCase(), repository.id);
    this.#moved.delete(fullName.toLowerCase());
  }

  /** Its name is free: `add` makes another repository of that name, with another id. */
  remove(repository: Repository): void {
    this.#all.delete(repository.id);
  }

  /** One of GitHub's roles, or a custom one, which has a name of its own and stands on one of GitHub's. */
  permit(repository: Repository, login: string, role: Role | Permit): void {
    const permit = typeof role === "string" ? { role, role_name: role } : role;
    repository.permits.set(this.#accounts.named(login).id, permit);
  }

  /** Everybody may read what is public; a user's own repositories are theirs. */
  permitOf(repository: Repository, account: Account): Permit {
    if (repository.owner.id === account.id) return { role: "admin", role_name: "admin" };
    const given = repository.permits.get(account.id);
    if (given !== undefined && given.role !== "none") return given;
    return repository.private ? { role: "none", role_name: "none" } : { role: "read", role_name: "read" };
  }

  may(repository: Repository, account: Account, role: Role): boolean {
    return roles.indexOf(this.permitOf(repository, account).role) >= roles.indexOf(role);
  }

  #at(fullName: string): Repository | null {
    const wanted = fullName.toLowerCase();
    return this.all.find((repository) => fullNameOf(repository).toLowerCase() === wanted) ?? null;
  }

  #split(fullName: string): { owner: Account; name: string } {
    const [login = "", name = ""] = fullName.split("/");
    return { owner: this.#accounts.find(login) ?? this.#accounts.add(login, { type: "Organization" }), name };
  }
}

export const fullNameOf = (repository: Repository): string => `${repository.owner.login}/${repository.name}`;
