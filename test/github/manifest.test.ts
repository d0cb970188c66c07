/** What a manifest asks for, where it goes on which GitHub, and what comes back for its code. */

import { expect, test } from "vitest";
import { apiAddress, convert, manifestOf, newAppUrl } from "../../server/github/manifest.ts";
import { webAddress, webOfIssuer } from "../../server/github/web.ts";
import { GitHubFailure } from "../../server/model/github.ts";
import { installAddress, pullName } from "../../server/model/gitHubApp.ts";

test.each([
  ["https://github.com", "https://api.github.com"],
  ["https://github.com/", "https://api.github.com"],
  ["https://acme.ghe.com", "https://api.acme.ghe.com"],
  ["https://ghe.example.com", "https://ghe.example.com/api/v3"],
  ["https://ghe.example.com:8443", "https://ghe.example.com:8443/api/v3"],
  ["http://127.0.0.1:4000", "http://127.0.0.1:4000/api/v3"],
])("the API of %s is %s, and back", (web, api) => {
  expect(apiAddress(web)).toBe(api);
  expect(webAddress(api)).toBe(web.replace(/\/$/, ""));
});

test.each([
  "github.com",
  "http://github.com",
  "ftp://github.com",
  "https://u:p@github.com",
  "https://github.com/acme",
  "https://github.com?x",
  "https://github.com#x",
  "javascript:alert(1)",
  "",
])("%j is no GitHub", (web) => {
  expect(apiAddress(web)).toBeNull();
});

test.each([
  ["https://token.actions.githubusercontent.com", "https://github.com"],
  ["https://token.actions.acme.ghe.com", "https://acme.ghe.com"],
  ["https://ghe.example.com/_services/token", "https://ghe.example.com"],
  ["https://acme.okta.com", null],
  ["https://token.actions.githubusercontent.com.evil.example", null],
])("jobs whose tokens %s signs are of %s", (issuer, web) => {
  expect(webOfIssuer(issuer)).toBe(web);
});

test("an App of an organization is made there, one of a person with them", () => {
  expect(newAppUrl("https://github.com", "acme", "s&t")).toBe(
    "https://github.com/organizations/acme/settings/apps/new?state=s%26t",
  );
  expect(newAppUrl("https://github.com", null, "s")).toBe("https://github.com/settings/apps/new?state=s");
  expect(newAppUrl("https://github.com", "../../x", "s")).toBe(
    "https://github.com/organizations/..%2F..%2Fx/settings/apps/new?state=s",
  );
});

test("no permission and no event is asked for but those that have a use", () => {
  const asked = {
    name: "x".repeat(50),
    publicUrl: "https://d.example.com",
    redirect: "https://d.example.com/setup/github/created",
    callback: "https://d.example.com/sign-in/github/callback",
    installed: "https://d.example.com/setup/github/installed",
  };
  const permissions = { metadata: "read", pull_requests: "write", checks: "write", actions: "read" };
  for (const [uses, more] of [
    [{ issues: false, teams: false }, { issues: "read" }],
    [{ issues: true, teams: false }, { issues: "write" }],
    [
      { issues: false, teams: true },
      { issues: "read", members: "read" },
    ],
  ] as const)
    expect(manifestOf({ ...asked, ...uses }).default_permissions).toEqual({ ...permissions, ...more });
  const manifest = manifestOf({ ...asked, issues: false, teams: false });
  expect(manifest.name).toHaveLength(34);
  expect(manifest.public).toBe(false);
  expect(manifest.default_events).toEqual([
    "pull_request",
    "pull_request_review_comment",
    "issue_comment",
    "check_run",
  ]);
});

const made = {
  id: 12_345,
  slug: "dogwatch",
  name: "Dogwatch",
  owner: { login: "acme" },
  html_url: "https://github.com/apps/dogwatch",
  client_id: "Iv23liabc",
  client_secret: "the-client-secret",
  webhook_secret: "the-webhook-secret",
  pem: "-----BEGIN RSA PRIVATE KEY-----\n…",
};

const answering =
  (status: number, body: unknown, asked: string[] = []): typeof fetch =>
  async (url, init) => {
    asked.push(`${init?.method} ${new Request(url).url} ${init?.redirect}`);
    return new Response(JSON.stringify(body), { status });
  };

test("what GitHub hands over is taken whole, from the address of the code and no other", async () => {
  const asked: string[] = [];
  const app = await convert("https://api.github.com", "a/../b", answering(201, made, asked));
  expect(asked).toEqual(["POST https://api.github.com/app-manifests/a%2F..%2Fb/conversions error"]);
  expect(app).toMatchObject({
    appId: "12345",
    slug: "dogwatch",
    owner: "acme",
    url: made.html_url,
    clientId: "Iv23liabc",
  });
  expect(app.privateKey.reveal()).toBe(made.pem);
  expect(JSON.stringify(app)).not.toMatch(/the-client-secret|the-webhook-secret|PRIVATE/);
});

test.each([
  ["a code that is over", 404, { message: "Not Found" }, /used before, or is older than an hour/],
  ["a code that is none", 422, {}, /used before, or is older than an hour/],
  ["trouble", 500, {}, /answered 500/],
  ["no key", 201, { ...made, pem: undefined }, /lacks a part that is needed; delete the App/],
  ["no webhook secret", 201, { ...made, webhook_secret: null }, /lacks a part that is needed; delete the App/],
  ["a slug that is none", 201, { ...made, slug: "../x" }, /lacks a part/],
])("%s makes nothing, and says what to do", async (_what, status, body, said) => {
  const failure: unknown = await convert("https://api.github.com", "c", answering(status, body)).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(GitHubFailure);
  expect((failure as GitHubFailure).message).toMatch(said);
  expect((failure as GitHubFailure).message).not.toMatch(/the-client-secret|the-webhook-secret|PRIVATE/);
});

test.each([
  ["acme/shop#7", { owner: "acme", repo: "shop", number: 7 }],
  [" acme/my.shop#12 ", { owner: "acme", repo: "my.shop", number: 12 }],
  ["https://github.com/acme/shop/pull/7/files#diff", { owner: "acme", repo: "shop", number: 7 }],
  ["acme/shop", null],
  ["acme/..#7", null],
  ["acme/shop#x", null],
  ["https://github.com/acme/shop/issues/7", null],
  ["../shop#7", null],
])("%j names a pull request, or none", (written, name) => {
  expect(pullName(written)).toEqual(name);
});

test("an App is installed from its own page, wherever that is", () => {
  expect(installAddress("https://ghe.example.com/github-apps/dogwatch/")).toBe(
    "https://ghe.example.com/github-apps/dogwatch/installations/new",
  );
});
