/** Cookies by which a browser is known: nobody else's host sets or reads them, and forms prove which sign-in they belong to. */

import cookie from "@fastify/cookie";
import Fastify from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCookies, ownPath } from "../../server/http/cookies.ts";

const secure = createCookies("https://dogwatch.example.com");
const plain = createCookies("http://127.0.0.1:8080");
const app = Fastify();
const until = new Date("2031-01-01T00:00:00Z");

beforeAll(async () => {
  await app.register(cookie);
  app.get("/secure", async (_request, reply) => {
    secure.write(reply, "person", { value: "v", until });
    return "";
  });
  app.get("/plain", async (_request, reply) => {
    plain.write(reply, "person", { value: "v", until });
    return "";
  });
  app.get("/token", (request) => ({ secure: secure.formToken(request), plain: plain.formToken(request) }));
  app.post("/ours", (request) => ({ ours: plain.isOurForm(request, String(request.headers["x-form"])) }));
  await app.ready();
});
afterAll(() => app.close());

test("with https they are bound to this host, its every path, and TLS", async () => {
  const { headers } = await app.inject("/secure");
  expect(headers["set-cookie"]).toBe(
    "__Host-dogwatch_person=v; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
  );
});

test("on this machine alone there is no TLS", async () => {
  const { headers } = await app.inject("/plain");
  expect(headers["set-cookie"]).toBe(
    "dogwatch_person=v; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT; HttpOnly; SameSite=Lax",
  );
});

test("with https a cookie without the prefix, which any host of the domain can set, is nobody's", async () => {
  const answer = await app.inject({ url: "/token", headers: { cookie: "dogwatch_person=v" } });
  expect(answer.json()).toEqual({ secure: null, plain: expect.stringMatching(/^[\w-]{43}$/) });
});

test("a form token belongs to one sign-in, and says nothing of its cookie", async () => {
  const tokenOf = async (header: string): Promise<string> =>
    (await app.inject({ url: "/token", headers: { cookie: header } })).json<{ plain: string }>().plain;
  const tokens = await Promise.all(
    ["dogwatch_person=a", "dogwatch_person=b", "dogwatch_sign_in=a", "dogwatch_person=a; dogwatch_sign_in=b"].map(
      tokenOf,
    ),
  );
  expect(new Set(tokens).size).toBe(4);
  expect(await tokenOf("dogwatch_person=a")).toBe(tokens[0]);
  expect(await tokenOf("dogwatch_browser=a")).toBeNull();
});

test.each([
  [{ "sec-fetch-site": "same-origin" }, true],
  [{ origin: "http://dogwatch.test" }, true],
  [{}, false],
  [{ "sec-fetch-site": "none" }, false],
  [{ "sec-fetch-site": "same-site", origin: "http://dogwatch.test" }, false],
  [{ "sec-fetch-site": "cross-site" }, false],
  [{ origin: "http://evil.test" }, false],
  [{ origin: "http://dogwatch.test.evil.test" }, false],
  [{ origin: "null" }, false],
])("a form with %j is ours: %s", async (headers, expected) => {
  const signedIn = { host: "dogwatch.test", cookie: "dogwatch_person=a" };
  const token = (await app.inject({ url: "/token", headers: signedIn })).json<{ plain: string }>().plain;
  const sent = async (form: string) =>
    (await app.inject({ method: "POST", url: "/ours", headers: { ...signedIn, ...headers, "x-form": form } })).json();
  expect(await sent(token)).toEqual({ ours: expected });
  expect(await sent(`${token}x`)).toEqual({ ours: false });
});

test.each([
  ["/approvals?x=1", "/approvals?x=1"],
  ["//evil.example", "/home"],
  ["/\\evil.example", "/home"],
  ["https://evil.example", "/home"],
  ["/a b", "/home"],
  ["/a\nb", "/home"],
  ["", "/home"],
  [undefined, "/home"],
])("%j leads to %j", (to, where) => {
  expect(ownPath(to, "/home")).toBe(where);
});
