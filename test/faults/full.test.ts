/** Queues are bounded: when one is full callers are told `gateway_busy` at once and nothing is sent. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { send } from "../standins/send.ts";
import { startWorld, type World } from "../standins/world.ts";

const room = 10;

let world: World;
let line: DatabaseLine;
let token: string;
/** The upstream's answers wait for it. */
let answers: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  world = await startWorld(
    async () => {
      await answers;
      return { status: 200, body: "{}" };
    },
    {
      mostWaiting: { receipts: room, bytes: 1024 * 1024 },
      databaseThrough: async (connectionString) => {
        line = await DatabaseLine.to(connectionString);
        return line.connectionString;
      },
    },
  );
});
afterAll(async () => {
  await world?.close();
  await line?.close();
});
beforeEach(async () => {
  line.thaw();
  answers = Promise.resolve();
  // What the test before did to the database is over a moment later for the connections by which sessions are opened.
  for (token = ""; token === ""; )
    token = await world.openSession().then(
      ({ access_token }) => access_token,
      () => "",
    );
});

const post = (body = "{}") =>
  send(world.url, {
    method: "POST",
    target: "/api/v1/monitor",
    headers: [
      ["DD-API-KEY", token],
      ["Content-Type", "application/json"],
    ],
    body: Buffer.from(body),
  });

const get = () => send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", token]] });

const code = (answer: { status: number; header(name: string): string | null }): string =>
  `${answer.status} ${answer.header("dogwatch-error")}`;

test("a receipt queue that is full: 503 gateway_busy, nothing sent, also no read; later everything passes", async () => {
  await expect.poll(async () => (await post()).status).toBe(200);
  const before = world.upstream.requests.length;
  line.freeze();
  // One batch may be on its way to the database, and the queue holds ten; none of them is answered before its time is over.
  const crowd = Array.from({ length: 3 * room }, () => post());
  const refused = await Promise.race(crowd);
  expect(code(refused)).toBe("503 gateway_busy");
  expect(refused.errors?.[0]).toMatch(/^dogwatch: .*nothing was sent/);
  expect(["503 gateway_busy", "503 recording_unavailable"]).toContain(code(await get()));
  const codes = (await Promise.all(crowd)).map(code);
  expect(new Set(codes)).toEqual(new Set(["503 gateway_busy", "503 recording_unavailable"]));
  expect(world.upstream.requests.length).toBe(before);
  line.thaw();
  await expect.poll(async () => (await post()).status).toBe(200);
});

test("a read that was sent before the queue was full is withheld, and is not called busy, which says that nothing was sent", async () => {
  await expect.poll(async () => (await post()).status).toBe(200);
  const { promise, resolve } = Promise.withResolvers<void>();
  answers = promise;
  const sent = world.upstream.requests.length + 3;
  const reads = [get(), get(), get()];
  await world.upstream.received(sent);
  line.freeze();
  const crowd = Array.from({ length: 3 * room }, () => post());
  expect(code(await Promise.race(crowd))).toBe("503 gateway_busy");
  resolve();
  expect(new Set((await Promise.all(reads)).map(code))).toEqual(new Set(["503 recording_unavailable"]));
  line.thaw();
  await Promise.all(crowd);
});

test("a queue that is full by its bytes refuses too", async () => {
  await expect.poll(async () => (await post()).status).toBe(200);
  line.freeze();
  const codes = await Promise.all(
    Array.from({ length: 30 }, () => post(JSON.stringify("a".repeat(100_000))).then(code)),
  );
  expect(codes).toContain("503 gateway_busy");
  line.thaw();
  await expect.poll(async () => (await post()).status).toBe(200);
});
