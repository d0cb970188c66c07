/** SIGTERM: calls in flight end as they would have, new ones are turned away, and whatever never ends is broken off and recorded. */

import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { RawConnection } from "../standins/rawSocket.ts";
import { send } from "../standins/send.ts";
import { auditorToken, type World, startWorld } from "../standins/world.ts";

let world: World;
/** Lets the held answers go. */
let letGo: () => void = () => undefined;
const held = (): Promise<void> =>
  new Promise((resolve) => {
    letGo = resolve;
  });

afterEach(() => world.close());

async function* endless(end: Promise<void>): AsyncGenerator<Buffer> {
  yield Buffer.from("data: 1\n\n");
  await end;
}

const startHolding = async (patience: number): Promise<string> => {
  const wait = held();
  world = await startWorld(
    async ({ url }) => {
      if (url.includes("endless")) return { status: 200, body: endless(new Promise(() => undefined)) };
      if (url.includes("held")) await wait;
      return { status: 200, headers: [["Content-Length", "2"]], body: "{}" };
    },
    { patience },
  );
  return (await world.openSession()).access_token;
};

/** States and codes of all calls, by query, as the database has them. */
const recorded = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (
      await world.database.query<{ query: string; state: string; error_code: string | null }>(
        "SELECT c.query, coalesce(e.state, 'open') AS state, e.error_code FROM calls c LEFT JOIN closings e USING (session_id, n)",
      )
    ).map(({ query, state, error_code }) => [query, `${state} ${error_code ?? "well"}`]),
  );

test("a call in flight ends well, on its kept connection too, and nothing new is begun meanwhile", async () => {
  const token = await startHolding(60_000);
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<number>((resolve, reject) => {
    request(
      `${world.url}/api/v1/monitor?held`,
      { method: "POST", agent, headers: { "dd-api-key": token } },
      (response) => response.resume().on("end", () => resolve(response.statusCode ?? 0)),
    )
      .on("error", reject)
      .end();
  });
  const silent = new RawConnection(world.url);
  await silent.write("");
  const pipelined = new RawConnection(world.url);
  const line = `HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\nContent-Length: 0\r\n\r\n`;
  await pipelined.write(`POST /api/v1/monitor?held2 ${line}POST /api/v1/monitor?late ${line}`);
  await world.upstream.received(2);
  const closed = world.gateway.close();
  const refused = await send(world.url, { target: "/api/v1/monitor?new", headers: [["DD-API-KEY", token]] }).catch(
    () => null,
  );
  expect(refused?.status ?? 503).toBe(503);
  // One that a browser opened in advance holds up nothing.
  await silent.over;
  letGo();
  expect(await answered).toBe(200);
  await pipelined.over;
  expect(pipelined.text).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 503 [^]*dogwatch-error: gateway_busy[^]*stopping/);
  await closed;
  agent.destroy();
  expect(await recorded()).toEqual({ held: "closed well", held2: "closed well" });
});

test.each([
  ["what is no request here", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"],
  ["what cannot be read", "GET / HTTP/9.9\r\n\r\n"],
])("who was turned away with %s and does not hang up holds up nothing", async (_name, bytes) => {
  await startHolding(600_000);
  const { hostname, port } = new URL(world.url);
  const refused = connect({ host: hostname, port: Number(port), allowHalfOpen: true }, () => refused.write(bytes));
  await once(refused.resume(), "end");
  await world.gateway.close();
  refused.destroy();
});

test("who follows a session, and who has sent half a request, hold up nothing for longer than they may", async () => {
  await startHolding(1_000);
  const { session_id } = await world.openSession();
  const events = new RawConnection(world.url);
  const line = `HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${auditorToken}\r\n`;
  await events.write(`GET /v1/sessions/${session_id}/events ${line}\r\n`);
  await events.until(/retry: /);
  const half = new RawConnection(world.url);
  await half.write(
    `POST /v1/token ${line}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ngrant`,
  );
  const head = new RawConnection(world.url);
  await head.write(`GET /v1/sessions ${line}`);
  await world.gateway.close();
  await Promise.all([events.over, half.over, head.over]);
  expect(events.text).toMatch(/\r\n0\r\n\r\n$/);
});

test("a stream that never ends, a write without an answer and an upload that stalls are broken off, and each has its receipt", async () => {
  const token = await startHolding(200);
  const stream = new RawConnection(world.url);
  const write = new RawConnection(world.url);
  const upload = new RawConnection(world.url);
  const line = `HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\n`;
  await stream.write(`GET /api/v1/monitor?endless ${line}\r\n`);
  await stream.until(/data: 1/);
  await write.write(`POST /api/v1/monitor?held ${line}Content-Length: 0\r\n\r\n`);
  await upload.write(`POST /api/v2/series?upload ${line}Content-Length: 1000000\r\n\r\n${"a".repeat(300_000)}`);
  await world.upstream.received(2);
  while (!("upload" in (await recorded())));
  const closed = world.gateway.close();
  await upload.until(/\r\n\r\n.*}$/s);
  upload.destroy();
  await closed;
  expect(await stream.over).toBe("ended");
  expect(stream.text).not.toMatch(/\r\n0\r\n\r\n$/);
  await write.until(/outcome_unknown/);
  expect(upload.text).toContain("outcome_unknown");
  expect(await recorded()).toEqual({
    endless: "closed upstream_unreachable",
    held: "indeterminate outcome_unknown",
    upload: "indeterminate outcome_unknown",
  });
});
