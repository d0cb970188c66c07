/** Apps and their installations as the API writes them. */

import { nodeId, time } from "../ids.ts";
import type { App, Installation } from "../state.ts";
import type { Surroundings } from "../world.ts";
import { userJson } from "./account.ts";

export const appJson = (world: Surroundings, app: App): object => ({
  id: app.id,
  slug: app.slug,
  node_id: nodeId("App", app.id),
  client_id: app.client_id,
  owner: userJson(world, app.owner),
  name: app.name,
  description: null,
  external_url: app.external_url,
  html_url: `${world.url}/apps/${app.slug}`,
  created_at: time(app.created_at),
  updated_at: time(app.created_at),
  permissions: app.permissions,
  events: app.events,
});

export const installationJson = (world: Surroundings, installation: Installation): object => {
  const { id, app, account, repositories, permissions, created_at, suspended_at } = installation;
  const settings = account.type === "Organization" ? `organizations/${account.login}/settings` : "settings";
  return {
    id,
    account: userJson(world, account),
    repository_selection: repositories === null ? "all" : "selected",
    access_tokens_url: `${world.apiUrl}/app/installations/${id}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.url}/${settings}/installations/${id}`,
    app_id: app.id,
    client_id: app.client_id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions,
    events: app.events,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    created_at: time(created_at),
    updated_at: time(created_at),
    suspended_by: suspended_at === null ? null : userJson(world, account),
    suspended_at: suspended_at === null ? null : time(suspended_at),
  };
};

/** In a list, GitHub's description wants an account to have what an enterprise has as well. */
export const installationInListJson = (world: Surroundings, installation: Installation): object => {
  const { login, created_at } = installation.account;
  return {
    ...installationJson(world, installation),
    account: {
      ...userJson(world, installation.account),
      name: login,
      slug: login,
      created_at: time(created_at),
      updated_at: time(created_at),
    },
  };
};
