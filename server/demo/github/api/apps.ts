/** Apps, their installations and tokens. */

import { z } from "zod";
import { covers } from "../apps.ts";
import { time } from "../ids.ts";
import { appJson, installationInListJson, installationJson } from "../json/app.ts";
import { repositoryJson } from "../json/repository.ts";
import type { Installation, Permissions, Repository } from "../state.ts";
import type { World } from "../world.ts";
import { anywhere, inRepository } from "./handler.ts";
import type { OperationId } from "./operations.ts";
import { paged } from "./pages.ts";
import { type Call, type Reply, notFound, ok, refusal } from "./reply.ts";

export const appHandlers = {
  "apps/get-authenticated": anywhere(({ world, caller }) =>
    caller.kind === "app"
      ? ok({ ...appJson(world, caller.app), installations_count: world.apps.installations(caller.app).length })
      : notFound,
  ),
  "apps/list-installations": anywhere((call) =>
    paged(call, ownInstallations(call), (installation) => installationInListJson(call.world, installation)),
  ),
  "apps/get-repo-installation": inRepository((call) => {
    const found = ownInstallations(call).find((installation) => covers(installation, call.repository));
    return found === undefined ? notFound : ok(installationJson(call.world, found));
  }),
  "apps/create-installation-access-token": anywhere((call) => {
    const id = Number(call.params["installation_id"]);
    const installation = ownInstallations(call).find((each) => each.id === id);
    return installation === undefined ? notFound : createToken(call, installation);
  }),
  "apps/create-from-manifest": anywhere(async ({ world, visitors, params }) => {
    const made = visitors.takeManifest(params["code"] ?? "");
    if (made === null) return notFound;
    const app = await world.apps.register(made.app);
    const { client_id, client_secret, webhook_secret, pem } = app;
    const secrets = { client_id, client_secret, webhook_secret: made.hasWebhook ? webhook_secret : null, pem };
    return { status: 201, body: { ...appJson(world, app), ...secrets } };
  }),
} as const satisfies Partial<Record<OperationId, unknown>>;

const ownInstallations = ({ world, caller }: Call): readonly Installation[] =>
  caller.kind === "app" ? world.apps.installations(caller.app) : [];

const tokenRequest = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.int()).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write"])).optional(),
});

/** @see https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app */
function createToken({ world, body }: Call, installation: Installation): Reply {
  if (installation.suspended_at !== null) return refusal(403, "This installation has been suspended");
  const asked = tokenRequest.safeParse(body ?? {});
  if (!asked.success) return refusal(422, "Invalid request.");
  const wanted = wantedRepositories(world, installation, asked.data);
  if (wanted === "unknown")
    return refusal(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  const permissions: Permissions = { ...(asked.data.permissions ?? installation.permissions) };
  if (!isWithin(permissions, installation.permissions))
    return refusal(422, "The permissions requested are not granted to this installation.");
  const granted: Permissions = { metadata: "read", ...permissions };
  const token = world.apps.token(installation, {
    permissions: granted,
    repositories: wanted === null ? null : new Set(wanted.map(({ id }) => id)),
  });
  const expires_at = world.apps.byToken(token)?.expires_at ?? world.clock();
  return {
    status: 201,
    body: {
      token,
      expires_at: time(expires_at),
      permissions: granted,
      repository_selection: wanted === null && installation.repositories === null ? "all" : "selected",
      ...(wanted === null ? {} : { repositories: wanted.map((repository) => repositoryJson(world, repository)) }),
    },
  };
}

/** Null: all of them. */
function wantedRepositories(
  { repositories }: World,
  installation: Installation,
  asked: z.output<typeof tokenRequest>,
): readonly Repository[] | null | "unknown" {
  const { repositories: names, repository_ids: ids } = asked;
  if (names === undefined && ids === undefined) return null;
  const owned = repositories.of(installation.account).filter((repository) => covers(installation, repository));
  const found = [
    ...(names ?? []).map((name) => owned.find((repository) => repository.name.toLowerCase() === name.toLowerCase())),
    ...(ids ?? []).map((id) => owned.find((repository) => repository.id === id)),
  ];
  const known = found.filter((repository) => repository !== undefined);
  return known.length === found.length ? known : "unknown";
}

const isWithin = (asked: Permissions, granted: Permissions): boolean =>
  Object.entries(asked).every(
    ([permission, access]) => granted[permission] === "write" || granted[permission] === access,
  );
