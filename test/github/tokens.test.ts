/** Whose token asks what: the App's own, and one for each repository by its id, with no more than is needed. */

import { createPublicKey } from "node:crypto";
import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../server/model/connection.ts";
import { githubSpecMissing } from "../standins/githubSpec.ts";
import { allPermissions, appId, FarSide, failing, key, of, repo, repositoryBody, spec } from "./farSide.ts";

let far: FarSide;
beforeEach(async () => {
  far = await FarSide.start();
});
afterEach(async () => {
  await far.end();
});

const mints = "POST /app/installations/9/access_tokens";
const pull = `GET ${repo}/pulls/7`;

test("every exchange of these tests is held against GitHub's description", ({ skip }) => {
  if (spec === null) skip(githubSpecMissing);
  far.findings.push(
    ...(spec?.check({
      method: "GET",
      path: "/nowhere",
      query: {},
      requestBody: undefined,
      status: 200,
      responseBody: {},
    }) ?? []),
  );
  expect(far.findings.splice(0)).toHaveLength(1);
});

describe("the App", () => {
  test("shows itself with a short-lived token that its key signed", async () => {
    far.installed();
    await far.client().verify();
    const [asked] = far.find("GET /app");
    const [scheme, token = ""] = (asked?.headers.authorization ?? "").split(" ");
    expect(scheme).toBe("Bearer");
    const { payload, protectedHeader } = await jwtVerify(token, createPublicKey(key.publicKey), { issuer: appId });
    expect(protectedHeader.alg).toBe("RS256");
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(600);
  });

  test("names itself and the version of the API on every request", async () => {
    far.installed().on(pull, { body: pullBody });
    await far.client().pull(of, 7);
    expect(far.asked).toHaveLength(3);
    for (const { headers } of far.asked) {
      expect(headers["x-github-api-version"]).toBe("2022-11-28");
      expect(headers["user-agent"]).toMatch(/^dogwatch /);
      expect(headers["accept"]).toContain("json");
    }
  });

  test("reaches a server of one's own below /api/v3", async () => {
    far.on("GET /api/v3/app", { strange: true, body: { slug: "dogwatch", permissions: {}, events: [] } });
    await far.client({ apiUrl: `${far.url}/api/v3/` }).verify();
    expect(far.routes()).toEqual(["GET /api/v3/app"]);
  });

  test("says of each permission and event what it lacks", async () => {
    const about = { id: 4711, slug: "dogwatch", permissions: { metadata: "read", checks: "read", issues: "read" } };
    far.on("GET /app", { body: { ...about, events: ["issue_comment", "pull_request_review_comment", "check_run"] } });
    expect(await far.client({ issues: true }).verify()).toEqual([
      "the GitHub App 'dogwatch' lacks the permission pull_requests: write: add it in its settings and accept it where it is installed",
      "the GitHub App 'dogwatch' lacks the permission checks: write: add it in its settings and accept it where it is installed",
      "the GitHub App 'dogwatch' lacks the permission actions: read: add it in its settings and accept it where it is installed",
      "the GitHub App 'dogwatch' lacks the permission issues: write: add it in its settings and accept it where it is installed",
      "the GitHub App 'dogwatch' does not subscribe to the event pull_request: what it would tell is found later, by asking",
    ]);
  });

  test("that may do all it needs lacks nothing; reading members is no part of it", async () => {
    const { members: _, ...permissions } = allPermissions;
    const events = ["issue_comment", "pull_request_review_comment", "check_run", "pull_request"];
    far.on("GET /app", { body: { id: 4711, slug: "dogwatch", permissions, events } });
    expect(await far.client().verify()).toEqual([]);
  });

  test("whose key GitHub does not accept is told what to check", async () => {
    far.on("GET /app", { status: 401, body: { message: "A JSON web token could not be decoded" } });
    const failure = await failing(far.client().verify());
    expect(failure).toMatchObject({ kind: "refused" });
    expect(failure.message).toBe(
      "GitHub does not accept the App's key: could not look up the App; check github.appId, github.privateKey and this machine's clock",
    );
  });

  test("with a key that is none asks nobody", async () => {
    const failure = await failing(far.client({ privateKey: new Secret("-----BEGIN NONSENSE-----") }).verify());
    expect(failure.message).toBe(
      "the App's private key cannot be used: check that github.privateKey is the PEM file that GitHub gave",
    );
    expect(far.asked).toEqual([]);
  });
});

