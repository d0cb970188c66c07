/** Answers that are lost, refused or late: nothing is created twice, limits are kept to, and no message shows a secret. */

import { inspect } from "node:util";
import fc from "fast-check";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { GitHubApp } from "../../server/github/client.ts";
import { Secret } from "../../server/model/connection.ts";
import { allPermissions, appId, FarSide, failing, key, of, repo, type Told } from "./farSide.ts";

let far: FarSide;
beforeEach(async () => {
  far = await FarSide.start();
  far.installed();
});
afterEach(async () => {
  await far.end();
});

const content = { conclusion: "action_required", title: "t", summary: "s", text: "x", actions: [] } as const;
const place = { kind: "review_comment", url: "https://github.com/x", id: 500, number: 7 } as const;

const creates: readonly (readonly [string, (client: GitHubApp) => Promise<unknown>])[] = [
  [
    `POST ${repo}/pulls/7/comments`,
    (client) => client.createReviewComment(of, { number: 7, head_sha: "abc", path: "a", body: "?" }),
  ],
  [`POST ${repo}/issues/7/comments`, (client) => client.createComment(of, { number: 7, body: "?" })],
  [`POST ${repo}/pulls/7/comments/500/replies`, (client) => client.reply(of, place, "no")],
  [`POST ${repo}/issues`, (client) => client.createIssue(of, { title: "t", body: "?" })],
  [
    `POST ${repo}/check-runs`,
    (client) =>
      client.createCheckRun(of, { head_sha: "abc", external_id: "x", details_url: "https://d.example.com", content }),
  ],
];

const oops = { message: "Server Error" };
const losses: readonly (readonly [string, Told])[] = [
  ["is a 500", { status: 500, body: oops }],
  ["is a 502", { status: 502, body: oops }],
  ["is a 503", { status: 503, body: oops }],
  ["is reset", { lost: "reset" }],
  ["never comes", { lost: "silence" }],
  ["breaks off", { status: 201, lost: "half" }],
  [
    "is a page of something in between",
    { status: 200, strange: true, body: "<html>welcome</html>", headers: { "content-type": "text/html" } },
  ],
  ["says nothing of what was made", { status: 201, strange: true, body: {} }],
];

describe("a create", () => {
  const cases = creates.flatMap(([route, create]) => losses.map(([how, told]) => [route, how, create, told] as const));

  test.for(cases)("%s whose answer %s is uncertain, and was sent once", async ([route, , create, told]) => {
    far.on(route, told);
    expect(await failing(create(far.client({ issues: true })))).toMatchObject({
      kind: "uncertain",
      retry_at: null,
      message: expect.stringMatching(/ may have succeeded$/),
    });
    expect(far.find(route)).toHaveLength(1);
  });

  test("that never reached GitHub was not done", async () => {
    const client = far.client();
    // A token is there already; then nobody listens any more.
    await client.repository(of);
    const gone = await FarSide.start();
    const { url } = gone;
    await gone.close();
    const lost = far.client({
      fetch: (input, init) =>
        init.method === "POST" && input.includes("/comments")
          ? fetch(input.replace(far.url, url), init)
          : fetch(input, init),
    });
    const failure = await failing(lost.createComment(of, { number: 7, body: "?" }));
    expect(failure).toMatchObject({ kind: "unreachable" });
    expect(failure.message).toBe(
      "GitHub cannot be reached (ECONNREFUSED): could not comment on pull request 7 of 'acme/checkout'",
    );
  });

  test.for([400, 404, 410, 422])("that GitHub answers with %i was refused", async (status) => {
    far.on(`POST ${repo}/issues/7/comments`, { status, strange: true, body: { message: "no" } });
    expect(await failing(far.client().createComment(of, { number: 7, body: "?" }))).toMatchObject({ kind: "refused" });
    expect(far.find(`POST ${repo}/issues/7/comments`)).toHaveLength(1);
  });

  test("for which no token can be had was not sent", async () => {
    far.on("POST /app/installations/9/access_tokens", { lost: "reset" });
    expect(await failing(far.client().createComment(of, { number: 7, body: "?" }))).toMatchObject({
      kind: "unreachable",
    });
    expect(far.routes().filter((route) => route.startsWith("POST"))).toEqual([]);
    expect(far.find("POST /app/installations/9/access_tokens")).toHaveLength(1);
  });
});

