/** The upstream stand-in keeps and answers exactly what it should; every fidelity test leans on this. */

import { once } from "node:events";
import { request as send } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { loadRecordings, recordingsMissing } from "./recordings.ts";
import { headerOf, startUpstream } from "./upstream.ts";

test("keeps target, header spelling and body bytes as they were sent", async () => {
  await using upstream = await startUpstream(() => ({ status: 200 }));
  const body = Buffer.from([0, 255, 13, 10]);
  const socket = connect(upstream.port, "127.0.0.1");
  socket.write(
    `POST /a%2Fb?z=1&a=%20 HTTP/1.1\r\nHost: x\r\ndd-Api-KEY: k\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  socket.write(body);
  await text(socket);
  const [request] = upstream.requests;
  expect(request?.url).toBe("/a%2Fb?z=1&a=%20");
  expect(request?.rawHeaders).toContain("dd-Api-KEY");
  expect(request && headerOf(request, "DD-API-KEY")).toBe("k");
  expect(request?.body).toEqual(body);
  expect(request?.size).toBe(4);
});

test("answers the given reason, header order and bytes, and adds no date", async () => {
  await using upstream = await startUpstream(() => ({
    status: 200,
    reason: "Fine",
    headers: [
      ["X-B", "1"],
      ["x-a", "2"],
      ["X-B", "3"],
      ["Content-Length", "2"],
    ],
    body: "ok",
  }));
  const socket = connect(upstream.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await text(socket)).toBe(
    "HTTP/1.1 200 Fine\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
  );
});

test("streams a body of unknown length and says when the client goes away", async () => {
  let waiting: () => void = () => {};
  const forever = new Promise<void>((resolve) => {
    waiting = resolve;
  });
  await using upstream = await startUpstream(() => ({
    status: 200,
    body: (async function* () {
      yield Buffer.from("first");
      await forever;
    })(),
  }));
  const client = send(upstream.url);
  client.end();
  const [response] = await once(client, "response");
  const [chunk] = await once(response, "data");
  expect(String(chunk)).toBe("first");
  const { gone } = upstream.requests[0]!;
  const left = once(gone, "abort");
  client.destroy();
  await left;
  expect(gone.aborted).toBe(true);
  waiting();
});

test("puts raw bytes on the socket, and hangs up, when told to", async () => {
  await using upstream = await startUpstream((request) => (request.url === "/raw" ? { raw: "garbage" } : "hang up"));
  const ask = async (path: string): Promise<string> => {
    const socket = connect(upstream.port, "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return text(socket).catch(() => "reset");
  };
  expect(await ask("/raw")).toBe("garbage");
  expect(["", "reset"]).toContain(await ask("/"));
});

test("keeps digests only when memory has to stay flat", async () => {
  await using upstream = await startUpstream(() => ({ status: 202 }), { keep: "digests" });
  await fetch(upstream.url, { method: "POST", body: "abc" });
  await upstream.received(1);
  expect(upstream.requests[0]).toMatchObject({
    size: 3,
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    body: Buffer.alloc(0),
  });
});

const recordings = loadRecordings();

test("loads every recorded exchange", ({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
  const exchanges = recordings!.flatMap((recording) => recording.exchanges);
  expect(recordings!.length).toBeGreaterThan(500);
  expect(exchanges.length).toBeGreaterThan(1000);
  expect(exchanges.every(({ request, response }) => request.path.startsWith("/") && response.status >= 200)).toBe(true);
});
