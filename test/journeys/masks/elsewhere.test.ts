/** Tokens sent elsewhere through a gateway, and answers asked for in pieces. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../../standins/world.ts";
import { type Agent, inRanges, openAgent, readInRanges, startMasking, tokenIn } from "./scene.ts";

const key = "AKIAQ3EGRZUOT7WBPB2M";

describe("tokens that are sent elsewhere", () => {
  const things = new Map<string, Buffer>();
  let world: World;
  let agent: Agent;
  beforeAll(async () => {
    world = await startMasking(things);
    agent = await openAgent(world);
  });
  afterAll(() => world?.close());

  test("to what only the query names", async () => {
    things.set("/api/v2/new/thing", Buffer.from('{"name":"ann@example.com"}'));
    const token = tokenIn((await agent.get("/api/v2/new/thing?id=1")).body.toString(), "email");
    await agent.put("/api/v2/new/thing?id=2", JSON.stringify({ name: token }));
    expect(things.get("/api/v2/new/thing")?.toString()).not.toContain("ann@example.com");
  });

  test("to another account that the query of a known operation names", async () => {
    const path = "/api/v1/integration/aws";
    things.set(path, Buffer.from('{"accounts":[{"account_id":"111","secret_note":"Bob"}]}'));
    const token = tokenIn((await agent.get(path)).body.toString(), "field");
    const before = things.get(path);
    const sent = JSON.stringify({ account_id: "111", secret_note: token });
    const answer = await agent.put(`${path}?account_id=222&role_name=r`, sent);
    expect(answer.header("dogwatch-error")).toBe("approval_required");
    expect(things.get(path)).toBe(before);
  });

  test("to another member, as the only list of a body", async () => {
    things.set("/api/v1/monitor/17", Buffer.from('{"id":17,"query":"x","secret_note":"Bob"}'));
    const token = tokenIn((await agent.get("/api/v1/monitor/17")).body.toString(), "field");
    await agent.put("/api/v1/monitor/17", JSON.stringify({ tags: [{ secret_note: token }] }));
    expect(things.get("/api/v1/monitor/17")?.toString()).not.toContain("Bob");
  });

  test("are written down, however many that may be sent stand before them", async () => {
    const path = "/api/v1/monitor/18";
    things.set(path, Buffer.from('{"id":18,"query":"x","secret_note":"Bob","message":"ann@example.com"}'));
    const other = await openAgent(world);
    const read = (await other.get(path)).body.toString();
    const token = tokenIn(read, "field");
    await other.put(path, JSON.stringify({ secret_note: `${token} `.repeat(100), name: token }));
    const call = (await world.endedCalls(other.id)).at(-1);
    expect(JSON.stringify(call)).toContain('"foreign"');
  });
});

test("an answer in ranges gives no value in two halves, to its caller or to the recording", async () => {
  const body = `{"padding":"${"x".repeat(50)}","message":"ann@example.com and ${key}"}`;
  const world = await startWorld(inRanges(body), {
    more: "  masks: [{ name: m, detect: [personal, secret], where: [reply, recording] }]",
  });
  try {
    const { access_token } = await world.openSession();
    const read = await readInRanges(world.url, access_token, body.length);
    expect(read).not.toContain("ann@example.com");
    expect(read).not.toContain(key);
  } finally {
    await world.close();
  }
});

test("a list that is written alone keeps what it holds", async () => {
  const things = new Map<string, Buffer>();
  const world = await startMasking(things);
  try {
    const path = "/api/v1/monitor/19";
    things.set(path, Buffer.from('{"id":19,"query":"x","steps":[{"secret_note":"Bob"}]}'));
    const agent = await openAgent(world);
    const read = JSON.parse((await agent.get(path)).body.toString()) as { steps: object[] };
    await agent.put(path, JSON.stringify({ steps: read.steps }));
    expect(things.get(path)?.toString()).toBe('{"steps":[{"secret_note":"Bob"}]}');
  } finally {
    await world.close();
  }
});