describe("a read", () => {
  const route = `GET ${repo}/pulls/7`;
  const pull = {
    number: 7,
    html_url: "https://github.com/acme/checkout/pull/7",
    state: "open",
    head: { sha: "abc" },
    user: { login: "ana" },
    base: { repo: { id: 70 } },
  };

  test.for(losses.slice(0, 4))("whose answer %s is asked again", async ([, told]) => {
    far.on(route, told, told, { body: pull });
    expect(await far.client().pull(of, 7)).toMatchObject({ number: 7 });
    expect(far.find(route)).toHaveLength(3);
  });

  test("is asked three times at most", async () => {
    far.on(route, { status: 502, body: oops });
    const failure = await failing(far.client().pull(of, 7));
    expect(failure).toMatchObject({
      kind: "unreachable",
      message: "GitHub answered with an error of its own (502): could not read pull request 7 of 'acme/checkout'",
    });
    expect(far.find(route)).toHaveLength(3);
  });

  test("that takes too long is given up", async () => {
    far.on("GET /app", { lost: "silence" });
    const failure = await failing(far.client({ patience: 200, fetch }).verify());
    expect(failure).toMatchObject({
      kind: "unreachable",
      message: "GitHub did not answer within 0.2 seconds: could not look up the App",
    });
    expect(far.find("GET /app").length).toBeLessThanOrEqual(1);
  });

  test("whose answer is something else is refused with the place", async () => {
    far.on(route, { strange: true, body: { ...pull, head: { sha: 5 } } });
    const failure = await failing(far.client().pull(of, 7));
    expect(failure).toMatchObject({
      kind: "refused",
      message: "GitHub's answer cannot be read at 'head.sha': could not read pull request 7 of 'acme/checkout'",
    });
  });

  test("is not held up by what is being written", async () => {
    const written = `POST ${repo}/issues/7/comments`;
    far.on(route, { body: pull }).on(written, { status: 201, body: { id: 1, html_url: "https://github.com/x" } });
    let over = false;
    const client = far.client({
      fetch: (input, init) => (over ? Promise.reject(new Error("this test is over")) : fetch(input, init)),
    });
    // The last of them waits nine seconds for its turn.
    const writing = Array.from({ length: 4 }, () => client.createComment(of, { number: 7, body: "?" }));
    const settled = Promise.allSettled(writing);
    await Promise.race(writing);
    await Promise.all(Array.from({ length: 10 }, () => client.pull(of, 7)));
    expect(far.find(written).length).toBeLessThan(4);
    over = true;
    void settled;
  });

  test("is one of ten at the same time at most", async () => {
    let open = 0;
    const gate = Promise.withResolvers<void>();
    const client = far.client({
      fetch: async (input, init) => {
        open += 1;
        if (input.endsWith("/pulls/7")) await gate.promise;
        return fetch(input, init).finally(() => (open -= 1));
      },
    });
    far.on(route, { body: pull });
    const reading = Promise.all(Array.from({ length: 30 }, () => client.pull(of, 7)));
    await vi.waitFor(() => expect(open).toBe(10), { timeout: 20_000 });
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    expect(open).toBe(10);
    gate.resolve();
    await reading;
    expect(far.find(route)).toHaveLength(30);
  });
});

