/**
 * The operations of GitHub's API that the stand-in has, who may ask for them and with which permission: GitHub's own table, as data.
 *
 * @see https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
 */

/** One permission, or several of which any will do. `pulls_only`: it is good for pull requests, not for plain issues. */
export type Need = { readonly permission: string; readonly access: "read" | "write"; readonly pulls_only?: true };

export type Asker =
  /** The App itself, by its signed token. */
  | "app"
  /** An installation, a job or a user's token of an App, with any of these permissions. */
  | readonly Need[]
  /** Somebody signed in. */
  | "user"
  /** Anybody who is somebody; with `nobody` even without a token. */
  | "anybody"
  | "nobody";

const read = (permission: string): Need => ({ permission, access: "read" });
const write = (permission: string): Need => ({ permission, access: "write" });
/** Comments on pull requests are comments on issues: either permission is good, `pull_requests` for pull requests alone. */
const talk = (access: "read" | "write"): readonly Need[] => [
  { permission: "issues", access },
  { permission: "pull_requests", access, pulls_only: true },
];
/** Lists of the whole repository. */
const talkEverywhere: readonly Need[] = [read("issues"), read("pull_requests")];

const R = "/repos/:owner/:repo";

export const operations = {
  "meta/root": ["GET", "/", "nobody"],
  "apps/get-authenticated": ["GET", "/app", "app"],
  "apps/create-from-manifest": ["POST", "/app-manifests/:code/conversions", "nobody"],
  "apps/list-webhook-deliveries": ["GET", "/app/hook/deliveries", "app"],
  "apps/get-webhook-delivery": ["GET", "/app/hook/deliveries/:delivery_id", "app"],
  "apps/redeliver-webhook-delivery": ["POST", "/app/hook/deliveries/:delivery_id/attempts", "app"],
  "apps/list-installations": ["GET", "/app/installations", "app"],
  "apps/create-installation-access-token": ["POST", "/app/installations/:installation_id/access_tokens", "app"],
  "apps/get-repo-installation": ["GET", `${R}/installation`, "app"],
  "teams/get-by-name": ["GET", "/orgs/:org/teams/:team_slug", [read("members")]],
  "teams/get-membership-for-user-in-org": [
    "GET",
    "/orgs/:org/teams/:team_slug/memberships/:username",
    [read("members")],
  ],
  "repos/get": ["GET", R, [read("metadata")]],
  "repos/get-collaborator-permission-level": ["GET", `${R}/collaborators/:username/permission`, [read("metadata")]],
  "repos/list-pull-requests-associated-with-commit": ["GET", `${R}/commits/:commit_sha/pulls`, [read("pull_requests")]],
  // Not `pull_requests`: whoever reads commits could read code.
  "repos/get-commit": ["GET", `${R}/commits/:ref`, [read("contents")]],
  "repos/get-content": ["GET", `${R}/contents/*`, [read("contents")]],
  "actions/get-job-for-workflow-run": ["GET", `${R}/actions/jobs/:job_id`, [read("actions")]],
  "actions/get-workflow-run": ["GET", `${R}/actions/runs/:run_id`, [read("actions")]],
  "checks/create": ["POST", `${R}/check-runs`, [write("checks")]],
  "checks/get": ["GET", `${R}/check-runs/:check_run_id`, [read("checks")]],
  "checks/update": ["PATCH", `${R}/check-runs/:check_run_id`, [write("checks")]],
  "issues/create": ["POST", `${R}/issues`, [write("issues")]],
  "issues/list-comments-for-repo": ["GET", `${R}/issues/comments`, talkEverywhere],
  "issues/get-comment": ["GET", `${R}/issues/comments/:comment_id`, talk("read")],
  "issues/update-comment": ["PATCH", `${R}/issues/comments/:comment_id`, talk("write")],
  "issues/get": ["GET", `${R}/issues/:issue_number`, [read("issues")]],
  "issues/update": ["PATCH", `${R}/issues/:issue_number`, talk("write")],
  "issues/list-comments": ["GET", `${R}/issues/:issue_number/comments`, talk("read")],
  "issues/create-comment": ["POST", `${R}/issues/:issue_number/comments`, talk("write")],
  "pulls/list": ["GET", `${R}/pulls`, [read("pull_requests")]],
  "pulls/get": ["GET", `${R}/pulls/:pull_number`, [read("pull_requests")]],
  "pulls/list-commits": ["GET", `${R}/pulls/:pull_number/commits`, [read("pull_requests")]],
  "pulls/list-files": ["GET", `${R}/pulls/:pull_number/files`, [read("pull_requests")]],
  "pulls/list-reviews": ["GET", `${R}/pulls/:pull_number/reviews`, [read("pull_requests")]],
  "pulls/create-review": ["POST", `${R}/pulls/:pull_number/reviews`, [write("pull_requests")]],
  "pulls/list-review-comments-for-repo": ["GET", `${R}/pulls/comments`, [read("pull_requests")]],
  "pulls/get-review-comment": ["GET", `${R}/pulls/comments/:comment_id`, [read("pull_requests")]],
  "pulls/update-review-comment": ["PATCH", `${R}/pulls/comments/:comment_id`, [write("pull_requests")]],
  "pulls/list-review-comments": ["GET", `${R}/pulls/:pull_number/comments`, [read("pull_requests")]],
  "pulls/create-review-comment": ["POST", `${R}/pulls/:pull_number/comments`, [write("pull_requests")]],
  "pulls/create-reply-for-review-comment": [
    "POST",
    `${R}/pulls/:pull_number/comments/:comment_id/replies`,
    [write("pull_requests")],
  ],
  "users/get-authenticated": ["GET", "/user", "user"],
  "users/get-by-username": ["GET", "/users/:username", "anybody"],
} as const satisfies Readonly<Record<string, readonly ["GET" | "POST" | "PATCH", string, Asker]>>;

export type OperationId = keyof typeof operations;

/** What everybody may read of a public repository, without any permission: GitHub says so of each. */
export const publicReads: ReadonlySet<OperationId> = new Set([
  "repos/get",
  "repos/get-commit",
  "repos/get-content",
  "repos/list-pull-requests-associated-with-commit",
  "actions/get-job-for-workflow-run",
  "actions/get-workflow-run",
  "checks/get",
  "issues/get",
  "issues/get-comment",
  "issues/list-comments",
  "issues/list-comments-for-repo",
  "pulls/get",
  "pulls/list",
  "pulls/list-commits",
  "pulls/list-files",
  "pulls/list-reviews",
  "pulls/get-review-comment",
  "pulls/list-review-comments",
  "pulls/list-review-comments-for-repo",
]);
