/** Accounts and teams as the API writes them. */

import { nodeId, time } from "../ids.ts";
import type { Account, Permit, Team } from "../state.ts";
import type { Surroundings } from "../world.ts";

export const userJson = ({ url: web, apiUrl }: Surroundings, { id, login, type }: Account): object => {
  const url = `${apiUrl}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `${web}/avatars/u/${id}`,
    gravatar_id: "",
    url,
    html_url: `${web}/${type === "Bot" ? `apps/${login.replace("[bot]", "")}` : login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    user_view_type: "public",
    site_admin: false,
  };
};

export const profileJson = (world: Surroundings, account: Account): object => ({
  ...userJson(world, account),
  name: null,
  company: null,
  blog: "",
  location: null,
  email: null,
  hireable: null,
  bio: null,
  twitter_username: null,
  public_repos: 0,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: time(account.created_at),
  updated_at: time(account.created_at),
});

/** What `maintain` and `triage` are in the older words, beside the name of the role itself. */
const olderWords = { none: "none", read: "read", triage: "read", write: "write", maintain: "write", admin: "admin" };

/** @see https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user */
export const permissionJson = (world: Surroundings, account: Account, { role, role_name }: Permit): object => {
  const among = (...roles: readonly string[]): boolean => roles.includes(role);
  return {
    permission: olderWords[role],
    role_name,
    user: {
      ...userJson(world, account),
      role_name,
      permissions: {
        pull: !among("none"),
        triage: among("triage", "write", "maintain", "admin"),
        push: among("write", "maintain", "admin"),
        maintain: among("maintain", "admin"),
        admin: among("admin"),
      },
    },
  };
};

export const teamJson = (world: Surroundings, { id, slug, organization, created_at, members }: Team): object => {
  const url = `${world.apiUrl}/organizations/${organization.id}/team/${id}`;
  return {
    id,
    node_id: nodeId("Team", id),
    url,
    html_url: `${world.url}/orgs/${organization.login}/teams/${slug}`,
    name: slug,
    slug,
    description: null,
    privacy: "closed",
    notification_setting: "notifications_enabled",
    permission: "pull",
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    parent: null,
    type: "organization",
    organization_id: organization.id,
    members_count: [...members.values()].filter((state) => state === "active").length,
    repos_count: 0,
    created_at: time(created_at),
    updated_at: time(created_at),
    organization: organizationJson(world, organization),
  };
};

export const membershipJson = ({ apiUrl }: Surroundings, team: Team, account: Account): object => ({
  url: `${apiUrl}/organizations/${team.organization.id}/team/${team.id}/memberships/${account.login}`,
  role: "member",
  state: team.members.get(account.id),
});

const organizationJson = ({ url: web, apiUrl, repositories }: Surroundings, organization: Account): object => {
  const { login, id, created_at } = organization;
  const url = `${apiUrl}/orgs/${login}`;
  return {
    login,
    id,
    node_id: nodeId("Organization", id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${web}/avatars/u/${id}`,
    description: null,
    html_url: `${web}/${login}`,
    has_organization_projects: true,
    has_repository_projects: true,
    public_repos: repositories.of(organization).filter((repository) => !repository.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    type: "Organization",
    created_at: time(created_at),
    updated_at: time(created_at),
    archived_at: null,
  };
};
