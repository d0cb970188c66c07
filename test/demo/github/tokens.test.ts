/** Who is let in to the stand-in's API: the App by its signature, installations by tokens that are good for what they were made for, jobs, people. */

import { generateKeyPairSync } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Acme, workflow } from "./acme.ts";

let acme: Acme;
beforeAll(async () => {
  acme = await Acme.open();
});
afterAll(() => acme.close());

const mint = async (body?: unknown) =>
  acme.ask("POST", `/app/installations/${acme.installation.id}/access_tokens`, { token: await acme.jwt(), body });

describe("the App", () => {
  test("is known by its number and by its client id", async () => {
    for (const iss of [String(acme.app.id), acme.app.client_id])
      expect(await acme.ask("GET", "/app", { token: await acme.jwt({ iss }) })).toMatchObject({
        status: 200,
        body: { id: acme.app.id, slug: "dogwatch" },
      });
  });

  test("is not let in by a token that is too old, too long, from the future, of another key or of another App", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    const refused = async (token: string) => (await acme.ask("GET", "/app", { token })).body.message as string;
    expect(await refused(await acme.jwt({ exp: 601 }))).toContain("'exp') is too far in the future");
    expect(await refused(await acme.jwt({ iat: -700, exp: -100 }))).toContain("Expiration time");
    expect(await refused(await acme.jwt({ iat: 60, exp: 120 }))).toContain("'Issued at' claim ('iat')");
    expect(await refused(await acme.jwt({ pem }))).toBe("A JSON web token could not be decoded");
    expect(await refused(await acme.jwt({ iss: "7" }))).toBe("Integration not found");
    const unsigned = new UnsecuredJWT({}).setIssuer(String(acme.app.id)).encode();
    expect(await refused(unsigned)).toBe("A JSON web token could not be decoded");
    const shared = await new SignJWT({ iss: String(acme.app.id) })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode(acme.app.pem));
    expect(await refused(shared)).toBe("A JSON web token could not be decoded");
  });

  test("says the time, so that clocks can be set by it", async () => {
    const { headers } = await acme.ask("GET", "/app", { token: await acme.jwt({ exp: 700 }) });
    expect(headers.get("date")).toBe("Fri, 02 Jan 2026 03:04:05 GMT");
  });
});

describe("a token of an installation", () => {
  test("is made for the repositories and permissions that were asked for", async () => {
    const made = await mint({ repository_ids: [70], permissions: { checks: "read" } });
    expect(made).toMatchObject({
      status: 201,
      body: { repository_selection: "selected", permissions: { metadata: "read", checks: "read" } },
    });
    expect(made.body.repositories.map(({ id }: { id: number }) => id)).toEqual([70]);
    const { token } = made.body;
    expect((await acme.ask("GET", "/repos/acme/checkout", { token })).status).toBe(200);
    expect((await acme.ask("GET", "/repos/acme/checkout/pulls/7", { token })).status).toBe(403);
    expect((await mint({ repositories: ["checkout"] })).body.repositories).toHaveLength(1);
    expect((await mint()).body).toMatchObject({ repository_selection: "all", permissions: acme.app.permissions });
  });

  test("is never good for more than the installation has", async () => {
    expect((await mint({ permissions: { contents: "read" } })).status).toBe(422);
    expect((await mint({ permissions: { actions: "write" } })).status).toBe(422);
    const elsewhere = acme.github.repositories.add("umbrella/checkout");
    expect((await mint({ repository_ids: [elsewhere.id] })).status).toBe(422);
    expect((await mint({ repositories: ["nothing"] })).status).toBe(422);
  });

  test("does not see other repositories: they are not there", async () => {
    const other = acme.github.repositories.add("acme/other");
    const { token } = (await mint({ repository_ids: [70] })).body;
    expect((await acme.ask("GET", "/repos/acme/other", { token })).status).toBe(404);
    expect((await acme.ask("GET", `/repositories/${other.id}`, { token })).status).toBe(404);
    expect((await acme.ask("GET", "/repos/acme/other", { token: acme.token() })).status).toBe(200);
  });

  test("ends after an hour", async () => {
    const made = await mint({ repository_ids: [70] });
    const { token } = made.body;
    expect(made.body.expires_at).toBe("2026-01-02T04:04:05Z");
    acme.later(3_599_000);
    expect((await acme.ask("GET", "/repos/acme/checkout", { token })).status).toBe(200);
    acme.later(1_000);
    expect((await acme.ask("GET", "/repos/acme/checkout", { token })).status).toBe(401);
  });

  test("is worth nothing once the App is suspended or uninstalled", async () => {
    const { github, checkout, app } = acme;
    const other = await github.apps.register({ owner: "acme", name: "Another" });
    const installation = github.apps.install(other, { account: "acme", repositories: [checkout] });
    const token = github.apps.token(installation);
    const look = async () => (await acme.ask("GET", "/repos/acme/checkout", { token })).status;
    expect(await look()).toBe(200);
    github.apps.suspend(installation);
    expect(await look()).toBe(401);
    github.apps.uninstall(installation);
    expect(await look()).toBe(401);
    expect(github.apps.installations(other)).toEqual([]);
    expect(github.apps.installations(app)).toHaveLength(1);
  });
});