describe("an installation's token", () => {
  test("is for one repository by its id, with exactly what is needed", async () => {
    far.installed().on(pull, { body: pullBody });
    await far.client().pull(of, 7);
    expect(far.find(mints)[0]?.body).toEqual({
      repository_ids: [70],
      permissions: { metadata: "read", pull_requests: "write", checks: "write", actions: "read", issues: "read" },
    });
    expect(far.find(pull)[0]?.headers.authorization).toBe("Bearer ghs_secret1");
  });

  test("writes issues only where questions are asked in issues", async () => {
    far.installed().on(pull, { body: pullBody });
    await far.client({ issues: true }).pull(of, 7);
    expect(far.find(mints)[0]?.body).toMatchObject({ permissions: { issues: "write" } });
  });

  test("reads members only once a team is asked about, with a token of its own", async () => {
    const membership = "GET /orgs/acme/teams/sre/memberships/ana";
    far
      .installed()
      .on(pull, { body: pullBody })
      .on(membership, { body: { state: "active" } });
    const client = far.client();
    await client.pull(of, 7);
    expect(await client.isMember(of, "sre", "ana")).toBe(true);
    expect(far.find(mints).map(({ body }) => body)).toEqual([
      expect.objectContaining({ permissions: expect.not.objectContaining({ members: "read" }) }),
      { repository_ids: [70], permissions: { metadata: "read", members: "read" } },
    ]);
    const [asked] = far.find(membership);
    const mint = far.find(mints).findIndex(({ body }) => JSON.stringify(body).includes("members"));
    expect(asked?.headers.authorization).toBe(`Bearer ${far.tokens[mint]}`);
  });

  test("asks for what was granted, so that one missing permission is missed only where it is used", async () => {
    const { members: _, checks: _c, ...permissions } = allPermissions;
    far.installed({ ...permissions, pull_requests: "read" }).on(pull, { body: pullBody });
    const client = far.client();
    await client.pull(of, 7);
    expect(far.find(mints)[0]?.body).toMatchObject({
      permissions: { metadata: "read", pull_requests: "read", actions: "read", issues: "read" },
    });
    const failure = await failing(client.isMember(of, "sre", "ana"));
    expect(failure.message).toBe(
      "rules that name teams need the App's permission members: read on 'acme/checkout': add it to the App, then accept it at 'https://github.com/organizations/acme/settings/installations/9'",
    );
  });

  test("is made once however many ask at the same time, and used until shortly before its end", async () => {
    far.installed().on(pull, { body: pullBody });
    const client = far.client();
    await Promise.all(Array.from({ length: 20 }, () => client.pull(of, 7)));
    expect(far.tokens).toHaveLength(1);
    far.now = new Date(far.now.getTime() + 54 * 60_000);
    await client.pull(of, 7);
    expect(far.tokens).toHaveLength(1);
    far.now = new Date(far.now.getTime() + 2 * 60_000);
    await Promise.all(Array.from({ length: 20 }, () => client.pull(of, 7)));
    expect(far.tokens).toHaveLength(2);
    expect(far.find(pull).at(-1)?.headers.authorization).toBe("Bearer ghs_secret2");
  });

  test("that could not be made is made at the next try", async () => {
    far.installed().on(pull, { body: pullBody });
    far.on(mints, { status: 500, body: { message: "oops" } }, far.mint());
    const client = far.client();
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "unreachable" });
    expect(await client.pull(of, 7)).toMatchObject({ number: 7 });
  });

  test("that was revoked is made anew for a read, once", async () => {
    const revoked = { status: 401, body: { message: "Bad credentials" } };
    far.installed().on(pull, revoked, { body: pullBody });
    const client = far.client();
    expect(await client.pull(of, 7)).toMatchObject({ number: 7 });
    expect(far.find(pull).map(({ headers }) => headers.authorization)).toEqual([
      "Bearer ghs_secret1",
      "Bearer ghs_secret2",
    ]);
    far.on(pull, revoked);
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "refused" });
    expect(far.find(pull)).toHaveLength(4);
  });

  test("that was revoked ends a create: nothing was done, and the next try has another one", async () => {
    const comments = `POST ${repo}/issues/7/comments`;
    far
      .installed()
      .on(
        comments,
        { status: 401, body: { message: "Bad credentials" } },
        { status: 201, body: { id: 5, html_url: "https://github.com/acme/checkout/pull/7" } },
      );
    const client = far.client();
    expect(await failing(client.createComment(of, { number: 7, body: "?" }))).toMatchObject({ kind: "unreachable" });
    expect(far.find(comments)).toHaveLength(1);
    expect(await client.createComment(of, { number: 7, body: "?" })).toMatchObject({ id: 5 });
    expect(far.tokens).toHaveLength(2);
  });

  test("is of no use when it is for more, or for something else, than was asked", async () => {
    const others: readonly object[][] = [
      [],
      [{ id: 71, full_name: "acme/checkout" }],
      [
        { id: 70, full_name: "acme/checkout" },
        { id: 71, full_name: "acme/other" },
      ],
    ];
    for (const repositories of others) {
      far.installed().on(pull, { body: pullBody });
      far.on(mints, far.mint({ repositories }));
      expect(await failing(far.client().pull(of, 7))).toMatchObject({ kind: "refused" });
    }
    expect(far.find(pull)).toEqual([]);
  });

  test.for([
    [
      "is not installed",
      () => far.on(`GET ${repo}/installation`, { status: 404, body: { message: "Not Found" } }),
      "the App is not installed on 'acme/checkout': install it there, from the App's settings",
    ],
    [
      "was suspended",
      () =>
        far.on(`GET ${repo}/installation`, {
          body: {
            id: 9,
            permissions: allPermissions,
            html_url: "https://github.com/x",
            suspended_at: "2026-01-01T00:00:00Z",
            account: null,
          },
        }),
      "the App's installation on 'acme/checkout' is suspended: 'https://github.com/x'",
    ],
    [
      "lost a permission meanwhile",
      () =>
        far.on(mints, {
          status: 422,
          body: { message: "The permissions requested are not granted to this installation." },
        }),
      "GitHub refused (422 'The permissions requested are not granted to this installation.') to get a token for 'acme/checkout'",
    ],
  ] as const)("where the App %s is refused with what to mend", async ([, change, message]) => {
    far.installed();
    change();
    const failure = await failing(far.client().pull(of, 7));
    expect(failure).toMatchObject({ kind: "refused", message });
  });
});

