/** One connection, several requests: none is read differently by two parties, none is carried out whose answer could not be given. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { RawConnection, rawExchange } from "../standins/rawSocket.ts";
import { send } from "../standins/send.ts";
import { headerOf } from "../standins/upstream.ts";
import { type World, realKeys, startWorld } from "../standins/world.ts";

let world: World;
let token: string;
let session: string;
let before: number;
/** Lets the held answers go. */
let letGo: () => void = () => undefined;
let held: Promise<void>;

beforeAll(async () => {
  world = await startWorld(
    async ({ url }) => {
      if (url.includes("held")) await held;
      if (url.includes("endless")) return { status: 200, headers: [["X-Begun", "yes"]], body: oneChunkThen(held) };
      if (url.includes("broken"))
        return { status: 200, body: oneChunkThen(held.then(() => Promise.reject(new Error("broken")))) };
      return { status: 200, headers: [["Content-Length", "2"]], body: "{}" };
    },
    { rules: "    - { name: all-but-deletes, effect: allow, when: 'operation.access != \"destructive\"' }" },
  );
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(() => world.close());
beforeEach(() => {
  before = world.upstream.requests.length;
  held = new Promise((resolve) => {
    letGo = resolve;
  });
});

async function* oneChunkThen(end: Promise<void>): AsyncGenerator<Buffer> {
  yield Buffer.from("data: 1\n\n");
  await end;
}

const seen = (): string[] => world.upstream.requests.slice(before).map(({ method, url }) => `${method} ${url}`);
const head = (line: string, fields = ""): string =>
  `${line} HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\n${fields}\r\n`;
const lastCall = async () => (await world.calls(session)).at(-1);

test("what stands behind an ambiguous request on its connection is not carried out", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(
    head("POST /api/v1/monitor", "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n") +
      "{}" +
      head("POST /api/v1/monitor/2"),
  );
  expect(await connection.over).toBe("ended");
  expect(connection.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(connection.text).toContain("request_malformed");
  await send(world.url, { target: "/api/v1/validate", headers: [["DD-API-KEY", token]] });
  expect(seen()).toEqual(["GET /api/v1/validate"]);
});

test("pipelined requests are carried out one after the other, and answered in their order", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(
    head("POST /api/v1/monitor?held", "Content-Length: 0\r\n") +
      head("POST /api/v1/dashboard", "Content-Length: 0\r\n"),
  );
  await world.upstream.received(before + 1);
  // A third party's call passes meanwhile: it shows that the second of the two is not merely late.
  await send(world.url, { target: "/api/v1/validate", headers: [["DD-API-KEY", token]] });
  expect(seen()).toEqual(["POST /api/v1/monitor?held", "GET /api/v1/validate"]);
  letGo();
  await connection.until(/\{\}[^]*\{\}/);
  expect(seen()).toEqual(["POST /api/v1/monitor?held", "GET /api/v1/validate", "POST /api/v1/dashboard"]);
  connection.destroy();
});

test("a caller that leaves takes its pipelined requests along: they are not carried out", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(
    head("POST /api/v1/monitor?held", "Content-Length: 0\r\n") +
      head("POST /api/v1/dashboard", "Content-Length: 0\r\n"),
  );
  await world.upstream.received(before + 1);
  connection.destroy();
  await closedCall("held");
  letGo();
  await send(world.url, { target: "/api/v1/validate", headers: [["DD-API-KEY", token]] });
  expect(seen()).toEqual(["POST /api/v1/monitor?held", "GET /api/v1/validate"]);
});

test("nothing is written into an answer that has begun, whatever comes behind its request", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(head("GET /api/v1/monitor?endless"));
  await connection.until(/data: 1/);
  await connection.write("garbage\r\n\r\n");
  // Whatever the gateway does about it, it has done when another connection's call is answered.
  await send(world.url, { target: "/api/v1/validate", headers: [["DD-API-KEY", token]] });
  expect(connection.text).not.toContain("400");
  letGo();
  await connection.over;
  expect(connection.text).toMatch(/data: 1\n\n\r\n0\r\n\r\nHTTP\/1\.1 400 [^]*request_malformed/);
  expect(await closedCall("endless")).toMatchObject({ state: "closed", status: 200, error_code: null });
});