describe("a limit", () => {
  const route = `POST ${repo}/issues/7/comments`;
  const now = new Date("2026-01-02T03:04:05Z");
  const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
  const reset = String(now.getTime() / 1_000 + 600);

  test.for([
    [
      "that names the time",
      { status: 403, headers: { "retry-after": "30" }, body: { message: "You have exceeded a secondary rate limit" } },
      later(30),
    ],
    [
      "that names the time (429)",
      { status: 429, headers: { "retry-after": "90" }, body: { message: "Too many requests" } },
      later(90),
    ],
    [
      "of the hour",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
        body: { message: "API rate limit exceeded" },
      },
      later(601),
    ],
    [
      "of the hour (429)",
      {
        status: 429,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
        body: { message: "API rate limit exceeded" },
      },
      later(601),
    ],
    [
      "that was just over by GitHub's clock",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" },
        body: { message: "API rate limit exceeded" },
      },
      later(1),
    ],
    [
      "that names no time",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "4000" },
        body: { message: "You have exceeded a secondary rate limit." },
      },
      later(60),
    ],
    [
      "of an older server",
      { status: 403, body: { message: "You have triggered an abuse detection mechanism." } },
      later(60),
    ],
    [
      "that is no number",
      { status: 429, headers: { "retry-after": "Fri, 02 Jan 2026 03:05:00 GMT" }, body: { message: "slow down" } },
      later(60),
    ],
    [
      "on comments in a row",
      {
        status: 422,
        body: {
          message: "Validation Failed",
          documentation_url: "https://docs.github.com",
          errors: [
            { resource: "IssueComment", code: "unprocessable", field: "data", message: "was submitted too quickly" },
          ],
        },
      },
      later(60),
    ],
  ] as const)("%s says when to ask again, and nothing is asked until then", async ([, told, retry_at]) => {
    far.on(route, told).on(`GET ${repo}/pulls/7`, { status: 404, body: { message: "Not Found" } });
    const client = far.client();
    const create = (): Promise<unknown> => client.createComment(of, { number: 7, body: "?" });
    expect(await failing(create())).toMatchObject({ kind: "limited", retry_at });
    const asked = far.asked.length;
    expect(await failing(create())).toMatchObject({ kind: "limited", retry_at });
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "limited", retry_at });
    expect(far.asked).toHaveLength(asked);
    far.now = retry_at;
    expect(await client.pull(of, 7)).toBeNull();
  });

  test("of an installation is not the App's", async () => {
    far
      .on(route, { status: 429, headers: { "retry-after": "30" }, body: { message: "slow down" } })
      .on("GET /app/hook/deliveries", { body: [] });
    const client = far.client();
    await failing(client.createComment(of, { number: 7, body: "?" }));
    expect(await client.deliveries(now)).toEqual([]);
  });

  test("of the App is one of whatever needs a token", async () => {
    far.on("POST /app/installations/9/access_tokens", {
      status: 403,
      headers: { "retry-after": "30" },
      body: { message: "secondary rate limit" },
    });
    const client = far.client();
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "limited", retry_at: later(30) });
    expect(await failing(client.verify())).toMatchObject({ kind: "limited", retry_at: later(30) });
  });

  test("is not what a refusal for want of a permission is", async () => {
    far.on(route, {
      status: 403,
      headers: { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": reset },
      body: { message: "Resource not accessible by integration" },
    });
    expect(await failing(far.client().createComment(of, { number: 7, body: "?" }))).toMatchObject({ kind: "refused" });
  });
});