describe("a repository's name", () => {
  const redirect = (path: string) => ({
    status: 301,
    headers: { location: `${far.url}${path}` },
    body: { message: "Moved Permanently" },
  });
  const renamedMint = { repositories: [{ id: 70, full_name: "acme/till" }] };

  test("that was given up leads to the repository's id, and to what it is called now", async () => {
    far.installed();
    far.on(`GET ${repo}/installation`, redirect("/repositories/70/installation"));
    far.on("GET /repositories/70/installation", {
      body: { id: 9, permissions: allPermissions, html_url: "x:y", account: null },
    });
    far.on(mints, far.mint(renamedMint)).on("GET /repos/acme/till/pulls/7", { body: pullBody });
    far.on("GET /repos/acme/till", { body: { ...repositoryBody, full_name: "acme/till" } });
    const client = far.client();
    expect(await client.repository(of)).toEqual({
      repository_id: "70",
      repository: "acme/till",
      owner: "acme",
      url: "https://github.com/acme/checkout",
    });
    expect(await client.pull(of, 7)).toMatchObject({ number: 7 });
    expect(far.find(pull)).toEqual([]);
  });

  test.for([
    ["another repository", "/repositories/71/installation"],
    ["another repository of the same beginning", "/repositories/701/installation"],
    ["nowhere that is known", "/repos/evil/checkout/installation"],
  ] as const)("that leads to %s is not followed", async ([, path]) => {
    far.installed().on(`GET ${repo}/installation`, redirect(path));
    far.on(`GET ${path}`, {
      strange: true,
      body: { id: 9, permissions: allPermissions, html_url: "x", account: null },
    });
    const client = far.client();
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "refused" });
    expect(await client.repository(of)).toBeNull();
    expect(far.find(`GET ${path}`)).toEqual([]);
    expect(far.tokens).toEqual([]);
  });

  test("that another repository took over is not ours: its installation has no token for our id", async () => {
    const missing =
      "There is at least one repository that does not exist or is not accessible to the parent installation.";
    far.installed().on(mints, { status: 422, body: { message: missing } });
    const client = far.client();
    expect(await client.repository(of)).toBeNull();
    expect(await failing(client.pull(of, 7))).toMatchObject({
      kind: "refused",
      message:
        "'acme/checkout' is not the repository '70', or the App's installation leaves it out: it was renamed, transferred, deleted, or not selected",
    });
    expect(far.find(`GET ${repo}`)).toEqual([]);
  });

  test("that changes while a token lives is looked up again: reads and creates go to the new one, once", async () => {
    far.installed().on(pull, { body: pullBody });
    const client = far.client();
    await client.pull(of, 7);
    // Renamed, and a public repository of somebody else took the name over.
    far.on(mints, far.mint(renamedMint));
    far.on(`GET ${repo}`, { body: { ...repositoryBody, id: 71 } });
    far.on(`POST ${repo}/issues/7/comments`, {
      status: 403,
      body: { message: "Resource not accessible by integration" },
    });
    far.on("POST /repos/acme/till/issues/7/comments", {
      status: 201,
      body: { id: 5, html_url: "https://github.com/acme/till/pull/7" },
    });
    expect(await client.createComment(of, { number: 7, body: "?" })).toMatchObject({ id: 5 });
    expect(far.find(`POST ${repo}/issues/7/comments`)).toHaveLength(1);
    expect(far.find("POST /repos/acme/till/issues/7/comments")).toHaveLength(1);
    expect(far.find("POST /repos/acme/till/issues/7/comments")[0]?.headers.authorization).toBe("Bearer ghs_secret2");
  });

  test.for([301, 302, 307, 308])("that redirects with %i is never followed by itself", async (status) => {
    far.installed();
    const path = "/repositories/70/issues/7/comments";
    far.on(`POST ${repo}/issues/7/comments`, {
      status,
      headers: { location: `${far.url}${path}` },
      body: { message: "Moved" },
    });
    far.on(`POST ${path}`, { status: 201, body: { id: 5, html_url: "https://github.com/acme/checkout/pull/7" } });
    const client = far.client();
    expect(await failing(client.createComment(of, { number: 7, body: "?" }))).toMatchObject({ kind: "refused" });
    expect(far.routes().filter((route) => route.includes("/repositories/"))).toEqual([]);
  });

  test("of another repository answers nothing about what people may do in ours", async () => {
    far.installed();
    const permission = `GET ${repo}/collaborators/mallory/permission`;
    far.on(permission, { body: { permission: "admin", role_name: "admin", user: { login: "mallory" } } });
    far.on(`GET ${repo}`, { body: { ...repositoryBody, id: 71 } });
    expect(await failing(far.client().access(of, "mallory"))).toMatchObject({ kind: "unreachable" });
  });

  test.for([
    "acme",
    "acme/../x",
    "acme/..",
    "../checkout",
    "acme/check out",
    "acme/a/b",
    "acme/checkout?x=1",
    "acme/checkout#",
    "",
  ])("%j is none, and GitHub is not asked", async (repository) => {
    far.installed();
    expect(await failing(far.client().pull({ ...of, repository }, 7))).toMatchObject({ kind: "refused" });
    expect(far.asked).toEqual([]);
  });

  test.for(["", "seventy", "7e1", "-70", "9007199254740993", "70,71"])(
    "with the id %j is asked about by nobody",
    async (repository_id) => {
      far.installed();
      expect(await failing(far.client().pull({ ...of, repository_id }, 7))).toMatchObject({ kind: "refused" });
      expect(far.tokens).toEqual([]);
    },
  );
});

const pullBody = {
  number: 7,
  html_url: "https://github.com/acme/checkout/pull/7",
  state: "open",
  head: { sha: "abc" },
  user: { login: "ana" },
  base: { repo: { id: 70 } },
};
