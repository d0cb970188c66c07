/** Accounts and teams. */

import type { Ids } from "./ids.ts";
import type { Account, AccountType, Team } from "./state.ts";

export type NewAccount = { readonly id?: number; readonly type?: AccountType };

export class Accounts {
  readonly #ids: Ids;
  readonly #clock: () => Date;
  readonly #accounts = new Map<number, Account>();
  readonly #teams: Team[] = [];

  constructor(ids: Ids, clock: () => Date) {
    this.#ids = ids;
    this.#clock = clock;
  }

  add(login: string, { id = this.#ids.next("account"), type = "User" }: NewAccount = {}): Account {
    if (this.find(login) !== null) throw new Error(`there is a ${login} already`);
    if (this.#accounts.has(id)) throw new Error(`account ${id} is there already`);
    const account: Account = { id, login, type, created_at: this.#clock() };
    this.#accounts.set(id, account);
    return account;
  }

  /** By its name now. @throws Error when there is none */
  named(login: string): Account {
    const account = this.find(login);
    if (account === null) throw new Error(`there is no ${login}`);
    return account;
  }

  /** Logins are the same in upper and lower case. */
  find(login: string): Account | null {
    const wanted = login.toLowerCase();
    return [...this.#accounts.values()].find((account) => account.login.toLowerCase() === wanted) ?? null;
  }

  byId(id: number): Account | null {
    return this.#accounts.get(id) ?? null;
  }

  get users(): readonly Account[] {
    return [...this.#accounts.values()].filter(({ type }) => type === "User");
  }

  rename(login: string, to: string): void {
    if (this.find(to) !== null) throw new Error(`there is a ${to} already`);
    this.named(login).login = to;
  }

  /** Its name is free for somebody else, with another id. What it wrote stays. */
  remove(login: string): void {
    const { id } = this.named(login);
    this.#accounts.delete(id);
    for (const team of this.#teams) team.members.delete(id);
  }

  addTeam(organization: string, slug: string, members: readonly string[] = []): Team {
    const owner = this.find(organization) ?? this.add(organization, { type: "Organization" });
    const team: Team = {
      id: this.#ids.next("team"),
      organization: owner,
      slug,
      created_at: this.#clock(),
      members: new Map(),
    };
    this.#teams.push(team);
    for (const login of members) this.join(team, login);
    return team;
  }

  /** Members are active unless they still have to accept. */
  join(team: Team, login: string, state: "active" | "pending" = "active"): void {
    team.members.set(this.named(login).id, state);
  }

  leave(team: Team, login: string): void {
    team.members.delete(this.named(login).id);
  }

  team(organization: string, slug: string): Team | null {
    const owner = organization.toLowerCase();
    return (
      this.#teams.find((team) => team.organization.login.toLowerCase() === owner && team.slug === slug.toLowerCase()) ??
      null
    );
  }
}
