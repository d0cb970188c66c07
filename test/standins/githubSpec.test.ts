/** The description is used as GitHub means it: what fits is silent, and everything that does not fit is named. */

import { beforeEach, describe, expect, test } from "vitest";
import { type GitHubExchange, githubSpecMissing, openGitHubSpec } from "./githubSpec.ts";

const spec = openGitHubSpec();

const membership: GitHubExchange = {
  method: "GET",
  path: "/orgs/acme/teams/sre/memberships/ana",
  query: {},
  requestBody: undefined,
  status: 200,
  responseBody: { url: "https://api.github.com/teams/1/memberships/ana", role: "member", state: "active" },
};
const reply: GitHubExchange = {
  method: "POST",
  path: "/repos/acme/checkout/pulls/7/comments/1/replies",
  query: {},
  requestBody: { body: "no" },
  status: 404,
  responseBody: { message: "Not Found", documentation_url: "https://docs.github.com/rest", status: "404" },
};

describe("an exchange", () => {
  beforeEach(({ skip }) => {
    if (spec === null) skip(githubSpecMissing);
  });

  const check = (exchange: GitHubExchange): string[] => spec!.check(exchange);

  test.for([membership, reply])("that fits has no findings: $method $path", (exchange) => {
    expect(check(exchange)).toEqual([]);
  });

  test("of an operation that is not described is named", () => {
    expect(check({ ...membership, method: "DELETE" })).toEqual([
      "DELETE /orgs/acme/teams/sre/memberships/ana is not an operation of the description",
    ]);
    expect(check({ ...membership, path: "/orgs/acme/teams/sre/memberships/ana/x" })).toHaveLength(1);
    expect(check({ ...membership, path: "/repos/acme/checkout/git/refs" })).toHaveLength(1);
  });

  test("with a number where GitHub wants one: /issues/comments is a list, /issues/abc is nothing", () => {
    const list = { ...membership, responseBody: [], path: "/repos/acme/checkout/issues/comments" };
    expect(check(list)).toEqual([]);
    expect(check({ ...reply, path: "/repos/acme/checkout/pulls/seven/comments/1/replies" })).toEqual([
      expect.stringContaining("parameter pull_number at /value must be integer"),
    ]);
  });

  test("with a query that does not fit is named", () => {
    const list = { ...membership, responseBody: [], path: "/repos/acme/checkout/issues/comments" };
    expect(check({ ...list, query: { since: "2026-01-02T03:04:05Z", per_page: "100", sort: "updated" } })).toEqual([]);
    expect(check({ ...list, query: { since: "yesterday", sort: "loudness", colour: "red" } })).toEqual([
      expect.stringContaining("parameter sort"),
      expect.stringContaining("parameter since"),
      "issues/list-comments-for-repo: parameter colour is not described",
    ]);
  });

  test("with a request body that does not fit is named", () => {
    expect(check({ ...reply, requestBody: undefined })).toEqual([expect.stringContaining("the request has no body")]);
    expect(check({ ...reply, requestBody: { body: 7 } })).toEqual([expect.stringContaining("must be string")]);
    expect(check({ ...reply, requestBody: { body: "no", loud: true } })).toEqual([expect.stringContaining("has loud")]);
    expect(check({ ...membership, requestBody: {} })).toEqual([expect.stringContaining("none is described")]);
  });

  test("with an answer that does not fit is named", () => {
    expect(check({ ...membership, status: 418 })).toEqual([expect.stringContaining("status 418 is not described")]);
    expect(check({ ...membership, responseBody: undefined })).toEqual([expect.stringContaining("has no body")]);
    expect(check({ ...membership, responseBody: { role: "owner", state: "active" } })).toEqual([
      expect.stringContaining("must have required property 'url'"),
      expect.stringContaining("at /role must be equal to one of the allowed values"),
    ]);
  });

  test("may be one of GitHub's answers to anything: limits, revoked tokens, nothing new, breakages", () => {
    for (const status of [401, 403, 429, 500, 502]) {
      expect(check({ ...membership, status, responseBody: { message: "no" } })).toEqual([]);
      expect(check({ ...membership, status, responseBody: { message: 7 } })).toHaveLength(1);
    }
    expect(check({ ...membership, status: 304, responseBody: undefined })).toEqual([]);
  });

  test("by a repository's id is one by its name: redirects of renamed repositories lead there", () => {
    const path = "/repositories/70/pulls/7/comments/1/replies";
    expect(check({ ...reply, path })).toEqual([]);
  });

  test("with null where GitHub says so, and only there", () => {
    const permission = { permission: "read", role_name: "read", user: null };
    const path = "/repos/acme/checkout/collaborators/ana/permission";
    expect(check({ ...membership, path, responseBody: permission })).toEqual([]);
    expect(check({ ...membership, path, responseBody: { ...permission, role_name: null } })).toHaveLength(1);
  });

  test("is completed: what GitHub always says besides fits", () => {
    const asked = [
      ["GET", "/repos/acme/checkout", 200],
      ["GET", "/repos/acme/checkout/pulls/7", 200],
      ["GET", "/repos/acme/checkout/actions/runs/9", 200],
      ["GET", "/repos/acme/checkout/commits/abc", 200],
      ["POST", "/repos/acme/checkout/check-runs", 201],
      ["GET", "/repos/acme/checkout/issues/comments/1", 200],
      ["GET", "/app/hook/deliveries/1", 200],
      ["GET", "/app", 200],
    ] as const;
    for (const [method, path, status] of asked) {
      const requestBody = method === "POST" ? { name: "a", head_sha: "b" } : undefined;
      const responseBody = spec!.complete({ method, path, status }, undefined);
      expect(check({ method, path, status, query: {}, requestBody, responseBody })).toEqual([]);
    }
  });

  test("is completed without touching what is given, in lists too", () => {
    const asked = { method: "GET", path: "/repos/acme/checkout/issues/comments", status: 200 };
    const completed = spec!.complete(asked, [{ id: 5, user: { login: "ana" } }]) as {
      id: number;
      user: { login: string };
    }[];
    expect(completed).toEqual([expect.objectContaining({ id: 5, user: expect.objectContaining({ login: "ana" }) })]);
    expect(check({ ...asked, query: {}, requestBody: undefined, responseBody: completed })).toEqual([]);
    expect(spec!.complete({ ...asked, path: "/nowhere" }, { a: 1 })).toEqual({ a: 1 });
  });
});
