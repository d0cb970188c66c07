/** What GitHub calls somebody beside what they wrote: it says little, and not what they may do. */

import type { Account, Repository } from "../state.ts";
import type { Surroundings } from "../world.ts";

export const association = ({ repositories }: Surroundings, repository: Repository, account: Account): string => {
  if (repository.owner.id === account.id) return "OWNER";
  return repositories.permitOf(repository, account).role === "none" ? "NONE" : "COLLABORATOR";
};
