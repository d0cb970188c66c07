/** Repositories: names that move, ids that stay, and who may do what in them. */

import type { Repository, Role } from "./state.ts";

export type Repositories = {
  /** The owner is made when it is not there. Private unless it is said. */
  add(
    fullName: string,
    more?: { readonly id?: number; readonly private?: boolean; readonly files?: Readonly<Record<string, string>> },
  ): Repository;
  /** By its name now. @throws Error when there is none */
  named(fullName: string): Repository;
  /** The old name leads on to it until another repository takes it. A new owner is a transfer. */
  rename(repository: Repository, fullName: string): void;
  /** Its name is free: `add` makes another repository of that name, with another id. */
  remove(repository: Repository): void;
  /** `role_name` is that of a custom role, which stands on `role`. */
  permit(repository: Repository, login: string, role: Role, role_name?: string): void;
};
