/** Whether a caller may: nothing outside of its permissions and repositories, whatever it is. */

import { covers } from "../apps.ts";
import type { Account, App, Permissions, Repository } from "../state.ts";
import type { World } from "../world.ts";
import { type Asker, type Need, type OperationId, operations, publicReads } from "./operations.ts";
import { type Caller, type Reply, refusal } from "./reply.ts";

export type About = {
  readonly world: World;
  /** Null: it is about none. */
  readonly repository: Repository | null;
  /** Whether it is about a pull request; null where that does not matter or is not known. */
  readonly isPull: boolean | null;
};

/** Null: it may. */
export function refuse(id: OperationId, caller: Caller, about: About): Reply | null {
  const asker: Asker = operations[id][2];
  const { repository } = about;
  if (asker === "nobody" || (repository?.private === false && publicReads.has(id))) return null;
  if (caller.kind === "nobody") return refusal(401, "Requires authentication");
  if (asker === "app") return caller.kind === "app" ? null : refusal(401, "A JSON web token could not be decoded");
  // An App's own token is good for the App's own business only.
  if (caller.kind === "app") return refusal(401, "Bad credentials");
  if (asker === "anybody") return null;
  if (asker === "user") return caller.kind === "user" ? null : notAccessible([]);
  if (repository !== null && !covered(about.world, caller, repository)) return notAccessible(asker);
  const permissions = permissionsOf(caller, about);
  const wanted = about.isPull === false ? asker.filter(({ pulls_only }) => pulls_only === undefined) : asker;
  return wanted.some((need) => satisfies(permissions, need)) ? null : notAccessible(asker);
}

/** Whether there is such a repository at all for the caller. */
export const sees = (world: World, caller: Caller, repository: Repository): boolean =>
  !repository.private || covered(world, caller, repository);

/** Whether what the caller holds is for this repository. */
function covered(world: World, caller: Caller, repository: Repository): boolean {
  switch (caller.kind) {
    case "nobody":
      return false;
    case "app":
      return true;
    case "installation":
      return (
        covers(caller.installation, repository) &&
        (caller.repositories === null || caller.repositories.has(repository.id))
      );
    case "job":
      return caller.run.repository.id === repository.id;
    case "user":
      return (
        world.repositories.may(repository, caller.account, "read") &&
        world.apps.installations(caller.app).some((installation) => covers(installation, repository))
      );
    default:
      return caller satisfies never;
  }
}

/** In whose name a caller writes, and which App does it for them. */
export function authorOf(world: World, caller: Caller): { readonly author: Account; readonly app: App } {
  switch (caller.kind) {
    case "installation":
      return { author: caller.installation.app.bot, app: caller.installation.app };
    case "job":
      return { author: world.apps.actions.bot, app: world.apps.actions };
    case "user":
      return { author: caller.account, app: caller.app };
    case "nobody":
    case "app":
      throw new Error("only who was let in writes");
    default:
      return caller satisfies never;
  }
}

function permissionsOf(caller: Exclude<Caller, { kind: "nobody" | "app" }>, { world, repository }: About): Permissions {
  if (caller.kind !== "user") return caller.permissions;
  if (repository === null) return {};
  // What both the App and the person may.
  const installed = world.apps.installations(caller.app).find((installation) => covers(installation, repository));
  return installed?.permissions ?? {};
}

const satisfies = (permissions: Permissions, { permission, access }: Need): boolean => {
  const given = permissions[permission];
  return given === "write" || (given === "read" && access === "read");
};

const notAccessible = (needs: readonly Need[]): Reply =>
  refusal(403, "Resource not accessible by integration", {
    "x-accepted-github-permissions": needs.map(({ permission, access }) => `${permission}=${access}`).join("; "),
  });
