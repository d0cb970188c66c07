/** Who hears of what happens: the Apps that are installed there, ask for the event and may read what it is about. */

import type { Announce, Happening } from "./happenings.ts";
import { payloadOf } from "./payload.ts";
import type { Installation, Repository } from "./state.ts";
import type { World } from "./world.ts";

/** @see https://docs.github.com/en/webhooks/webhook-events-and-payloads: "at least read-level access for" */
const needed: Readonly<Record<Exclude<Happening["event"], "installation">, readonly string[]>> = {
  pull_request: ["pull_requests"],
  pull_request_review_comment: ["pull_requests"],
  issue_comment: ["issues", "pull_requests"],
  check_run: ["checks"],
};

export const tellApps =
  (world: World): Announce =>
  (happening, { sender, repository }) => {
    for (const installation of listeners(world, happening, repository))
      world.deliveries.send({
        event: happening.event,
        action: happening.action,
        installation,
        repository_id: repository?.id ?? null,
        body: payloadOf(world, happening, { sender, repository, installation }),
      });
  };

function listeners(world: World, happening: Happening, repository: Repository | null): readonly Installation[] {
  if (happening.event === "installation") return [happening.installation];
  if (repository === null) return [];
  return world.apps.on(repository).filter((installation) => {
    if (installation.suspended_at !== null) return false;
    const mayRead = needed[happening.event].some((permission) => permission in installation.permissions);
    if (!mayRead || !installation.app.events.includes(happening.event)) return false;
    return happening.event !== "check_run" || hearsOf(happening, installation);
  });
}

/** A button is its App's own business. */
const hearsOf = (happening: Extract<Happening, { event: "check_run" }>, { app }: Installation): boolean =>
  happening.action !== "requested_action" || happening.check.app === app;
