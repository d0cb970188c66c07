/** Every operation the stand-in has: who may ask for it, who may not, and that what it answers is what GitHub says it answers. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OperationId, operations } from "../../../server/demo/github/api/operations.ts";
import { fullNameOf } from "../../../server/demo/github/repositories.ts";
import type { CheckRun, Issue, IssueComment, Permissions, ReviewComment } from "../../../server/demo/github/state.ts";
import { githubSpecMissing, openGitHubSpec } from "../../standins/githubSpec.ts";
import { Acme, workflow } from "./acme.ts";

let acme: Acme;
let thread: ReviewComment;
let comment: IssueComment;
let issue: Issue;
let check: CheckRun;
beforeAll(async () => {
  acme = await Acme.open();
  const { github, pull, checkout, app } = acme;
  thread = github.as("mona").startThread(pull, workflow, "Why?");
  comment = github.as("mona").comment(pull, "Hello");
  issue = github.pulls.openIssue(checkout, { author: "mona", title: "A question" });
  check = github.checks.create(checkout, { app, name: "ours", head_sha: pull.head_sha });
  github.accounts.addTeam("acme", "sre", ["mona"]);
  await github.deliveries.settled();
});
afterAll(() => acme.close());

type Request = { readonly path: string; readonly body?: unknown; readonly status?: number };

const repo = (): string => `/repos/${fullNameOf(acme.checkout)}`;

/** A good request for each. */
const requests: Readonly<Record<OperationId, () => Request>> = {
  "meta/root": () => ({ path: "/" }),
  "apps/get-authenticated": () => ({ path: "/app" }),
  "apps/create-from-manifest": () => ({ path: "/app-manifests/unknown/conversions", status: 404 }),
  "apps/list-webhook-deliveries": () => ({ path: "/app/hook/deliveries" }),
  "apps/get-webhook-delivery": () => ({ path: `/app/hook/deliveries/${acme.github.deliveries.all[0]?.id}` }),
  "apps/redeliver-webhook-delivery": () => ({
    path: `/app/hook/deliveries/${acme.github.deliveries.all[0]?.id}/attempts`,
    status: 202,
  }),
  "apps/list-installations": () => ({ path: "/app/installations" }),
  "apps/create-installation-access-token": () => ({
    path: `/app/installations/${acme.installation.id}/access_tokens`,
    body: { repository_ids: [70], permissions: { checks: "write" } },
    status: 201,
  }),
  "apps/get-repo-installation": () => ({ path: `${repo()}/installation` }),
  "teams/get-by-name": () => ({ path: "/orgs/acme/teams/sre" }),
  "teams/get-membership-for-user-in-org": () => ({ path: "/orgs/acme/teams/sre/memberships/mona" }),
  "repos/get": () => ({ path: repo() }),
  "repos/get-collaborator-permission-level": () => ({ path: `${repo()}/collaborators/mona/permission` }),
  "repos/list-pull-requests-associated-with-commit": () => ({ path: `${repo()}/commits/${acme.pull.head_sha}/pulls` }),
  "repos/get-commit": () => ({ path: `${repo()}/commits/${acme.pull.head_sha}` }),
  "repos/get-content": () => ({ path: `${repo()}/contents/README.md` }),
  "actions/get-job-for-workflow-run": () => ({ path: `${repo()}/actions/jobs/${acme.run.jobs[0]?.id}` }),
  "actions/get-workflow-run": () => ({ path: `${repo()}/actions/runs/9001` }),
  "checks/create": () => ({
    path: `${repo()}/check-runs`,
    body: {
      name: "Dogwatch",
      head_sha: acme.pull.head_sha,
      external_id: "1",
      details_url: "http://127.0.0.1:8080/approvals/1",
      conclusion: "action_required",
      output: { title: "Delete monitor 1", summary: "Somebody asks", text: "All of it" },
      actions: [{ label: "Approve", description: "Let it pass", identifier: "approve:K7M2Q9XZ" }],
    },
    status: 201,
  }),
  "checks/get": () => ({ path: `${repo()}/check-runs/${check.id}` }),
  "checks/update": () => ({ path: `${repo()}/check-runs/${check.id}`, body: { conclusion: "success", actions: [] } }),
  "issues/create": () => ({ path: `${repo()}/issues`, body: { title: "Delete monitor 1", body: "?" }, status: 201 }),
  "issues/list-comments-for-repo": () => ({ path: `${repo()}/issues/comments?since=2026-01-01T00:00:00Z` }),
  "issues/get-comment": () => ({ path: `${repo()}/issues/comments/${comment.id}` }),
  "issues/update-comment": () => ({ path: `${repo()}/issues/comments/${comment.id}`, body: { body: "Hello again" } }),
  "issues/get": () => ({ path: `${repo()}/issues/${issue.number}` }),
  "issues/update": () => ({ path: `${repo()}/issues/7`, body: { title: "A better title" } }),
  "issues/list-comments": () => ({ path: `${repo()}/issues/7/comments` }),
  "issues/create-comment": () => ({ path: `${repo()}/issues/7/comments`, body: { body: "I ask" }, status: 201 }),
  "pulls/list": () => ({ path: `${repo()}/pulls?state=all&head=acme:change` }),
  "pulls/get": () => ({ path: `${repo()}/pulls/7` }),
  "pulls/list-commits": () => ({ path: `${repo()}/pulls/7/commits` }),
  "pulls/list-files": () => ({ path: `${repo()}/pulls/7/files` }),
  "pulls/list-reviews": () => ({ path: `${repo()}/pulls/7/reviews` }),
  "pulls/create-review": () => ({ path: `${repo()}/pulls/7/reviews`, body: { event: "COMMENT", body: "Seen" } }),
  "pulls/list-review-comments-for-repo": () => ({ path: `${repo()}/pulls/comments?sort=updated&direction=desc` }),
  "pulls/get-review-comment": () => ({ path: `${repo()}/pulls/comments/${thread.id}` }),
  "pulls/update-review-comment": () => ({ path: `${repo()}/pulls/comments/${thread.id}`, body: { body: "Why not?" } }),
  "pulls/list-review-comments": () => ({ path: `${repo()}/pulls/7/comments` }),
  "pulls/create-review-comment": () => ({
    path: `${repo()}/pulls/7/comments`,
    body: { commit_id: acme.pull.head_sha, path: workflow, subject_type: "file", body: "I ask" },
    status: 201,
  }),
  "pulls/create-reply-for-review-comment": () => ({
    path: `${repo()}/pulls/7/comments/${thread.id}/replies`,
    body: { body: "Because" },
    status: 201,
  }),
  "users/get-authenticated": () => ({ path: "/user" }),
  "users/get-by-username": () => ({ path: "/users/mona" }),
};

