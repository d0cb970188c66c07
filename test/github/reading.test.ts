/** What GitHub is asked about runs, pull requests and people, and how its answers are taken. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GitHubApp } from "../../server/github/client.ts";
import { FarSide, failing, linked, of, repo, repositoryBody } from "./farSide.ts";

let far: FarSide;
let client: GitHubApp;
beforeEach(async () => {
  far = await FarSide.start();
  far.installed();
  client = far.client();
});
afterEach(async () => {
  await far.end();
});

const notFound = { status: 404, body: { message: "Not Found" } };

describe("a repository", () => {
  test("is as GitHub names it", async () => {
    expect(await client.repository(of)).toEqual({
      repository_id: "70",
      repository: "acme/checkout",
      owner: "acme",
      url: "https://github.com/acme/checkout",
    });
  });

  test("that was deleted under its token is none", async () => {
    far.on(`GET ${repo}`, notFound);
    expect(await client.repository(of)).toBeNull();
  });
});

describe("a run", () => {
  const route = `GET ${repo}/actions/runs/88`;
  const body = {
    id: 88,
    run_attempt: 2,
    head_sha: "abc",
    path: ".github/workflows/agent.yml@refs/heads/main",
    status: "in_progress",
    actor: { login: "ana" },
    triggering_actor: { login: "ben" },
    repository: { id: 70 },
    pull_requests: [
      { number: 7, base: { repo: { id: 70 } } },
      { number: 8, base: { repo: { id: 71 } } },
    ],
  };

  test("is read with its people, its commit and its pull requests in this repository", async () => {
    far.on(route, { body });
    expect(await client.run(of, "88")).toEqual({
      id: "88",
      attempt: "2",
      repository_id: "70",
      head_sha: "abc",
      workflow_path: ".github/workflows/agent.yml",
      status: "in_progress",
      actor: "ana",
      triggering_actor: "ben",
      pulls: [7],
    });
  });

  test("of a fork has no pull requests, and may have no people", async () => {
    far.on(route, { strange: true, body: { ...body, pull_requests: null, actor: null, triggering_actor: undefined } });
    expect(await client.run(of, "88")).toMatchObject({ pulls: [], actor: null, triggering_actor: null });
  });

  test("that is not there is none; what is no run's id is not asked about", async () => {
    expect(await client.run(of, "89")).toBeNull();
    far.asked.length = 0;
    for (const id of ["", "abc", "8/../9", "1e3", "-1"]) expect(await client.run(of, id)).toBeNull();
    expect(far.asked).toEqual([]);
  });

  test("that may not be read is refused with the permission it takes", async () => {
    const accepted = { "x-accepted-github-permissions": "actions=read" };
    far.on(route, { status: 403, headers: accepted, body: { message: "Resource not accessible by integration" } });
    expect(await failing(client.run(of, "88"))).toMatchObject({
      kind: "refused",
      message:
        "GitHub refused (403 'Resource not accessible by integration') to read run 88 of 'acme/checkout': the App needs the permission actions: read, granted where it is installed",
    });
  });
});

describe("a pull request", () => {
  const body = {
    number: 7,
    html_url: "https://github.com/acme/checkout/pull/7",
    state: "open",
    head: { sha: "abc" },
    user: { login: "ana" },
    base: { repo: { id: 70 } },
  };
  const read = {
    number: 7,
    url: "https://github.com/acme/checkout/pull/7",
    open: true,
    head_sha: "abc",
    author: "ana",
    repository_id: "70",
  };

  test("is read", async () => {
    far.on(`GET ${repo}/pulls/7`, { body });
    expect(await client.pull(of, 7)).toEqual(read);
  });

  test("that was closed is not open; of an account that is gone it has no author", async () => {
    far.on(`GET ${repo}/pulls/7`, { strange: true, body: { ...body, state: "closed", user: null } });
    expect(await client.pull(of, 7)).toEqual({ ...read, open: false, author: null });
  });

  test("is found by the commit at its head, when it is open", async () => {
    far.on(`GET ${repo}/commits/abc/pulls`, {
      body: [body, { ...body, number: 8, state: "closed" }, { ...body, number: 9, head: { sha: "abd" } }],
    });
    expect(await client.pullsWith(of, "abc")).toEqual([read]);
    expect(await client.pullsWith(of, "none")).toEqual([]);
  });

  test("has at most 300 files, in GitHub's order, page by page", async () => {
    const path = `${repo}/pulls/7/files`;
    far.on(`GET ${path}`, ({ query }) => {
      const page = Number(query["page"] ?? "1");
      return {
        headers: linked(far, path, `page=${page + 1}`),
        body: [{ filename: `${page}/a b.ts` }, { filename: `${page}/c.ts` }],
      };
    });
    expect(await client.changedFiles(of, 7)).toEqual([
      "1/a b.ts",
      "1/c.ts",
      "2/a b.ts",
      "2/c.ts",
      "3/a b.ts",
      "3/c.ts",
    ]);
    expect(far.find(`GET ${path}`).map(({ query }) => query)).toEqual([
      { per_page: "100" },
      { per_page: "100", page: "2" },
      { per_page: "100", page: "3" },
    ]);
  });

  test("has the people of its last commit, told as one of its own: no permission to read code is needed", async () => {
    const path = `${repo}/pulls/7/commits`;
    const made = (sha: string, author: string | null, committer: string | null) => ({
      sha,
      author: author === null ? null : { login: author },
      committer: committer === null ? null : { login: committer },
    });
    far.on(`GET ${path}`, ({ query }) =>
      query["page"] === undefined
        ? { strange: true, headers: linked(far, path, "page=2"), body: [made("old", "eve", "eve")] }
        : { strange: true, body: [made("mid", "eve", null), made("abc", "ana", "ben")] },
    );
    expect(await client.headCommitters(of, { number: 7, head_sha: "abc" })).toEqual(["ana", "ben"]);
    expect(await client.headCommitters(of, { number: 7, head_sha: "mid" })).toEqual(["eve"]);
    expect(far.routes().filter((route) => route.startsWith(`GET ${repo}/commits/`))).toEqual([]);
  });

  test("whose last commit is not listed is asked about by its commit; where nobody tells, that is no answer", async () => {
    far.on(`GET ${repo}/pulls/7/commits`, { strange: true, body: [] });
    far.on(`GET ${repo}/commits/abc`, { body: { author: { login: "ana" }, committer: null } });
    const head = { number: 7, head_sha: "abc" };
    expect(await client.headCommitters(of, head)).toEqual(["ana"]);
    far.on(`GET ${repo}/commits/abc`, { body: { author: null, committer: null } });
    expect(await failing(client.headCommitters(of, head))).toMatchObject({
      kind: "refused",
      message: "GitHub does not tell who made the commit 'abc', the last of pull request 7 of 'acme/checkout'",
    });
  });

  test("has the people who made its last commit, once each", async () => {
    const made = `GET ${repo}/commits/abc`;
    far.on(made, { body: { author: { login: "ana" }, committer: { login: "ben" } } });
    expect(await client.committers(of, "abc")).toEqual(["ana", "ben"]);
    far.on(made, { body: { author: { login: "ana" }, committer: { login: "ana" } } });
    expect(await client.committers(of, "abc")).toEqual(["ana"]);
    far.on(made, { body: { author: null, committer: null } });
    expect(await client.committers(of, "abc")).toEqual([]);
    far.on(made, {
      status: 403,
      headers: { "x-accepted-github-permissions": "contents=read" },
      body: { message: "Resource not accessible by integration" },
    });
    expect((await failing(client.committers(of, "abc"))).message).toContain(
      "the App needs the permission contents: read",
    );
  });
});

describe("an account", () => {
  test("is looked up, and none is none", async () => {
    far.on("GET /users/ana", { body: { login: "ana", id: 11, type: "User" } });
    expect(await client.account(of, "ana")).toEqual({ login: "ana", id: 11, type: "User" });
    expect(await client.account(of, "nobody")).toBeNull();
  });

  test("of an App has brackets in its name", async () => {
    far.on("GET /users/dependabot%5Bbot%5D", { body: { login: "dependabot[bot]", id: 12, type: "Bot" } });
    expect(await client.account(of, "dependabot[bot]")).toMatchObject({ type: "Bot" });
  });

  test.for(["", "..", ".", "ana/ben", "ana?x", "ana#", "ana ben", "an\u0430", "%2e%2e", "[bot]", "a".repeat(101)])(
    "cannot be called %j: GitHub is not asked, and it may do nothing",
    async (login) => {
      expect(await client.account(of, login)).toBeNull();
      expect(await client.access(of, login)).toEqual({ permission: "none", role: null });
      expect(await client.isMember(of, "sre", login)).toBe(false);
      expect(far.asked).toEqual([]);
    },
  );
});

describe("what an account may do", () => {
  const route = `GET ${repo}/collaborators/ana/permission`;
  const flags = { pull: true, triage: false, push: false, maintain: false, admin: false };
  const told = (permission: string, role_name: string, more: object = {}) =>
    far.on(route, { body: { permission, role_name, user: { login: "ana", permissions: { ...flags, ...more } } } });

  test.for([
    ["admin", "admin", {}, "admin"],
    ["write", "maintain", { push: true, triage: true, maintain: true }, "maintain"],
    ["write", "write", { push: true, triage: true }, "write"],
    ["read", "triage", { triage: true }, "triage"],
    ["read", "read", {}, "read"],
    ["none", "none", {}, "none"],
    // Custom roles: GitHub's flags say what lies below them.
    ["write", "release-captain", { push: true, triage: true, maintain: true }, "maintain"],
    ["write", "deployer", { push: true, triage: true }, "write"],
    ["read", "support", { triage: true }, "triage"],
    ["read", "observer", {}, "read"],
    // A role's name alone never makes more of it than GitHub's word.
    ["read", "admin", { admin: true, maintain: true, push: true }, "read"],
    ["read", "maintain", {}, "read"],
    ["none", "write", { push: true }, "none"],
    ["owner", "owner", { admin: true }, "none"],
  ] as const)("%s by the role %s is what GitHub says of it", async ([permission, role, more, expected]) => {
    told(permission, role, more);
    expect(await client.access(of, "ana")).toEqual({ permission: expected, role });
  });

  test("is nothing for whom GitHub does not know there", async () => {
    expect(await client.access(of, "ana")).toEqual({ permission: "none", role: null });
  });

  test("is nothing when the answer is about nobody, or about somebody else", async () => {
    far.on(route, { body: { permission: "admin", role_name: "admin", user: null } });
    expect(await client.access(of, "ana")).toEqual({ permission: "none", role: null });
    far.on(route, { body: { permission: "admin", role_name: "admin", user: { login: "ben" } } });
    expect(await client.access(of, "ana")).toEqual({ permission: "none", role: null });
  });

  test("is asked every time, with a conditional look at whose name it is", async () => {
    told("write", "write", { push: true });
    far.on(`GET ${repo}`, ({ headers }) =>
      headers["if-none-match"] === '"repo"' ? { status: 304 } : { headers: { etag: '"repo"' }, body: repositoryBody },
    );
    await client.access(of, "ana");
    told("none", "none");
    expect(await client.access(of, "ana")).toMatchObject({ permission: "none" });
    expect(far.find(`GET ${repo}`).map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"repo"']);
  });

  test("in a capital letter's place is the same account", async () => {
    far.on(`GET ${repo}/collaborators/Ana/permission`, {
      body: { permission: "write", role_name: "write", user: { login: "ana" } },
    });
    expect(await client.access(of, "Ana")).toEqual({ permission: "write", role: "write" });
  });
});

describe("a member of a team", () => {
  const route = "GET /orgs/acme/teams/sre/memberships/ana";

  test("is active: an invited one is none yet", async () => {
    far.on(route, { body: { state: "active" } });
    expect(await client.isMember(of, "sre", "ana")).toBe(true);
    far.on(route, { body: { state: "pending" } });
    expect(await client.isMember(of, "sre", "ana")).toBe(false);
  });

  test("is known to GitHub, and the team too", async () => {
    expect(await client.isMember(of, "sre", "ana")).toBe(false);
    for (const team of ["", "..", "a/b", "a b", "a?b"]) expect(await client.isMember(of, team, "ana")).toBe(false);
    expect(far.find(route)).toHaveLength(1);
  });
});

describe("a comment", () => {
  const comment = {
    id: 501,
    user: { login: "ana", id: 11, type: "User" },
    body: "/approve ABC123",
    created_at: "2026-01-02T03:04:05Z",
    updated_at: "2026-01-02T03:04:06Z",
    html_url: "https://github.com/acme/checkout/pull/7#discussion_r501",
  };
  const read = {
    id: 501,
    author: "ana",
    author_id: 11,
    body: "/approve ABC123",
    created_at: "2026-01-02T03:04:05Z",
    updated_at: "2026-01-02T03:04:06Z",
    url: comment.html_url,
    number: 7,
  };

  test("of a review's thread is read with what it answers", async () => {
    const pull_request_url = "https://api.github.com/repos/acme/checkout/pulls/7";
    far.on(`GET ${repo}/pulls/comments/501`, { body: { ...comment, in_reply_to_id: 500, pull_request_url } });
    expect(await client.comment(of, "review_comment", 501)).toEqual({ ...read, in_reply_to: 500 });
  });

  test.for(["comment", "issue"] as const)("on a timeline is read (%s)", async (kind) => {
    const issue_url = "https://api.github.com/repos/acme/checkout/issues/7";
    far.on(`GET ${repo}/issues/comments/501`, { body: { ...comment, issue_url } });
    expect(await client.comment(of, kind, 501)).toEqual({ ...read, in_reply_to: null });
  });

  test("that was deleted is none", async () => {
    expect(await client.comment(of, "review_comment", 501)).toBeNull();
  });
});
