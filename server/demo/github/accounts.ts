/** Accounts and teams. */

import type { Account, AccountType, Team } from "./state.ts";

export type Accounts = {
  add(login: string, more?: { readonly id?: number; readonly type?: AccountType }): Account;
  /** By its name now. @throws Error when there is none */
  named(login: string): Account;
  rename(login: string, to: string): void;
  /** Its name is free for somebody else, with another id. */
  remove(login: string): void;
  addTeam(organization: string, slug: string, members?: readonly string[]): Team;
  /** Members are active unless they still have to accept. */
  join(team: Team, login: string, state?: "active" | "pending"): void;
  leave(team: Team, login: string): void;
};
