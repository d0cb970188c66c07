/**
 * Intakes of Datadog's own tools (datadog-ci, the Agent, the test libraries). The sandbox has nowhere to show what they send,
 * so it answers that it was taken, which is all that an intake ever says, and forgets it.
 */

import { intakeRoutes } from "../intake.ts";
import { accepted, ok } from "./answer.ts";
import { post, type Route } from "./route.ts";

export const forgetfulRoutes: readonly Route[] = [
  ...intakeRoutes
    .filter(({ access }) => access === "submit")
    .map(({ host, method, path }): Route => ({ host, method, path, keys: "api", handle: () => accepted({}) })),
  // datadog-ci asks which commits Datadog has before it uploads: none.
  { ...post("/api/v2/git/repository/search_commits", () => ok({ data: [] })), keys: "api" },
];
