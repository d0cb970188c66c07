/** What people see in a browser: only with a role, never somebody else's markup, and clear words when something is not there. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { send } from "../standins/send.ts";
import { type World, auditorToken, startWorld } from "../standins/world.ts";

const viewerToken = "viewer-token-of-the-tests-0123456789";
const attack = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202egnp.exe`;

let world: World;
let line: DatabaseLine;
let cookie: string;
let session: string;

beforeAll(async () => {
  world = await startWorld(() => ({ status: 200, headers: [["X-Evil", "<b>"]], body: JSON.stringify({ attack }) }), {
    databaseThrough: async (connectionString) => {
      line = await DatabaseLine.to(connectionString);
      return line.connectionString;
    },
    tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: looker, role: viewer, token: ${viewerToken} }]`,
  });
  const opened = await world.openSession({ actor: attack, workflow: attack });
  session = opened.session_id;
  await send(world.url, {
    method: "POST",
    target: `/api/v1/monitor?q=%3Cscript%3E`,
    headers: [
      ["DD-API-KEY", opened.access_token],
      ["User-Agent", "<script>alert(3)</script>"],
      ["X-Y", "<i>"],
    ],
    body: Buffer.from(JSON.stringify({ message: attack })),
  });
  cookie = (await signIn(auditorToken)).headers.get("set-cookie")?.split(";")[0] ?? "";
});
afterAll(async () => {
  await world.close();
  await line.close();
});

const page = (path: string, headers: Record<string, string> = { cookie }): Promise<Response> =>
  fetch(world.url + path, { headers, redirect: "manual" });

const signIn = (
  token: string,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${world.url}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers,
    body: new URLSearchParams({ token, ...fields }),
  });

test("what callers and Datadog wrote is shown as text, on every page", async () => {
  for (const path of ["/sessions", `/sessions/${session}`, `/sessions/${session}/calls/1`]) {
    const response = await page(path);
    expect(response.status).toBe(200);
    const text = await response.text();
    // Of ours there is one, which is loaded.
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).toMatch(/<script type="module" src="\/assets\/dogwatch-[0-9a-f]{12}\.js"><\/script>/);
    expect(text).not.toMatch(/<img|<b>|<i>|onerror='alert|\u202e/);
    expect(response.headers.get("content-security-policy")?.split(";").toSorted()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "require-trusted-types-for 'script'",
      "script-src 'self'",
      "style-src 'self'",
      "trusted-types 'none'",
    ]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
  }
});

test("a recorded body is a file to save, never a page", async () => {
  const response = await page(`/sessions/${session}/calls/1/response/body`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; /);
  expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'/);
});

test.each(["/sessions", "/sessions/SESSION", "/sessions/SESSION/calls/1"])(
  "%s is a sign-in form to a stranger, and to who may not",
  async (path) => {
    const asked = path.replace("SESSION", session);
    for (const headers of [
      {},
      { cookie: "dogwatch_sign_in=dGVzdHM.99999999999999.AAAA" },
      { cookie: "dogwatch_sign_in=%zz" },
    ]) {
      const response = await page(asked, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.text()).not.toContain("acme");
    }
    const viewer = (await signIn(viewerToken)).headers.get("set-cookie")?.split(";")[0] ?? "";
    const response = await page(asked, { cookie: viewer });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("acme/app");
  },
);

test.each([
  "/sessions/not-a-session",
  "/sessions/00000000-0000-4000-8000-000000000000",
  "/sessions/SESSION/calls/0",
  "/sessions/SESSION/calls/x",
  "/sessions/SESSION/calls/99999999999999",
  "/sessions/SESSION/calls/7",
  "/sessions/SESSION/calls/1/other/body",
  "/sessions/SESSION/calls/99999999999999/request/body",
  "/sessions/SESSION/calls/7/request/body",
  "/sessions?cursor=a&cursor=b",
])("%s is not found, in words", async (path) => {
  const response = await page(path.replace("SESSION", session));
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await response.text()).not.toMatch(/Zod|stack|at \w+ \(|invalid_/);
});

test("what pages load is kept by browsers for good, and nothing else is in that folder", async () => {
  const text = await (await page("/sessions", {})).text();
  const [styles = ""] = /\/assets\/dogwatch-[0-9a-f]{12}\.css/.exec(text) ?? [];
  const response = await page(styles, {});
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  for (const path of [
    "/assets/assets.json",
    "/assets/..%2fmain.js",
    "/assets/LICENSES.txt",
    `${styles}?x`,
    "/assets/x",
  ])
    expect((await page(path, {})).status).toBe(404);
});

test("a cursor of somebody's making is refused", async () => {
  expect((await page("/sessions?cursor=AAAA")).status).toBe(400);
});

test("signing in leads to a path of ours and nowhere else", async () => {
  for (const to of [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "/a\r\nSet-Cookie: b=c",
    "/%0d%0a",
  ]) {
    const response = await signIn(auditorToken, { to });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toMatch(/^\/(sessions|%0d%0a)$/);
    expect(response.headers.get("set-cookie")).toMatch(/HttpOnly/);
    expect(response.headers.get("set-cookie")).toMatch(/SameSite=Lax/);
    expect(response.headers.get("cache-control")).toBe("no-store");
  }
  const asked = await page(`/sessions/"><script>`, {});
  expect(await asked.text()).not.toContain("<script>");
});

test("another site's page signs nobody in", async () => {
  for (const site of ["cross-site", "same-site"]) {
    const response = await signIn(auditorToken, {}, { "sec-fetch-site": site });
    expect(response.status).toBe(403);
    expect(response.headers.get("set-cookie")).toBeNull();
  }
  expect((await signIn(auditorToken, {}, { "sec-fetch-site": "same-origin" })).status).toBe(303);
});

test("a form without a token, or a body that is no form, is answered in words", async () => {
  const bare = await fetch(`${world.url}/sign-in`, { method: "POST" });
  expect(bare.status).toBe(401);
  const odd = await fetch(`${world.url}/sign-in`, {
    method: "POST",
    body: "{",
    headers: { "content-type": "application/json" },
  });
  expect(odd.status).toBe(400);
  expect(odd.headers.get("content-type")).toBe("text/html; charset=utf-8");
});

test("while the database is away a page says so", async () => {
  line.cut();
  try {
    const response = await page("/sessions");
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).not.toMatch(/postgres|ECONN|slonik/i);
  } finally {
    line.mend();
  }
});

test("guessing tokens is slowed down", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) statuses.push((await signIn(`guess-${i}`)).status);
  expect(statuses.at(-1)).toBe(429);
  expect((await page("/sessions")).status).toBe(200);
});