const everything: Permissions = {
  metadata: "read",
  pull_requests: "write",
  checks: "write",
  actions: "read",
  issues: "write",
  members: "read",
  contents: "read",
};

const all = Object.keys(operations) as OperationId[];

const asking = async (id: OperationId, token?: string) => {
  const { path, body } = requests[id]();
  return acme.ask(operations[id][0], path, { ...(token === undefined ? {} : { token }), body });
};

const tokenWith = (permissions: Permissions): string => acme.github.apps.token(acme.installation, { permissions });

describe("each operation answers who may ask", () => {
  test.for(all)("%s", async (id) => {
    const asker = operations[id][2];
    const { token: user } = acme.github.visitors.token(acme.github.accounts.named("mona"), acme.app);
    const token = asker === "app" ? await acme.jwt() : asker === "user" ? user : tokenWith(everything);
    const answer = await asking(id, token);
    expect(answer.status, JSON.stringify(answer.body)).toBe(requests[id]().status ?? 200);
    expect(acme.github.requests.at(-1)?.operation).toBe(id);
    expect(acme.findings.splice(0)).toEqual([]);
  });
});

describe("each operation is refused", () => {
  test.for(all.filter((id) => Array.isArray(operations[id][2])))("without its permission: %s", async (id) => {
    const needs = operations[id][2] as readonly { permission: string; access: string }[];
    const lacking = Object.fromEntries(
      Object.entries(everything).filter(([name]) => needs.every(({ permission }) => permission !== name)),
    ) as Permissions;
    const answer = await asking(id, tokenWith(lacking));
    expect(answer).toMatchObject({ status: 403, body: { message: "Resource not accessible by integration" } });
    expect(answer.headers.get("x-accepted-github-permissions")).toContain(needs[0]?.permission);
  });

  test.for(all.filter((id) => (operations[id][2] as readonly { access?: string }[])[0]?.access === "write"))(
    "with the permission to read only: %s",
    async (id) => {
      const reading = Object.fromEntries(Object.keys(everything).map((name) => [name, "read"])) as Permissions;
      expect(await asking(id, tokenWith(reading))).toMatchObject({ status: 403 });
    },
  );

  test.for(all.filter((id) => operations[id][2] !== "nobody"))("to nobody: %s", async (id) => {
    expect((await asking(id)).status).toBeOneOf([401, 404]);
  });

  test.for(all.filter((id) => operations[id][2] !== "nobody"))("with a token that is none: %s", async (id) => {
    expect(await asking(id, "ghs_invented")).toMatchObject({ status: 401, body: { message: "Bad credentials" } });
  });

  test.for(all.filter((id) => Array.isArray(operations[id][2])))("to the App's own token: %s", async (id) => {
    expect((await asking(id, await acme.jwt())).status).toBe(401);
  });

  test.for(all.filter((id) => operations[id][2] === "app"))("to an installation's token: %s", async (id) => {
    expect((await asking(id, acme.token())).status).toBe(401);
  });
});

describe("the App that Dogwatch asks for", () => {
  test("has these permissions, and what it may not is refused", async () => {
    expect(acme.app.permissions).toEqual({
      metadata: "read",
      pull_requests: "write",
      checks: "write",
      actions: "read",
      issues: "read",
      members: "read",
    });
    for (const id of ["repos/get-commit", "repos/get-content", "issues/create"] as const)
      expect(await asking(id, acme.token()), id).toMatchObject({ status: 403 });
  });

  test("may comment on pull requests, not on issues", async () => {
    const on = (number: number) =>
      acme.ask("POST", `${repo()}/issues/${number}/comments`, { token: acme.token(), body: { body: "?" } });
    expect((await on(7)).status).toBe(201);
    expect((await on(issue.number)).status).toBe(403);
  });
});

test("what it answers is held against GitHub's own description", ({ skip }) => {
  skip(openGitHubSpec() === null, githubSpecMissing);
  const answered = acme.github.requests.filter(({ status }) => status < 300).map(({ operation }) => operation);
  expect(all.filter((id) => !answered.includes(id))).toEqual(["apps/create-from-manifest"]);
});

test("what is none of the operations is not there", async () => {
  for (const path of ["/repos/acme/checkout/git/refs", "/rate_limit", "/repos/acme", "/graphql"])
    expect((await acme.ask("GET", path, { token: acme.token() })).status, path).toBe(404);
  expect((await acme.ask("DELETE", repo(), { token: acme.token() })).status).toBe(404);
  // They are not in the description either.
  expect(acme.findings.splice(0)).toHaveLength(openGitHubSpec() === null ? 0 : 5);
});