describe("a public repository", () => {
  test("is read by everybody without permission, and written by nobody without one", async () => {
    const { github } = acme;
    const shop = github.repositories.add("umbrella/shop", { private: false });
    const pull = github.pulls.open(shop, { author: "octocat", number: 3 });
    const token = acme.token();
    expect((await acme.ask("GET", "/repos/umbrella/shop")).status).toBe(200);
    expect((await acme.ask("GET", `/repos/umbrella/shop/commits/${pull.head_sha}`, { token })).status).toBe(200);
    const body = { body: "Hello" };
    expect((await acme.ask("POST", "/repos/umbrella/shop/issues/3/comments", { token, body })).status).toBe(403);
    expect((await acme.ask("GET", "/repos/umbrella/shop/collaborators/mona/permission", { token })).status).toBe(403);
  });
});

describe("a job", () => {
  test("writes as the bot that it is, within its permissions, in its own repository, until it ends", async () => {
    const { github, checkout, pull } = acme;
    const run = github.runs.start(checkout, { actor: "octocat", pull });
    const token = github.runs.token(run, { pull_requests: "write", checks: "write" });
    const comment = { body: "/approve K7M2Q9XZ" };
    const written = await acme.ask("POST", "/repos/acme/checkout/issues/7/comments", { token, body: comment });
    expect(written.body).toMatchObject({
      user: { login: "github-actions[bot]", type: "Bot", id: 41_898_282 },
      performed_via_github_app: { slug: "github-actions" },
    });
    const check = { name: "x", head_sha: pull.head_sha, conclusion: "success" };
    const made = await acme.ask("POST", "/repos/acme/checkout/check-runs", { token, body: check });
    expect(made.body).toMatchObject({ status: "completed", app: { slug: "github-actions", id: 15_368 } });
    expect((await acme.ask("POST", "/repos/acme/checkout/issues", { token, body: { title: "x" } })).status).toBe(403);
    github.repositories.add("acme/third");
    expect((await acme.ask("GET", "/repos/acme/third", { token })).status).toBe(404);
    expect((await acme.ask("GET", "/user", { token })).status).toBe(403);
    github.runs.end(run, "success");
    expect((await acme.ask("GET", "/repos/acme/checkout", { token })).status).toBe(401);
  });

  test("may change what people wrote, and stays unseen as the author", async () => {
    const { github, checkout, pull } = acme;
    const token = github.runs.token(github.runs.start(checkout, { actor: "octocat", pull }), {
      pull_requests: "write",
    });
    const said = github.as("mona").startThread(pull, workflow, "Not now");
    acme.later(5_000);
    const path = `/repos/acme/checkout/pulls/comments/${said.id}`;
    const changed = await acme.ask("PATCH", path, { token, body: { body: "/approve K7M2Q9XZ" } });
    expect(changed.body).toMatchObject({ user: { login: "mona" }, body: "/approve K7M2Q9XZ" });
    expect(changed.body.updated_at).not.toBe(changed.body.created_at);
  });

  test("cannot press buttons: there is no operation for it", async () => {
    const { github, checkout, pull, app } = acme;
    const token = github.runs.token(github.runs.start(checkout, { actor: "octocat", pull }), { checks: "write" });
    const actions = [{ label: "Approve", description: "x", identifier: "approve:K7M2Q9XZ" }];
    const check = github.checks.create(checkout, {
      app,
      name: "x",
      head_sha: pull.head_sha,
      conclusion: "neutral",
      actions,
    });
    for (const path of ["/requested_action", "/rerequest", "/actions"])
      expect((await acme.ask("POST", `/repos/acme/checkout/check-runs/${check.id}${path}`, { token })).status).toBe(
        404,
      );
    acme.findings.length = 0;
    const body = { conclusion: "success" };
    const changed = await acme.ask("PATCH", `/repos/acme/checkout/check-runs/${check.id}`, { token, body });
    expect(changed).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("Invalid app_id `15368`") },
    });
  });
});

test("an App in somebody's name writes as that person, and says through which App", async () => {
  const { github, app } = acme;
  const { token } = github.visitors.token(github.accounts.named("mona"), app);
  const body = { body: "/approve K7M2Q9XZ" };
  const written = await acme.ask("POST", "/repos/acme/checkout/issues/7/comments", { token, body });
  expect(written.body).toMatchObject({
    user: { login: "mona", type: "User" },
    performed_via_github_app: { slug: "dogwatch" },
  });
  expect((await acme.ask("GET", "/user", { token })).body).toMatchObject({ login: "mona" });
  acme.later(8 * 3_600_000);
  expect((await acme.ask("GET", "/user", { token })).status).toBe(401);
});

test("no token is kept in what was asked", () => {
  expect(acme.github.requests.length).toBeGreaterThan(0);
  expect(JSON.stringify(acme.github.requests)).not.toMatch(/gh[su]_|eyJ/);
});
