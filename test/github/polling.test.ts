/** What was lost on the way is found by asking: comments for nothing while there are none, deliveries page by page. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GitHubApp } from "../../server/github/client.ts";
import { appId, type Asked, FarSide, failing, linked, of, repo, type Told } from "./farSide.ts";

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

const at = (minute: number, second = 0): string =>
  new Date(Date.UTC(2026, 0, 2, 3, minute, second)).toISOString().replace(".000Z", "Z");

describe("new comments", () => {
  const path = `${repo}/pulls/comments`;
  const route = `GET ${path}`;
  const comment = (id: number, updated_at: string, number = 7) => ({
    id,
    user: { login: "ana", id: 11 },
    body: `comment ${id}`,
    created_at: at(0),
    updated_at,
    html_url: `https://github.com/acme/checkout/pull/${number}#discussion_r${id}`,
    pull_request_url: `https://api.github.com/repos/acme/checkout/pulls/${number}`,
  });
  const ids = (comments: readonly { readonly id: number }[]): number[] => comments.map(({ id }) => id);

  /** Answers as GitHub does: 304 to whoever has seen this state of the list. */
  const list = (state: { comments: object[]; etag: string }) =>
    far.on(
      route,
      ({ headers }: Asked): Told =>
        headers["if-none-match"] === state.etag
          ? { status: 304 }
          : { headers: { etag: state.etag }, body: state.comments },
    );

  test("come oldest first, whole, with where they stand", async () => {
    list({ etag: '"1"', comments: [comment(3, at(2)), comment(2, at(1), 8)] });
    const since = await client.commentsSince(of, "review_comment", new Date(at(1)));
    expect(ids(since)).toEqual([2, 3]);
    expect(since[0]).toEqual({
      id: 2,
      author: "ana",
      author_id: 11,
      body: "comment 2",
      created_at: at(0),
      updated_at: at(1),
      in_reply_to: null,
      number: 8,
      url: "https://github.com/acme/checkout/pull/8#discussion_r2",
    });
  });

  test("cost nothing while there are none, although the time they are asked from moves on", async () => {
    const state = { etag: '"1"', comments: [comment(2, at(1))] };
    list(state);
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(1))))).toEqual([2]);
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(1, 15))))).toEqual([]);
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(1))))).toEqual([2]);
    const asked = far.find(route);
    expect(asked.map(({ query }) => query["since"])).toEqual([at(1), at(1), at(1)]);
    expect(asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"', '"1"']);
    expect(new Set(asked.map(({ query }) => JSON.stringify(query))).size).toBe(1);
    Object.assign(state, { etag: '"2"', comments: [comment(3, at(2)), comment(2, at(1))] });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(1, 30))))).toEqual([3]);
  });

  test("that were edited are new again", async () => {
    const state = { etag: '"1"', comments: [comment(3, at(2)), comment(2, at(1))] };
    list(state);
    await client.commentsSince(of, "review_comment", new Date(at(1)));
    Object.assign(state, { etag: '"2"', comments: [comment(2, at(4)), comment(3, at(2))] });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(3))))).toEqual([2]);
  });

  test("of an earlier time than was asked before are asked for anew", async () => {
    list({ etag: '"1"', comments: [comment(3, at(2)), comment(2, at(1))] });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(2))))).toEqual([3]);
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(0))))).toEqual([2, 3]);
    expect(far.find(route).map(({ query }) => query["since"])).toEqual([at(2), at(0)]);
    expect(far.find(route)[1]?.headers["if-none-match"]).toBeUndefined();
  });

  test("are not asked for from long ago for ever", async () => {
    list({ etag: '"1"', comments: [] });
    for (const minute of [0, 15, 16, 31]) await client.commentsSince(of, "review_comment", new Date(at(minute)));
    expect(far.find(route).map(({ query }) => query["since"])).toEqual([at(0), at(0), at(16), at(16)]);
  });

  test("of a time between two seconds are those of the whole second", async () => {
    list({ etag: '"1"', comments: [comment(2, at(1))] });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(Date.parse(at(1)) + 999)))).toEqual([2]);
    expect(far.find(route)[0]?.query["since"]).toBe(at(1));
  });

  test("on several pages are all read; one that moves meanwhile comes once", async () => {
    far.on(route, ({ query }) => {
      const page = Number(query["page"] ?? "1");
      const headers = page < 3 ? linked(far, path, `page=${page + 1}`) : {};
      return {
        headers: { etag: `"${page}"`, ...headers },
        body: [comment(10 - page, at(10 - page)), comment(9 - page, at(9 - page))],
      };
    });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(0))))).toEqual([6, 7, 8, 9]);
    await client.commentsSince(of, "review_comment", new Date(at(0)));
    expect(far.find(route).map(({ query, headers }) => [query["page"], headers["if-none-match"]])).toEqual([
      [undefined, undefined],
      ["2", undefined],
      ["3", undefined],
      [undefined, '"1"'],
      ["2", undefined],
      ["3", undefined],
    ]);
  });

  test("without end are read to a bound, and the log says so", async () => {
    far.on(route, ({ query }) => ({
      headers: linked(far, path, `page=${Number(query["page"] ?? "1") + 1}`),
      body: [comment(1, at(1))],
    }));
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(0))))).toEqual([1]);
    expect(far.find(route)).toHaveLength(10);
    expect(far.logged).toEqual([expect.stringContaining("the oldest are left out")]);
  });

  test.for(["comment", "issue"] as const)("of timelines are one list (%s)", async (kind) => {
    const issue_url = "https://api.github.com/repos/acme/checkout/issues/7";
    far.on(`GET ${repo}/issues/comments`, { body: [{ ...comment(5, at(1)), pull_request_url: undefined, issue_url }] });
    expect(await client.commentsSince(of, kind, new Date(at(0)))).toEqual([
      expect.objectContaining({ id: 5, number: 7 }),
    ]);
  });

  test("that cannot be read now are read at the next try", async () => {
    far.on(
      route,
      { status: 403, body: { message: "Resource not accessible by integration" } },
      { body: [comment(2, at(1))] },
    );
    expect(await failing(client.commentsSince(of, "review_comment", new Date(at(0))))).toMatchObject({
      kind: "refused",
    });
    expect(ids(await client.commentsSince(of, "review_comment", new Date(at(0))))).toEqual([2]);
  });
});

