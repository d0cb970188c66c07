/** Tokens in bodies that are not what they say: none turns back, and each is told or nothing is sent. */

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { World } from "../../standins/world.ts";
import { type Agent, openAgent, startMasking } from "./scene.ts";

describe("a body that two readers, or nobody, can read", () => {
  const things = new Map<string, Buffer>();
  const path = "/api/v1/monitor/4212";
  let world: World;
  let agent: Agent;
  beforeAll(async () => {
    world = await startMasking(things);
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    things.set(path, Buffer.from('{"id":4212,"message":"call ann@example.com"}'));
    agent = await openAgent(world);
  });

  test("with a second content type, which says that it is a form, nothing is sent", async () => {
    const read = (await agent.get(path)).body.toString();
    const before = things.get(path);
    const answer = await agent.put(path, read, [["Content-Type", "application/x-www-form-urlencoded"]]);
    expect(answer.status).toBe(400);
    expect(things.get(path)).toBe(before);
  });

  test("that is small and decodes to much more, what is said is that, and not that it is larger than the limit", async () => {
    const bomb = gzipSync(JSON.stringify({ message: "x".repeat(4 * 2 ** 20) }));
    const answer = await agent.put(path, bomb, [["Content-Encoding", "gzip"]]);
    expect([answer.status, answer.header("dogwatch-error")]).toEqual([413, "body_too_large"]);
    expect(answer.body.toString()).toContain("it decodes to more than 100 times its size");
    expect(answer.body.toString()).not.toContain("limits.inspect");
  });

  test.for<[string, string, (body: Buffer) => Buffer]>([
    ["that nobody knows", "x-own", (body) => body],
    ["that is broken", "gzip", (body) => gzipSync(body).subarray(0, -9)],
  ])("a token in a body with a coding %s is recorded", async ([, coding, encode]) => {
    const read = (await agent.get(path)).body;
    const answer = await agent.put(path, encode(read), [["Content-Encoding", coding]]);
    const call = (await world.endedCalls(agent.id)).at(-1);
    // Refused is as good: nothing went anywhere.
    if (answer.status < 400) expect(call?.decision.tokens).not.toEqual([]);
  });
});