describe("secrets", () => {
  const told = fc.record({
    status: fc.constantFrom(200, 201, 301, 304, 307, 400, 401, 403, 404, 410, 422, 429, 500, 503),
    lost: fc.option(fc.constantFrom("reset" as const, "half" as const), { nil: undefined, freq: 5 }),
    message: fc.constantFrom("plain", "token", "authorization", "key"),
    retryAfter: fc.boolean(),
  });
  const asking: readonly ((client: GitHubApp) => Promise<unknown>)[] = [
    ...creates.map(([, create]) => create),
    (client) => client.pull(of, 7),
    (client) => client.access(of, "ana"),
    (client) => client.isMember(of, "sre", "ana"),
    (client) => client.verify(),
    (client) => client.deliveries(new Date(0)),
    (client) => client.edit(of, place, "x"),
    (client) => client.repository(of),
  ];

  /** The middle of the key: its first line alone says nothing. */
  const keyLines = key.privateKey.split("\n").slice(1, -2);

  test("are in no message, stack, cause or log line, whatever goes wrong where", async () => {
    const seen: string[] = [];
    const note = (secret: string): void => void (secret === "" || seen.push(secret));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...asking),
        fc.nat(3),
        told,
        async (ask, at, { status, lost, message, retryAfter }) => {
          let requests = 0;
          const client = far.client({
            issues: true,
            fetch: async (input, init) => {
              const headers = new Headers(init.headers);
              const token = (headers.get("authorization") ?? "").replace(/^Bearer /, "");
              note(token);
              requests += 1;
              // Reads are asked again: what goes wrong stays wrong.
              if (requests <= at) return fetch(input, init);
              if (lost === "reset") throw new TypeError("fetch failed", { cause: new Error(`ECONNRESET ${token}`) });
              const words = {
                plain: "no",
                token: "no",
                authorization: "no authorization",
                key: "-----BEGIN RSA PRIVATE KEY-----",
              }[message];
              const body = JSON.stringify({
                message: words,
                token: `ghs_${token.slice(-20)}`,
                errors: [{ code: "invalid", value: token }],
              });
              return new Response([204, 304].includes(status) ? null : lost === "half" ? body.slice(0, 20) : body, {
                status,
                headers: { "content-type": "application/json", ...(retryAfter ? { "retry-after": "5" } : {}) },
              });
            },
          });
          const outcome: unknown = await ask(client).catch((error: unknown) => error);
          const shown = [
            inspect(outcome, { depth: 20, showHidden: true }),
            String(outcome),
            JSON.stringify(outcome),
            ...far.logged,
          ].join("\n");
          for (const secret of [...seen, ...seen.map((each) => each.slice(-20)), ...far.tokens, ...keyLines])
            expect(shown).not.toContain(secret);
        },
      ),
      { numRuns: 50 },
    );
    // What was looked for was really there to be shown.
    expect(seen.length).toBeGreaterThan(30);
    expect(far.tokens.length).toBeGreaterThan(5);
  }, 120_000);

  test("are in no message about a key that cannot be used", async () => {
    const broken = key.privateKey.replace(/\n.{10}/, "\n!!!!!!!!!!");
    const failure = await failing(far.client({ privateKey: new Secret(broken) }).verify());
    for (const line of keyLines) expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(line);
  });
});

describe("github.com", () => {
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  test("is asked at its own address, encrypted, and nowhere else", async () => {
    nock.disableNetConnect();
    const github = nock("https://api.github.com")
      .get("/repos/acme/checkout/installation")
      .reply(200, { id: 9, permissions: allPermissions, html_url: "https://github.com/x" })
      .post(
        "/app/installations/9/access_tokens",
        (body: { repository_ids?: unknown }) => JSON.stringify(body.repository_ids) === "[70]",
      )
      .reply(201, {
        token: "ghs_1",
        expires_at: "2999-01-01T00:00:00Z",
        repositories: [{ id: 70, full_name: "acme/checkout" }],
      })
      .post("/repos/acme/checkout/issues/7/comments", { body: "?" })
      .matchHeader("authorization", "Bearer ghs_1")
      .matchHeader("x-github-api-version", "2022-11-28")
      .reply(201, { id: 5, html_url: "https://github.com/acme/checkout/pull/7#issuecomment-5" });
    const client = far.client({ apiUrl: "https://api.github.com", appId });
    expect(await client.createComment(of, { number: 7, body: "?" })).toMatchObject({ id: 5 });
    expect(github.isDone()).toBe(true);
  });

  test("that resets the connection after a create may have done it", async () => {
    nock.disableNetConnect();
    const github = nock("https://api.github.com")
      .get("/repos/acme/checkout/installation")
      .reply(200, { id: 9, permissions: allPermissions, html_url: "https://github.com/x" })
      .post("/app/installations/9/access_tokens")
      .reply(201, {
        token: "ghs_1",
        expires_at: "2999-01-01T00:00:00Z",
        repositories: [{ id: 70, full_name: "acme/checkout" }],
      })
      .post("/repos/acme/checkout/issues/7/comments")
      .replyWithError(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
    const client = far.client({ apiUrl: "https://api.github.com" });
    expect(await failing(client.createComment(of, { number: 7, body: "?" }))).toMatchObject({ kind: "uncertain" });
    expect(github.isDone()).toBe(true);
  });
});
