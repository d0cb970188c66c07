/** A body on its way up: how long the other side waits for it, and what happens where it cannot be recorded. */

import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { bodyOf, readUpTo, streamThrough } from "../../../server/stages/forward/requestBody.ts";
import { isBroken, Upstreams } from "../../../server/stages/forward/upstream.ts";

const servers: Server[] = [];
const upstreams = new Upstreams();
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(take: (incoming: IncomingMessage) => Promise<unknown>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    void take(incoming).then(
      (said) => outgoing.end(String(said)),
      () => outgoing.destroy(),
    );
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Capture = (chunk: Buffer) => Promise<void> | undefined;

/** Passes what it gets on to `target`, as a call with a long body is passed on; says what came of it. */
const passing = (target: string, capture: Capture) =>
  listen(async (incoming) => {
    const body = streamThrough(await readUpTo(4, bodyOf(incoming)), capture);
    const sent = upstreams.send(target, { method: "POST", host: "h", target: "/", headers: [], body });
    const answer = await sent.answered;
    return isBroken(answer) ? answer.message : `answered ${(await answer.body.collect()).toString()}`;
  });

const post = async (url: string, body: Buffer): Promise<string> => {
  const outgoing = request(url, { method: "POST" }).end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return Buffer.concat(await incoming.toArray()).toString();
};

const long = Buffer.alloc(1024 * 1024, "a");

test("the request's head and its first piece are sent while that piece is still being recorded", async () => {
  const arrived = Promise.withResolvers<void>();
  const target = await listen(async (incoming) => {
    arrived.resolve();
    return Buffer.concat(await incoming.toArray()).equals(long);
  });
  const gateway = await passing(target, () => arrived.promise);
  expect(await post(gateway, long)).toBe("answered true");
});

test("no more is sent than the piece that cannot be recorded", async () => {
  let received = 0;
  const target = await listen(async (incoming) => {
    for await (const chunk of incoming as AsyncIterable<Buffer>) received += chunk.length;
    return "whole";
  });
  let captured = 0;
  const gateway = await passing(target, (chunk) => {
    captured += chunk.length;
    return Promise.reject(new Error("no room for it"));
  });
  expect(await post(gateway, long)).toBe("Error: no room for it");
  expect(captured).toBeLessThan(long.length);
  expect(received).toBeLessThanOrEqual(captured);
});
