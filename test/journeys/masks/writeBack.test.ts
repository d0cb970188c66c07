/** What a session reads masked it can write back: Datadog gets the values, each only at its own place. */

import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CallJson } from "../../../server/contract.ts";
import { mostReturned } from "../../../server/stages/mask/token/restore.ts";
import { inlineLimit } from "../../../server/stages/record/capture.ts";
import type { World } from "../../standins/world.ts";
import { type Agent, openAgent, startMasking, tokenIn } from "./scene.ts";

const things = new Map<string, Buffer>();
const monitor = "/api/v1/monitor/4212";
const webhook = "/api/v1/integration/webhooks/configuration/webhooks/pager";
const original = Buffer.from(
  '{ "id": 4212,\n  "message": "call ann@example.com or +49 151 23456789", "n": 1.50e3, "options": {"escalation_message": ""}, "creator": {"email":"bob@example.com"}}',
);
const hook = Buffer.from(
  '{"name":"pager","url":"https://hooks.example.com/a","custom_headers":"{\\"X-Key\\":\\"geheim\\"}","payload":null}',
);

let world: World;
let agent: Agent;

beforeAll(async () => {
  world = await startMasking(things);
}, 60_000);
afterAll(() => world?.close());

beforeEach(async () => {
  things.set(monitor, original);
  things.set(webhook, hook);
  agent = await openAgent(world);
});

const lastCall = async (): Promise<CallJson> => {
  const calls = await world.endedCalls(agent.id);
  const last = calls.at(-1);
  if (last === undefined) throw new Error("no calls");
  return last;
};

test("a reply holds tokens, and every other byte of it stays", async () => {
  const { body, header } = await agent.get(monitor);
  const text = body.toString();
  expect(text).not.toMatch(/ann@|bob@|23456789/);
  expect(header("content-length")).toBe(String(body.length));
  const plain = text
    .replace(tokenIn(text, "email"), "ann@example.com")
    .replace(tokenIn(text, "phone"), "+49 151 23456789")
    .replace(/dwm_email_[\w-]+@masked\.invalid/, "bob@example.com");
  expect(plain).toBe(original.toString());
});

test("read, changed and written back, Datadog gets the values and the change", async () => {
  const read = (await agent.get(monitor)).body.toString();
  const answer = await agent.put(monitor, read.replace("1.50e3", "7"));
  expect(answer.status).toBe(200);
  expect(things.get(monitor)?.toString()).toBe(original.toString().replace("1.50e3", "7"));
  const call = await lastCall();
  expect(call.decision.tokens).toEqual([
    { kind: "email", path: "$.message", outcome: "restored" },
    { kind: "phone", path: "$.message", outcome: "restored" },
    { kind: "email", path: "$.creator.email", outcome: "restored" },
  ]);
  expect(JSON.stringify(call)).not.toMatch(/ann@|bob@|23456789/);
});

test("compressed as it came it goes on, with its new length", async () => {
  const read = (await agent.get(monitor)).body;
  const answer = await agent.put(monitor, gzipSync(read), [["Content-Encoding", "gzip"]]);
  expect(answer.status).toBe(200);
  expect(gunzipSync(things.get(monitor) ?? Buffer.alloc(0)).toString()).toBe(original.toString());
});

test("more tokens than are opened at once are refused, and nothing is sent", async () => {
  const token = tokenIn((await agent.get(monitor)).body.toString(), "phone");
  const answer = await agent.put(monitor, JSON.stringify({ message: `${token} `.repeat(mostReturned + 1) }));
  expect(answer.status).toBe(403);
  expect(answer.body.toString()).toContain(`more than ${mostReturned} tokens of masks`);
  expect(things.get(monitor)).toBe(original);
});

