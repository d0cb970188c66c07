/** A repository as the API writes it: all that its full, its plain and its minimal form have. */

import { nodeId, time } from "../ids.ts";
import { fullNameOf } from "../repositories.ts";
import type { Repository } from "../state.ts";
import type { Surroundings } from "../world.ts";
import { userJson } from "./account.ts";

export const repositoryUrl = ({ apiUrl }: Pick<Surroundings, "apiUrl">, repository: Repository): string =>
  `${apiUrl}/repos/${fullNameOf(repository)}`;

export const repositoryPage = ({ url }: Pick<Surroundings, "url">, repository: Repository): string =>
  `${url}/${fullNameOf(repository)}`;

export const repositoryJson = (world: Surroundings, repository: Repository): object => {
  const { id, name, created_at, default_branch } = repository;
  const full_name = fullNameOf(repository);
  const issues = world.pulls.issues(repository).filter(({ open }) => open).length;
  const host = new URL(world.url).host;
  return {
    id,
    node_id: nodeId("Repository", id),
    name,
    full_name,
    private: repository.private,
    visibility: repository.private ? "private" : "public",
    owner: userJson(world, repository.owner),
    html_url: repositoryPage(world, repository),
    description: null,
    fork: false,
    ...addresses(repositoryUrl(world, repository)),
    git_url: `git://${host}/${full_name}.git`,
    ssh_url: `git@${host}:${full_name}.git`,
    clone_url: `${world.url}/${full_name}.git`,
    svn_url: `${world.url}/${full_name}`,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch,
    size: 1,
    topics: [],
    archived: false,
    disabled: false,
    is_template: false,
    allow_forking: true,
    web_commit_signoff_required: false,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks: 0,
    forks_count: 0,
    open_issues: issues,
    open_issues_count: issues,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    network_count: 0,
    subscribers_count: 0,
    created_at: time(created_at),
    updated_at: time(created_at),
    pushed_at: time(created_at),
  };
};

const addresses = (url: string): Record<string, string> => ({
  url,
  forks_url: `${url}/forks`,
  keys_url: `${url}/keys{/key_id}`,
  collaborators_url: `${url}/collaborators{/collaborator}`,
  teams_url: `${url}/teams`,
  hooks_url: `${url}/hooks`,
  issue_events_url: `${url}/issues/events{/number}`,
  events_url: `${url}/events`,
  assignees_url: `${url}/assignees{/user}`,
  branches_url: `${url}/branches{/branch}`,
  tags_url: `${url}/tags`,
  blobs_url: `${url}/git/blobs{/sha}`,
  git_tags_url: `${url}/git/tags{/sha}`,
  git_refs_url: `${url}/git/refs{/sha}`,
  trees_url: `${url}/git/trees{/sha}`,
  statuses_url: `${url}/statuses/{sha}`,
  languages_url: `${url}/languages`,
  stargazers_url: `${url}/stargazers`,
  contributors_url: `${url}/contributors`,
  subscribers_url: `${url}/subscribers`,
  subscription_url: `${url}/subscription`,
  commits_url: `${url}/commits{/sha}`,
  git_commits_url: `${url}/git/commits{/sha}`,
  comments_url: `${url}/comments{/number}`,
  issue_comment_url: `${url}/issues/comments{/number}`,
  contents_url: `${url}/contents/{+path}`,
  compare_url: `${url}/compare/{base}...{head}`,
  merges_url: `${url}/merges`,
  archive_url: `${url}/{archive_format}{/ref}`,
  downloads_url: `${url}/downloads`,
  issues_url: `${url}/issues{/number}`,
  pulls_url: `${url}/pulls{/number}`,
  milestones_url: `${url}/milestones{/number}`,
  notifications_url: `${url}/notifications{?since,all,participating}`,
  labels_url: `${url}/labels{/name}`,
  releases_url: `${url}/releases{/id}`,
  deployments_url: `${url}/deployments`,
});
