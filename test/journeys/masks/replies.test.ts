/** What callers get where masks apply: whole answers, streams, event streams; and what is withheld because nobody can mask it. */

import { once } from "node:events";
import { request } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UpstreamAnswer } from "../../standins/upstream.ts";
import { type World, startWorld } from "../../standins/world.ts";
import { Agent, json } from "./scene.ts";

const address = "ann@example.com";
let answer: UpstreamAnswer = { status: 200 };
let world: World;
let agent: Agent;
let token: string;

beforeAll(async () => {
  world = await startWorld(() => answer, {
    more: `
  masks:
    - { name: m, detect: [email], fields: ["$..count", "$..note"] }
limits: { inspect: 256KiB }`,
  });
});
afterAll(() => world?.close());
beforeEach(async () => {
  const opened = await world.openSession();
  token = opened.access_token;
  agent = new Agent(world.url, opened);
});

const bodyOf = async (n: number): Promise<Buffer> =>
  Buffer.from(await (await world.read(`/v1/sessions/${agent.id}/calls/${n}/response/body`)).arrayBuffer());

const stored = async (n = 1): Promise<string> => {
  await world.endedCalls(agent.id);
  return (await bodyOf(n)).toString();
};

const chunked = async function* (text: string, pieces = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
};

const many = (count: number): string =>
  JSON.stringify({
    users: Array.from({ length: count }, (_, i) => ({ name: `user ${i}`, email: `u${i}@example.com` })),
  });

test("an answer of unknown length is masked as a whole", async () => {
  answer = { status: 200, headers: [json], body: chunked(`{"who":"${address}","note":"x"}`) };
  const got = await agent.get("/api/v1/user");
  expect(got.body.toString()).toMatch(/^\{"who":"dwm_email_[\w-]+@masked\.invalid","note":"dwm_field_[\w-]+"\}$/);
  expect(await stored()).toBe(got.body.toString());
});

test("a compressed answer comes compressed", async () => {
  const body = gzipSync(`{"who":"${address}"}`);
  answer = {
    status: 200,
    headers: [json, ["Content-Encoding", "gzip"], ["Content-Length", String(body.length)]],
    body,
  };
  const got = await agent.get("/api/v1/user");
  expect(got.header("content-encoding")).toBe("gzip");
  expect(gunzipSync(got.body).toString()).toMatch(/^\{"who":"dwm_email_/);
  expect(got.header("content-length")).toBe(String(got.body.length));
});

test("an answer larger than limits.inspect is masked as it passes, in the reply and in the recording", async () => {
  const body = many(20_000);
  answer = { status: 200, headers: [json, ["Content-Length", String(body.length)]], body };
  const got = await agent.get("/api/v1/user");
  expect(got.status).toBe(200);
  const users = (JSON.parse(got.body.toString()) as { users: { name: string; email: string }[] }).users;
  expect(users).toHaveLength(20_000);
  expect(users.every(({ email }) => /^dwm_email_[\w-]+@masked\.invalid$/.test(email))).toBe(true);
  expect(await stored()).toBe(got.body.toString());
  expect((await world.session(agent.id)).masked).toBe(20_000);
});

test("an event stream passes event by event", async () => {
  let more: () => void = () => undefined;
  const waited = new Promise<void>((resolve) => {
    more = resolve;
  });
  const events = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(`data: {"who":"${address}"}\n\n`);
    await waited;
    yield Buffer.from(`data: {"who":"bob@example.com"}\n\n`);
  };
  answer = { status: 200, headers: [["Content-Type", "text/event-stream"]], body: events() };
  const asked = request(`${world.url}/api/v1/user`, { headers: { "DD-API-KEY": token } }).end();
  const [response] = await once(asked, "response");
  const [first] = await once(response, "data");
  expect(String(first)).toMatch(/^data: \{"who":"dwm_email_/);
  more();
  let rest = "";
  for await (const piece of response) rest += String(piece);
  expect(rest).toMatch(/^data: \{"who":"dwm_email_/);
  expect(await stored()).not.toContain("example.com");
});

describe("withheld, with the reason, and nothing of it stored", () => {
  const expectBlocked = async (says: RegExp): Promise<void> => {
    const got = await agent.get("/api/v1/user");
    expect(got.status).toBe(403);
    expect(got.header("dogwatch-error")).toBe("response_blocked");
    expect(got.errors?.join()).toMatch(says);
    expect(await stored()).not.toContain(address);
  };

  test("a number at a place that a mask names", async () => {
    const body = `{"count":7,"who":"${address}"}`;
    answer = { status: 200, headers: [json], body };
    await expectBlocked(/\$\.\.count.*is no text/);
  });

  test("what is not the coding that it says", async () => {
    answer = { status: 200, headers: [json, ["Content-Encoding", "gzip"]], body: `{"who":"${address}"}` };
    await expectBlocked(/not valid gzip/);
  });

  test("what only looks like JSON, where fields are to be masked", async () => {
    answer = { status: 200, headers: [json], body: `{"who":"${address}"` };
    await expectBlocked(/not JSON/);
  });

  test("a large one, before its first byte", async () => {
    const body = `{"count":7,${many(10_000).slice(1)}`;
    answer = { status: 200, headers: [json, ["Content-Length", String(body.length)]], body };
    await expectBlocked(/\$\.\.count/);
  });
});

test("a large one that turns out to be unmaskable in the middle ends without a proper end", async () => {
  const body = `${many(10_000).slice(0, -1)},"count":7}`;
  answer = { status: 200, headers: [json, ["Content-Length", String(body.length)]], body };
  await expect(agent.get("/api/v1/user")).rejects.toThrow(/aborted|hang up|reset|closed/i);
  const [call] = await world.endedCalls(agent.id);
  expect(call).toMatchObject({ state: "closed", error_code: "response_blocked" });
});
