/** Whether a caller may: nothing outside of its permissions and repositories, whatever it is. */

import { covers } from "../apps.ts";
import type { Account, App, Permissions, Repository } from "../state.ts";
import type { World } from "../world.ts";
import type { Asker, Need } from "./operations.ts";
import { type Caller, type Reply, refusal } from "./reply.ts";

/** Null: it may, as far as permissions go. */
export function refuseBy(
  asker: Asker,
  caller: Caller,
  about: { readonly world: World; readonly repository: Repository | null; readonly isPull: boolean | null },
): Reply | null {
  if (asker === "nobody") return null;
  if (caller.kind === "nobody") return refusal(401, "Requires authentication");
  if (asker === "app") return caller.kind === "app" ? null : refusal(401, "A JSON web token could not be decoded");
  // An App's own token is good for the App's own business only.
  if (caller.kind === "app") return refusal(401, "Bad credentials");
  if (asker === "anybody") return null;
  if (asker === "user") return caller.kind === "user" ? null : notAccessible([]);
  const permissions = permissionsOf(caller, about);
  const wanted = about.isPull === false ? asker.filter(({ pulls_only }) => pulls_only === undefined) : asker;
  return wanted.some((need) => satisfies(permissions, need)) ? null : notAccessible(asker);
}

/** Whether there is such a repository at all for the caller. */
export function sees(world: World, caller: Caller, repository: Repository): boolean {
  switch (caller.kind) {
    case "nobody":
      return !repository.private;
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

type About = { readonly world: World; readonly repository: Repository | null };

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
