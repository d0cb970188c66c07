/** Repositories, commits, contents, accounts and teams, to read. */

import { membershipJson, permissionJson, profileJson, teamJson } from "../json/account.ts";
import { commitJson, pullInListJson } from "../json/pull.ts";
import { repositoryJson, repositoryPage, repositoryUrl } from "../json/repository.ts";
import type { Team } from "../state.ts";
import { createHash } from "node:crypto";
import { anywhere, inRepository } from "./handler.ts";
import type { OperationId } from "./operations.ts";
import { paged } from "./pages.ts";
import { type Call, type Reply, type RepositoryCall, notFound, ok, refusal } from "./reply.ts";

export const repositoryHandlers = {
  "repos/get": inRepository(({ world, repository }) => ok(repositoryJson(world, repository))),
  "repos/get-collaborator-permission-level": inRepository(({ world, repository, params }) => {
    const account = world.accounts.find(params["username"] ?? "");
    if (account === null || account.type === "Organization") return notFound;
    return ok(permissionJson(world, account, world.repositories.permitOf(repository, account)));
  }),
  "repos/get-commit": inRepository(({ world, repository, params }) => {
    const commit = world.pulls.commit(repository, params["ref"] ?? "");
    return commit === null ? noCommit(params["ref"]) : ok(commitJson(world, repository, commit));
  }),
  "repos/list-pull-requests-associated-with-commit": inRepository((call) => {
    const { world, repository, params } = call;
    const sha = params["commit_sha"] ?? "";
    if (world.pulls.commit(repository, sha) === null) return noCommit(sha);
    const pulls = world.pulls.in(repository).filter((pull) => (pull.open || pull.merged) && pull.commits.includes(sha));
    return paged(call, pulls, (pull) => pullInListJson(world, pull));
  }),
  "repos/get-content": inRepository((call) => contentOf(call)),
  "users/get-authenticated": anywhere(({ world, caller }) =>
    caller.kind === "user" ? ok(profileJson(world, caller.account)) : notFound,
  ),
  "users/get-by-username": anywhere(({ world, params }) => {
    const account = world.accounts.find(params["username"] ?? "");
    return account === null ? notFound : ok(profileJson(world, account));
  }),
  "teams/get-by-name": anywhere((call) => {
    const team = teamOf(call);
    return team === null ? notFound : ok(teamJson(call.world, team));
  }),
  "teams/get-membership-for-user-in-org": anywhere((call) => {
    const team = teamOf(call);
    const account = call.world.accounts.find(call.params["username"] ?? "");
    if (team === null || account === null || !team.members.has(account.id)) return notFound;
    return ok(membershipJson(call.world, team, account));
  }),
  "meta/root": anywhere(({ world }) => ok(rootOf(world.apiUrl))),
} as const satisfies Partial<Record<OperationId, unknown>>;

const noCommit = (sha = ""): Reply => refusal(422, `No commit found for SHA: ${sha}`);

/** An installation sees the teams of its own organization. */
function teamOf({ world, caller, params }: Call): Team | null {
  const team = world.accounts.team(params["org"] ?? "", params["team_slug"] ?? "");
  const isOwn = caller.kind === "installation" && caller.installation.account.id === team?.organization.id;
  return isOwn ? team : null;
}

function contentOf({ world, repository, params }: RepositoryCall): Reply {
  const path = params["*"] ?? "";
  const text = repository.files.get(path);
  if (text === undefined) return notFound;
  const url = `${repositoryUrl(world, repository)}/contents/${path}`;
  const page = `${repositoryPage(world, repository)}/blob/${repository.default_branch}/${path}`;
  const sha = createHash("sha1")
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest("hex");
  const git = `${repositoryUrl(world, repository)}/git/blobs/${sha}`;
  return ok({
    type: "file",
    encoding: "base64",
    size: Buffer.byteLength(text),
    name: path.split("/").at(-1),
    path,
    content: Buffer.from(text).toString("base64"),
    sha,
    url,
    git_url: git,
    html_url: page,
    download_url: page,
    _links: { git, self: url, html: page },
  });
}

/** @see https://docs.github.com/en/rest/meta/meta#github-api-root */
function rootOf(api: string): object {
  const paths = {
    current_user_url: "/user",
    current_user_authorizations_html_url: "/settings/connections/applications{/client_id}",
    authorizations_url: "/authorizations",
    code_search_url: "/search/code?q={query}{&page,per_page,sort,order}",
    commit_search_url: "/search/commits?q={query}{&page,per_page,sort,order}",
    emails_url: "/user/emails",
    emojis_url: "/emojis",
    events_url: "/events",
    feeds_url: "/feeds",
    followers_url: "/user/followers",
    following_url: "/user/following{/target}",
    gists_url: "/gists{/gist_id}",
    issue_search_url: "/search/issues?q={query}{&page,per_page,sort,order}",
    issues_url: "/issues",
    keys_url: "/user/keys",
    label_search_url: "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
    notifications_url: "/notifications",
    organization_url: "/orgs/{org}",
    organization_repositories_url: "/orgs/{org}/repos{?type,page,per_page,sort}",
    organization_teams_url: "/orgs/{org}/teams",
    public_gists_url: "/gists/public",
    rate_limit_url: "/rate_limit",
    repository_url: "/repos/{owner}/{repo}",
    repository_search_url: "/search/repositories?q={query}{&page,per_page,sort,order}",
    current_user_repositories_url: "/user/repos{?type,page,per_page,sort}",
    starred_url: "/user/starred{/owner}{/repo}",
    starred_gists_url: "/gists/starred",
    user_url: "/users/{user}",
    user_organizations_url: "/user/orgs",
    user_repositories_url: "/users/{user}/repos{?type,page,per_page,sort}",
    user_search_url: "/search/users?q={query}{&page,per_page,sort,order}",
  };
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, `${api}${path}`]));
}