describe("a token turns back nowhere else", () => {
  const expectNotOpened = async (target: string, outcome: string): Promise<void> => {
    expect(things.get(target)?.toString()).not.toMatch(/ann@|geheim/);
    expect(things.get(target)?.toString()).toContain("dwm_");
    const call = await lastCall();
    expect(call.decision.tokens.map((use) => use.outcome)).toContain(outcome);
    const event = await world.audited(new RegExp(`token_astray.*${agent.id}`));
    expect(event.reason).toContain(outcome);
  };

  test("in another field", async () => {
    const token = tokenIn((await agent.get(monitor)).body.toString(), "email");
    await agent.put(monitor, `{"name":"${token}"}`);
    await expectNotOpened(monitor, "foreign");
  });

  test("in another resource of the same kind", async () => {
    const read = (await agent.get(monitor)).body.toString();
    await agent.put("/api/v1/monitor/4213", read.replace("4212", "4213"));
    await expectNotOpened("/api/v1/monitor/4213", "foreign");
  });

  test("sent by another session", async () => {
    const read = (await agent.get(monitor)).body.toString();
    agent = await openAgent(world);
    await agent.put(monitor, read);
    await expectNotOpened(monitor, "foreign");
  });

  test("altered by one character", async () => {
    const read = (await agent.get(monitor)).body.toString();
    const token = tokenIn(read, "email");
    const at = token.indexOf("@") - 5;
    await agent.put(
      monitor,
      read
        .replaceAll(/dwm_phone[\w-]+/g, "")
        .replace(token, `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`),
    );
    await expectNotOpened(monitor, "altered");
  });

  test("truncated", async () => {
    const read = (await agent.get(monitor)).body.toString();
    const token = tokenIn(read, "phone");
    await agent.put(monitor, `{"message":"call ${token.slice(0, -6)}"}`);
    await expectNotOpened(monitor, "truncated");
  });

  test("in a query, a path or a header field, where it is seen and recorded", async () => {
    const token = tokenIn((await agent.get(monitor)).body.toString(), "email");
    await agent.get(`/api/v1/monitor?name=${token}`);
    expect(world.upstream.requests.at(-1)?.url).toContain(token);
    expect((await lastCall()).decision.tokens).toEqual([{ kind: "email", path: "query", outcome: "foreign" }]);
  });

  test.each([
    ["plain", (body: Buffer) => body, []],
    ["compressed", gzipSync, [["Content-Encoding", "gzip"] as const]],
  ])("in logs that stream through, %s", async (_name, encode, headers) => {
    const token = tokenIn((await agent.get(monitor)).body.toString(), "phone");
    const lines = (): string => JSON.stringify({ message: randomBytes(512).toString("base64") });
    const logs = `[${Array.from({ length: 600 }, lines).join(",")},{"message":"${token}"},${lines()}]`;
    const sent = encode(Buffer.from(logs));
    expect(sent.length).toBeGreaterThan(2 * inlineLimit);
    const { status, body } = await agent.submit("/proxy/http-intake.logs.datadoghq.com/api/v2/logs", sent, headers);
    expect(status, `${body}\n${world.log.slice(-20).join("")}`).toBe(200);
    expect(world.upstream.requests.at(-1)?.body.equals(sent)).toBe(true);
    const event = await world.audited(new RegExp(`token_astray .*SubmitLog.*${agent.id}`));
    expect(event.reason).toBe("phone at $: foreign");
  });

  test("beside a changed destination, where people have to agree first", async () => {
    const read = (await agent.get(webhook)).body.toString();
    expect(read).not.toContain("geheim");
    const answer = await agent.put(webhook, read.replace("hooks.example.com", "evil.example.com"));
    expect(answer.status).toBe(403);
    expect(answer.header("dogwatch-error")).toBe("approval_required");
    expect(things.get(webhook)).toBe(hook);
    const call = await lastCall();
    expect(call.decision).toMatchObject({
      effect: "approve",
      rules: [{ name: "dogwatch-masked-value-elsewhere" }, {}],
    });
    expect(call.decision.tokens).toEqual([{ kind: "field", path: "$.custom_headers", outcome: "destination" }]);
  });
});

test("tokens of one value tell nothing across sessions, resources or fields", async () => {
  things.set("/api/v1/monitor/4213", Buffer.from(original.toString().replace("4212", "4213")));
  const other = await openAgent(world);
  const texts = [
    (await agent.get(monitor)).body.toString(),
    (await agent.get("/api/v1/monitor/4213")).body.toString(),
    (await other.get(monitor)).body.toString(),
  ];
  const tokens = texts.flatMap((text) => text.match(/dwm_email_[\w-]+@masked\.invalid/g) ?? []);
  expect(new Set(tokens).size).toBe(6);
  // A guess that is written and read again is compared with nothing but itself.
  await other.put(monitor, '{"message":"ann@example.com"}');
  const guessed = tokenIn((await other.get(monitor)).body.toString(), "email");
  expect(tokens.slice(0, 4)).not.toContain(guessed);
});

test("rules see what Datadog would get", async () => {
  const strict = await startMasking(
    things,
    `    - { name: not-to-ann, effect: deny, when: 'operation.access == "write" && request.body.message.contains("ann@example.com")' }\n  masks: [{ name: m, detect: [email] }]`,
  );
  try {
    agent = await openAgent(strict);
    const read = (await agent.get(monitor)).body.toString();
    const answer = await agent.put(monitor, read);
    expect(answer.status).toBe(403);
    expect(answer.errors?.join()).toContain("not-to-ann");
  } finally {
    await strict.close();
  }
});