describe("deliveries", () => {
  const route = "GET /app/hook/deliveries";
  const delivery = (id: unknown, minute: number) => ({
    id,
    guid: `guid-${String(id)}`,
    event: "check_run",
    action: "requested_action",
    delivered_at: at(minute),
    redelivery: false,
  });

  test("are read newest first, page by page, back to the time that is asked for", async () => {
    far.on(route, ({ query }) =>
      query["cursor"] === undefined
        ? {
            headers: linked(far, "/app/hook/deliveries", "per_page=100&cursor=v1_2"),
            body: [delivery(4, 4), delivery(3, 3)],
          }
        : {
            headers: linked(far, "/app/hook/deliveries", "per_page=100&cursor=v1_3"),
            body: [delivery(2, 2), delivery(1, 1)],
          },
    );
    // Within the second: GitHub's times have no fractions.
    const found = await client.deliveries(new Date(Date.parse(at(2)) + 999));
    expect(found.map(({ id }) => id)).toEqual(["4", "3", "2"]);
    expect(found[0]).toEqual({
      id: "4",
      guid: "guid-4",
      event: "check_run",
      action: "requested_action",
      delivered_at: new Date(at(4)),
    });
    expect(far.find(route).map(({ query }) => query)).toEqual([
      { per_page: "100" },
      { per_page: "100", cursor: "v1_2" },
    ]);
    expect(far.tokens).toEqual([]);
  });

  test("of a link to somewhere else are not asked for there", async () => {
    far.on(route, ({ query }) =>
      query["cursor"] === undefined
        ? {
            headers: { link: '<http://evil.example/app/hook/deliveries?cursor=v1_2>; rel="next"' },
            body: [delivery(2, 2)],
          }
        : { body: [delivery(1, 1)] },
    );
    expect(await client.deliveries(new Date(at(0)))).toHaveLength(2);
  });

  test("have ids that a number cannot tell apart", async () => {
    const id = "3804004623172239366";
    // JSON.stringify would round it.
    const answer = JSON.stringify([delivery(0, 1)]).replace('"id":0', `"id":${id}`);
    const client = far.client({
      fetch: async () => new Response(answer, { headers: { "content-type": "application/json; charset=utf-8" } }),
    });
    expect((await client.deliveries(new Date(at(0)))).map((each) => each.id)).toEqual([id]);
    far.on(`${route}/${id}`, { body: stored("ping", {}) });
    await far.client().delivery(id);
    expect(far.routes()).toEqual([`${route}/${id}`]);
  });

  const stored = (event: string, payload: unknown) => ({
    event,
    request: { headers: { "X-GitHub-Event": event }, payload },
    response: { headers: {}, payload: "ok" },
  });
  const pressed = {
    action: "requested_action",
    check_run: {
      id: 900,
      head_sha: "abc",
      external_id: "x",
      html_url: "https://github.com/x",
      app: { id: Number(appId) },
    },
    requested_action: { identifier: "approve" },
    repository: { id: 70, full_name: "acme/checkout" },
    sender: { login: "ana", id: 11 },
  };

  test("that are stored say what was delivered", async () => {
    far.on(`${route}/5`, { body: stored("check_run", pressed) });
    expect(await client.delivery("5")).toMatchObject({
      kind: "button",
      press: { identifier: "approve", sender: "ana" },
    });
    far.on(`${route}/6`, {
      body: stored("check_run", { ...pressed, check_run: { ...pressed.check_run, app: { id: 1 } } }),
    });
    expect(await client.delivery("6")).toBeNull();
    far.on(`${route}/7`, { body: stored("push", pressed) });
    expect(await client.delivery("7")).toBeNull();
    far.on(`${route}/8`, { body: stored("check_run", null) });
    expect(await client.delivery("8")).toBeNull();
    expect(await client.delivery("9")).toBeNull();
  });
});
