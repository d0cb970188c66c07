/** What is stored never holds a credential, masks or none; and how people with a role find and reveal what was taken out. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openMaskKeys } from "../../../server/maskKeys.ts";
import { dumpOf, foundIn } from "../../standins/dump.ts";
import { auditorToken, type World, startWorld } from "../../standins/world.ts";
import { adminToken, type Agent, ask, openAgent, remembering, startMasking, tokenIn } from "./scene.ts";

const things = new Map<string, Buffer>();
const monitor = "/api/v1/monitor/4212";
const key = "AKIAQ3EGRZUOT7WBPV2M";

let world: World;
let agent: Agent;

describe("without any masks", () => {
  beforeAll(async () => {
    world = await startWorld(remembering(things));
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    agent = await openAgent(world);
  });

  test("the caller gets every byte, and the recording holds no credential", async () => {
    const body = `{"message":"use ${key}"}`;
    await agent.put(monitor, body, [["X-Note", `it was ${key}`]]);
    const got = await agent.get(`${monitor}?with=${key}`);
    expect(things.get(monitor)?.toString()).toBe(body);
    expect(got.body.toString()).toBe(body);
    const calls = await world.endedCalls(agent.id);
    expect(JSON.stringify(calls)).not.toContain(key);
    expect(calls[0]?.request.body?.text).toMatch(/^\{"message":"use dwm_aws-access-key-id_[\w-]+"\}$/);
    expect((await world.session(agent.id)).masked).toBe(5);
  });

  test("a large upload is masked as it streams; what Datadog gets is what was sent", async () => {
    const body = Buffer.from(
      JSON.stringify(Array.from({ length: 4_000 }, (_, i) => ({ message: `line ${i} of many, with ${key}`, i }))),
    );
    await agent.post("/api/v2/logs-large", body);
    expect(things.get("/api/v2/logs-large")?.equals(body)).toBe(true);
    await world.endedCalls(agent.id);
    const stored = await (await world.read(`/v1/sessions/${agent.id}/calls/1/request/body`)).text();
    expect(stored).not.toContain(key);
    expect(JSON.parse(stored)).toHaveLength(4_000);
  });

  test("a body in which nobody can look is kept as its digest only", async () => {
    await agent.put(monitor, Buffer.from(`not gzip: ${key}`), [["Content-Encoding", "gzip"]]);
    const [call] = await world.endedCalls(agent.id);
    expect(call?.request.body).toMatchObject({ size: 30, truncated: true });
    expect(call?.request.body?.withheld).toMatch(
      /^it is not valid gzip.*HMAC-SHA-256 under the mask key: [0-9a-f]{64}$/,
    );
    expect((await world.read(`/v1/sessions/${agent.id}/calls/1/request/body`)).status).toBe(404);
    const large = Buffer.concat([gzipSync(`{"a":"${"x".repeat(100)}"}`), Buffer.alloc(300_000, key)]);
    await agent.put(monitor, large, [["Content-Encoding", "gzip"]]);
    const second = (await world.endedCalls(agent.id)).at(-1);
    expect(second?.request.body?.size).toBe(large.length);
    expect(second?.request.body?.withheld).toContain("its content coding");
    expect(things.get(monitor)?.equals(large)).toBe(true);
  });
});

test("or the call is refused, where policy.undecodable says so", async () => {
  const strict = await startWorld(remembering(things), { more: "  undecodable: refuse" });
  try {
    agent = await openAgent(strict);
    const before = strict.upstream.requests.length;
    const got = await agent.put(monitor, "not gzip", [["Content-Encoding", "gzip"]]);
    expect(got.status).toBe(403);
    expect(got.errors?.join()).toContain("policy.undecodable: refuse");
    expect(strict.upstream.requests).toHaveLength(before);
    expect((await agent.put(monitor, '{"a":1}')).status).toBe(200);
  } finally {
    await strict.close();
  }
});

describe("what was taken out", () => {
  const email = "Ann.Example@example.com";
  beforeAll(async () => {
    world = await startMasking(things);
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    things.set(monitor, Buffer.from(`{"id":4212,"message":"call ${email}, +49 151 23456789"}`));
    agent = await openAgent(world);
  });

  test("is found by its value, however it is written, and the search is audited without it", async () => {
    await agent.get(monitor);
    await agent.get(monitor);
    await world.endedCalls(agent.id);
    const find = async (value: string, more: object = {}) =>
      (await ask(world, "/v1/masked-values/search", { body: { value, ...more }, token: auditorToken })).json as {
        items: { id: string }[];
        next_cursor: string | null;
      };
    const ids = [`${agent.id}/2`, `${agent.id}/1`];
    expect((await find("ann.example@EXAMPLE.com")).items.slice(0, 2).map(({ id }) => id)).toEqual(ids);
    expect((await find("+49-151-23456789")).items.slice(0, 2).map(({ id }) => id)).toEqual(ids);
    expect((await find("bob@example.com")).items).toEqual([]);
    const first = await find(email, { limit: 1 });
    const second = await find(email, { limit: 1, cursor: first.next_cursor });
    expect([first, second].map(({ items }) => items[0]?.id)).toEqual(ids);
    const event = await world.audited(/recording_viewed.*masked value/);
    expect(JSON.stringify(event)).not.toContain("example.com");
  });

  test("is never searched by an agent, nor by somebody who sees a part only", async () => {
    const { access_token } = await world.openSession();
    for (const token of [access_token, "nobody-0123456789"]) {
      const got = await ask(world, "/v1/masked-values/search", { body: { value: email }, token });
      expect([401, 403]).toContain(got.status);
    }
  });

  test("is revealed to an admin, with a reason, and that is written down first", async () => {
    const token = tokenIn((await agent.get(monitor)).body.toString(), "email");
    const reveal = (body: object, as?: string) =>
      ask(world, "/v1/masked-values/reveal", as === undefined ? { body } : { body, token: as });
    expect(await reveal({ token, reason: "INC-4711" })).toEqual({ status: 200, json: { kind: "email", value: email } });
    const event = await world.audited(/value_revealed.*INC-4711/);
    expect(event).toMatchObject({ who: "root (admin)", reason: "email: INC-4711" });
    expect(JSON.stringify(event)).not.toMatch(/example\.com|dwm_/);
    expect((await reveal({ token, reason: "INC-4711" }, auditorToken)).status).toBe(403);
    await world.audited(/value_revealed.*refused: tests \(auditor\)/);
    expect((await reveal({ token })).status).toBe(400);
    expect((await reveal({ token: `${token}x`, reason: "INC-4711" })).status).toBe(404);
  });

  test("is found and revealed on the command line", async () => {
    const token = tokenIn((await agent.get(monitor)).body.toString(), "email");
    await world.endedCalls(agent.id);
    const file = join(dirname(world.file), "token");
    writeFileSync(file, adminToken);
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, ["server/main.ts", ...args, "--gateway", world.url, "--token-file", file]);
    expect((await run("search", "--masked", email)).stdout).toMatch(
      new RegExp(`GET /api/v1/monitor/4212.*${agent.id}`),
    );
    expect((await run("reveal", token, "--reason", "a test")).stdout).toBe(`${email}\n`);
    await expect(run("search", "--masked", "nobody@example.com")).rejects.toMatchObject({
      code: 1,
      stdout: "0 calls\n",
    });
    await expect(run("reveal", "dwm_email_AAAAAAAAAAAA", "--reason", "a test")).rejects.toMatchObject({ code: 1 });
  });

  test("is sealed with a key that only its owner reads", () => {
    expect(statSync(join(dirname(world.file), "data", "keys", "mask")).mode & 0o777).toBe(0o600);
  });
});

test("where no key can be made the gateway does not start, and says what to do", () => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-keys-"));
  try {
    writeFileSync(join(folder, "file"), "");
    expect(() => openMaskKeys({ dataDir: join(folder, "file") })).toThrow(/ENOTDIR.*keys\.mask/);
    mkdirSync(join(folder, "keys"));
    writeFileSync(join(folder, "keys", "mask"), "short\n");
    expect(() => openMaskKeys({ dataDir: folder })).toThrow(/keys\/mask: line 1 has 3 bytes/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("no body, no header and no address holds what a mask names, byte by byte", async () => {
  const scene = await startMasking(things);
  try {
    agent = await openAgent(scene);
    await agent.put(monitor, `{"message":"geheim@example.com"}`, [["X-From", "geheim@example.com"]]);
    await agent.get(`${monitor}?from=geheim@example.com`);
    await agent.post("/api/v1/nothing/geheim@example.com", "geheim@example.com");
    await fetch(`${scene.url}/api/v1/geheim@example.com`, { headers: { "dd-api-key": "nobody" } });
    expect((await scene.audited(/token_refused/)).what).toBe("GET /api/v1/[email]");
    await scene.endedCalls(agent.id);
    expect(foundIn(await dumpOf(scene.database), ["geheim@example.com"])).toEqual([]);
    expect(scene.log.join("\n")).not.toContain("geheim@example.com");
  } finally {
    await scene.close();
  }
});
