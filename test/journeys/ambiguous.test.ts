/** What two readers could read differently, and hosts that are not Datadog's, are refused, written down, and never forwarded. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { rawExchange } from "../standins/rawSocket.ts";
import { send } from "../standins/send.ts";
import { type World, startWorld } from "../standins/world.ts";

let world: World;
let token: string;
let session: string;
let before: number;

beforeAll(async () => {
  world = await startWorld(() => ({ status: 200, body: "{}" }));
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(() => world.close());
beforeEach(() => {
  before = world.upstream.requests.length;
});

const call = (target: string, headers: readonly (readonly [string, string])[] = []) =>
  send(world.url, { target, headers: [["DD-API-KEY", token], ...headers] });

const audited = async (): Promise<string> =>
  (await world.audit()).map(({ kind, what, reason }) => `${kind} ${what} ${reason}`).join("\n");

test.each([
  ["dot segments", "/api/v1/dashboard/../monitor/4212"],
  ["encoded dot segments", "/api/v1/dashboard/%2e%2e/monitor/4212"],
  ["an empty segment", "/api/v1//monitor"],
  ["a semicolon that hides another operation", "/api/v1/monitor;x=/4212"],
  ["an encoded slash that makes another operation", "/api/v1/monitor%2F4212"],
  ["an encoded slash twice over", "/api/v1/monitor%252F4212"],
  ["a backslash", "/api/v1/monitor\\4212"],
  ["an encoded NUL", "/api/v1/monitor/%00"],
  ["broken percent-encoding", "/api/v1/monitor/%zz"],
])("%s: %s", async (_, target) => {
  const answer = await call(target);
  expect(answer.status).toBe(400);
  expect(answer.header("dogwatch-error")).toBe("request_malformed");
  expect(answer.header("dogwatch-call")).toMatch(new RegExp(`^${session}/\\d+$`));
  expect(answer.errors?.[0]).toMatch(/^dogwatch: /);
  expect(world.upstream.requests.length).toBe(before);
  await world.audited(/request_malformed/);
});

test.each([
  ["the metadata service", "/proxy/169.254.169.254/latest/meta-data/"],
  ["a stranger's host", "/proxy/evil.example/api/v1/monitor"],
  ["a host that only ends like the site's", "/proxy/api.datadoghq.com.evil.example/api/v1/monitor"],
  ["another site's host", "/proxy/api.us3.datadoghq.com/api/v1/monitor"],
  ["mixed case", "/proxy/API.datadoghq.com/api/v1/monitor"],
  ["user information", "/proxy/user@api.datadoghq.com/api/v1/monitor"],
  ["a port", "/proxy/api.datadoghq.com:8443/api/v1/monitor"],
  ["an encoded host", "/proxy/api%2edatadoghq.com/api/v1/monitor"],
  ["no host", "/proxy//api/v1/monitor"],
])("%s is no host to go to: %s", async (_, target) => {
  const answer = await call(target);
  expect(answer.status).toBe(403);
  expect(answer.header("dogwatch-error")).toBe("host_not_allowed");
  expect(world.upstream.requests.length).toBe(before);
  await world.audited(/host_not_allowed/);
});

test.each([
  [
    "content-length beside transfer-encoding",
    "POST /api/v1/series HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  [
    "two lengths",
    "POST /api/v1/series HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
  ],
  [
    "a bare carriage return in a field",
    "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nX-A: b\rX-C: d\r\n\r\n",
  ],
  ["a space before the colon", "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY : TOKEN\r\n\r\n"],
  ["a folded field", "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nX-A: b\r\n c\r\n\r\n"],
  ["two hosts", "GET /api/v1/monitor HTTP/1.1\r\nHost: a\r\nHost: b\r\nDD-API-KEY: TOKEN\r\n\r\n"],
  ["absolute-form", "GET http://api.datadoghq.com/api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\n\r\n"],
  [
    "absolute-form with user information",
    "GET http://u:p@api.datadoghq.com/api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\n\r\n",
  ],
  ["a header section without end", `GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nX-Long: ${"a".repeat(40_000)}\r\n\r\n`],
])("%s is refused before anything looks at it", async (_, bytes) => {
  const answer = await rawExchange(world.url, bytes.replace("TOKEN", token));
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain("dogwatch-error: request_malformed");
  expect(world.upstream.requests.length).toBe(before);
  await world.audited(/request_refused .*request_malformed/);
});

test("a chunked body with a smuggled second request reaches the upstream as one body or not at all", async () => {
  const smuggled = "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\n\r\n";
  const answer = await rawExchange(
    world.url,
    `POST /api/v1/series HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\nTransfer-Encoding: xchunked\r\n\r\n${smuggled}`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(world.upstream.requests.length).toBe(before);
});

test("a token outside the token slots is refused, and written down nowhere", async () => {
  for (const [target, header] of [
    [`/api/v1/monitor/${token}`, "x"],
    [`/api/v1/monitor?tag=${token}`, "x"],
    ["/api/v1/monitor", token],
  ] as const) {
    const answer = await call(target, [["X-Extra", header]]);
    expect(answer.header("dogwatch-error")).toBe("request_malformed");
  }
  expect(world.upstream.requests.length).toBe(before);
  expect(await audited()).not.toContain(token);
});