test.each([
  [
    "a coding beside chunked",
    /transfer-encoding is something else/,
    "POST /api/v1/series HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
  ],
  [
    "chunked in HTTP/1.0",
    /HTTP\/1.0 has no transfer-encoding/,
    "POST /api/v1/series HTTP/1.0\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
  ],
  [
    "an expectation nobody knows",
    /expectation/,
    "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nExpect: 200-maybe\r\n\r\n",
  ],
  ["no host", /no Host header/, "GET /api/v1/monitor HTTP/1.1\r\nDD-API-KEY: TOKEN\r\n\r\n"],
  [
    "CONNECT",
    /CONNECT is not served/,
    "CONNECT api.datadoghq.com:443 HTTP/1.1\r\nHost: api.datadoghq.com\r\nDD-API-KEY: TOKEN\r\n\r\n",
  ],
  [
    "an upgrade",
    /not upgraded/,
    "GET /api/v1/monitor HTTP/1.1\r\nHost: h\r\nDD-API-KEY: TOKEN\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ],
])("%s is refused and written down", async (_, reason, bytes) => {
  const answer = await rawExchange(world.url, bytes.replace("TOKEN", token));
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain("dogwatch-error: request_malformed");
  expect(seen()).toEqual([]);
  expect(await world.audited(reason)).toMatchObject({ kind: "request_refused" });
});

test("a refused upload of 5 MB gets its answer, however much of it is still on the way", async () => {
  for (let i = 0; i < 5; i++) {
    const answer = await send(world.url, {
      method: "DELETE",
      target: "/api/v1/dashboard",
      headers: [
        ["DD-API-KEY", token],
        ["Content-Type", "application/json"],
      ],
      body: Buffer.alloc(5 * 1024 * 1024, " "),
    });
    expect(answer.status).toBe(403);
    expect(answer.errors?.[0]).toMatch(/is denied/);
  }
  expect(seen()).toEqual([]);
});

test("a caller that asks first is told to go on, and its connection serves the next request", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(head("POST /api/v1/monitor", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
  await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
  await connection.write("{}");
  await connection.until(/HTTP\/1\.1 200 [^]*\{\}$/);
  await connection.write(head("GET /api/v1/validate"));
  await connection.until(/HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*\{\}/);
  connection.destroy();
  expect(seen()).toEqual(["POST /api/v1/monitor", "GET /api/v1/validate"]);
  expect(headerOf(world.upstream.requests.at(-2) ?? { rawHeaders: [] }, "expect")).toBeUndefined();
});

test("an HTTP/1.0 caller is answered, and never takes a broken answer for a whole one", async () => {
  const whole = await rawExchange(world.url, `GET /api/v1/monitor HTTP/1.0\r\nDD-API-KEY: ${token}\r\n\r\n`);
  expect(whole).toMatch(/^HTTP\/1\.1 200 [^]*\{\}$/);

  const connection = new RawConnection(world.url);
  await connection.write(`GET /api/v1/monitor?broken HTTP/1.0\r\nDD-API-KEY: ${token}\r\n\r\n`);
  await connection.until(/data: 1/);
  letGo();
  // Its answer ends with the connection: an orderly end would say that this was all.
  expect(await connection.over).toBe("reset");
});

test("a header named by Connection goes no further, but nobody strips the connection's keys that way", async () => {
  await send(world.url, {
    target: "/api/v1/monitor",
    headers: [
      ["DD-API-KEY", token],
      ["Connection", "keep-alive, X-Mine, DD-API-KEY, DD-APPLICATION-KEY"],
      ["X-Mine", "1"],
    ],
  });
  const got = world.upstream.requests.at(-1) ?? { rawHeaders: [] };
  expect(headerOf(got, "x-mine")).toBeUndefined();
  expect(headerOf(got, "dd-api-key")).toBe(realKeys.api);
  expect(headerOf(got, "dd-application-key")).toBe(realKeys.app);
});

test("a method that the catalogue does not know is a call like any other", async () => {
  const answer = await send(world.url, {
    method: "PROPFIND",
    target: "/api/v1/monitor",
    headers: [
      ["DD-API-KEY", token],
      ["Content-Type", "text/odd"],
    ],
    body: Buffer.from("x"),
  });
  expect(answer.status).toBe(200);
  expect(await lastCall()).toMatchObject({ method: "PROPFIND", access: "unknown", status: 200 });
});

const closedCall = async (query: string) => (await world.endedCalls(session)).findLast((call) => call.query === query);
