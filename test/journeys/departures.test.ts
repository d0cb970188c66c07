/** Whoever goes away in the middle, caller or upstream: the call is not sent twice, not left open, and its receipt says how far it got. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { CallJson } from "../../server/contract.ts";
import { RawConnection } from "../standins/rawSocket.ts";
import { send } from "../standins/send.ts";
import { type World, startWorld } from "../standins/world.ts";

const MiB = 1024 * 1024;
const rules = `
    - { name: no-secrets, effect: deny, when: 'operation.name == "CreateMonitor" && request.body.name == "secret"' }
    - { name: everything, effect: allow, when: 'true' }`;

let world: World;
let token: string;
let session: string;
let upstream: Server;
/** What the upstream does with the next request, from its first byte on. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let arrived = 0;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    arrived += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  world = await startWorld(() => "hang up", { rules, instead: { endpoint: `http://127.0.0.1:${port}` } });
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(async () => {
  await world.close();
  upstream.closeAllConnections();
  upstream.close();
});
beforeEach(() => {
  arrived = 0;
});

const head = (line: string, fields = ""): string =>
  `${line} HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\n${fields}\r\n`;

async function ended(query: string): Promise<CallJson> {
  for (;;) {
    const call = (await world.endedCalls(session)).find((one) => one.query === query);
    if (call !== undefined) return call;
  }
}

test("a caller that leaves before its body is there leaves a receipt of a call that was never sent", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(head("POST /api/v1/monitor?early", "Content-Length: 100\r\n") + "{");
  // Its head has been read when another call, sent after it, is answered.
  answer = (_request, response) => response.end("{}");
  await send(world.url, { target: "/api/v1/validate", headers: [["DD-API-KEY", token]] });
  connection.destroy();
  expect(await ended("early")).toMatchObject({
    state: "refused",
    status: null,
    error_code: "client_disconnected",
    forwarded_at: null,
    response: null,
  });
  expect(arrived).toBe(1);
});

test("a caller that leaves in the middle of its upload takes the upstream's request along", async () => {
  let cut: () => void = () => undefined;
  const cutOff = new Promise<void>((resolve) => {
    cut = resolve;
  });
  const connection = new RawConnection(world.url);
  answer = (request) => {
    request.on("error", () => undefined).on("close", () => cut());
    request.once("data", () => connection.destroy());
    request.resume();
  };
  await connection.write(head("POST /api/v2/series?upload", `Content-Length: ${50 * MiB}\r\n`));
  await connection.write(Buffer.alloc(MiB, "a"));
  await cutOff;
  const call = await ended("upload");
  expect(call).toMatchObject({ state: "closed", status: null, error_code: "client_disconnected" });
  expect(call.request.body).toMatchObject({ truncated: true });
  expect(arrived).toBe(1);
});

test.each([
  ["at once", ""],
  ["when a part of it is there", "data"],
])(
  "an upstream that answers %s, before the upload ends, is passed on, and the connection serves the next call",
  async (_, when) => {
    answer = (request, response) => {
      const refuse = (): void => void response.writeHead(413, { "Content-Length": "10" }).end('{"e":"no"}');
      if (when === "") refuse();
      else request.once("data", refuse);
    };
    const query = `answered-early-${when}`;
    const connection = new RawConnection(world.url);
    await connection.write(head(`POST /api/v2/series?${query}`, `Content-Length: ${8 * MiB}\r\n`));
    // A client that reads nothing before it has written everything.
    await connection.write(Buffer.alloc(8 * MiB, "a"));
    await connection.until(/^HTTP\/1\.1 413 [^]*\{"e":"no"\}$/);
    answer = (_request, response) => response.writeHead(200, { "Content-Length": "2" }).end("{}");
    await connection.write(head("GET /api/v1/validate"));
    await connection.until(/HTTP\/1\.1 200 [^]*\{\}$/);
    connection.destroy();
    const call = await ended(query);
    expect(call).toMatchObject({
      state: "closed",
      status: 413,
      error_code: null,
      request: { body: { truncated: true } },
    });
  },
);

test("the recording of an upload that was cut short is the bytes whose digest it names", async () => {
  answer = (request, response) => {
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > 3 * MiB && !response.headersSent) response.writeHead(413, { "Content-Length": "2" }).end("{}");
    });
  };
  const sent = Buffer.from(Array.from({ length: 8 * MiB }, (_, i) => (i * 2_654_435_761) >>> 24));
  const connection = new RawConnection(world.url);
  await connection.write(head("POST /api/v2/series?digest", `Content-Length: ${sent.length}\r\n`));
  await connection.write(sent);
  await connection.until(/413/);
  connection.destroy();
  const call = await ended("digest");
  const stored = Buffer.from(
    await (await world.read(`/v1/sessions/${session}/calls/${call.n}/request/body`)).arrayBuffer(),
  );
  expect(stored.length).toBeGreaterThan(2 * MiB);
  expect(stored.equals(sent.subarray(0, stored.length))).toBe(true);
  expect(stored.length).toBe(call.request.body?.size);
});

test.each([
  ["hangs up without a word", (_: IncomingMessage, response: ServerResponse) => response.destroy()],
  [
    "says how long its answer is and stops before",
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "Content-Length": "10" }).write("{}");
      setImmediate(() => response.destroy());
    },
  ],
  [
    "says something that is not HTTP",
    (_: IncomingMessage, response: ServerResponse) => response.socket?.end("NOT HTTP\r\n\r\n"),
  ],
])("an upstream that %s: 502 for what only reads, and for the rest that nobody knows", async (_, behave) => {
  answer = behave;
  const read = await send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", token]] });
  expect([read.status, read.header("dogwatch-error")]).toEqual([502, "upstream_unreachable"]);
  const write = await send(world.url, {
    method: "PUT",
    target: "/api/v1/dashboard/a",
    headers: [["DD-API-KEY", token]],
  });
  expect([write.status, write.header("dogwatch-error")]).toEqual([403, "outcome_unknown"]);
  expect(arrived).toBe(2);
  const [readCall, writeCall] = (await world.calls(session)).slice(-2);
  expect(readCall).toMatchObject({ state: "closed", status: 502, error_code: "upstream_unreachable" });
  expect(writeCall).toMatchObject({ state: "indeterminate", status: 403, error_code: "outcome_unknown" });
});

test.each([204, 304])("an answer of status %i has no body and is whole", async (status) => {
  answer = (_request, response) => response.writeHead(status, { ETag: '"a"' }).end();
  const got = await send(world.url, { target: `/api/v1/monitor?s${status}`, headers: [["DD-API-KEY", token]] });
  expect([got.status, got.header("etag"), got.body.length]).toEqual([status, '"a"', 0]);
  expect(await ended(`s${status}`)).toMatchObject({ state: "closed", status, response: { body: null } });
});

test("HEAD is answered with the length and without the body, and 103 hints and trailers end nothing", async () => {
  answer = (request, response) => {
    response.writeEarlyHints({ link: "</a>; rel=preload" });
    response.writeHead(200, request.method === "HEAD" ? { "Content-Length": "500000" } : { Trailer: "X-T" });
    if (request.method !== "HEAD") response.write("{}");
    response.addTrailers({ "X-T": "1" });
    response.end();
  };
  const hint = await send(world.url, {
    method: "HEAD",
    target: "/api/v1/monitor?hd",
    headers: [["DD-API-KEY", token]],
  });
  expect([hint.status, hint.header("content-length"), hint.body.length]).toEqual([200, "500000", 0]);
  const got = await send(world.url, { target: "/api/v1/monitor?trailers", headers: [["DD-API-KEY", token]] });
  expect([got.status, got.body.toString()]).toEqual([200, "{}"]);
  expect(await ended("hd")).toMatchObject({ state: "closed", status: 200 });
  expect(await ended("trailers")).toMatchObject({ state: "closed", status: 200 });
});

test.each([
  ["a reason nobody may write", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n{}"],
  ["a field nobody may write", "HTTP/1.1 200 OK\r\nX-A: b\x01c\r\nContent-Length: 2\r\n\r\n{}"],
  ["a field nobody may write, and no length", "HTTP/1.1 200 OK\r\nX-A: b\x01c\r\n\r\n{}"],
  ["text in another alphabet", "HTTP/1.1 200 \xe9\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\n{}"],
  ["a status that is none", "HTTP/1.1 042 Odd\r\nContent-Length: 2\r\n\r\n{}"],
])("an answer with %s leaves a call that has ended, and a caller who is told", async (name, bytes) => {
  answer = (_request, response) => response.socket?.end(bytes, "latin1");
  const query = encodeURIComponent(name);
  const got = await send(world.url, { target: `/api/v1/monitor?${query}`, headers: [["DD-API-KEY", token]] });
  expect([200, 502]).toContain(got.status);
  const call = await ended(query);
  expect(call.state).toBe("closed");
  expect(call.status).toBe(got.status);
});

test("nothing of all that was a surprise", () => {
  expect(world.log.filter((line) => line.includes("nobody foresaw"))).toEqual([]);
});
