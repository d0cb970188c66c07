/** `dogwatch show`: asked of a gateway that answers as the contract says. */

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { show } from "../../../server/cli/show/ask.ts";
import type { CallJson, SessionJson } from "../../../server/contract.ts";
import { callJson } from "../../standins/gateway.ts";

const id = "0199c3a1-5f00-7000-8000-000000000001";
const url = `https://dogwatch.example.com/sessions/${id}`;
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const session: SessionJson = {
  id,
  url,
  connection: "prod",
  caller: { issuer: "https://token.actions.githubusercontent.com", subject: "repo:acme/app:ref:refs/heads/main" },
  state: "closed",
  opened_at: "2026-01-01T00:00:00.000Z",
  closed_at: "2026-01-01T00:01:00.000Z",
  calls: 2,
  denied: 1,
  approved: 0,
  masked: 3,
  hold: null,
  seal: {
    session_id: id,
    calls: 2,
    head: "ab".repeat(32),
    state: "closed",
    sealed_at: "2026-01-01T00:01:01.000Z",
    log_index: 7,
    checkpoint: null,
  },
};

const refused: CallJson = callJson(id, 2, {
  operation: "v1.MonitorsApi.DeleteMonitor",
  access: "destructive",
  method: "DELETE",
  path: "/api/v1/monitor/7",
  state: "refused",
  status: 403,
  error_code: "denied",
  error: "DeleteMonitor is denied by rule no-monitor-deletes",
  decision: {
    effect: "deny",
    rules: [{ name: "no-monitor-deletes", effect: "deny", reason: 'operation.name == "DeleteMonitor"' }],
    near: [],
    tokens: [],
    reason: "DeleteMonitor is denied by rule no-monitor-deletes",
    policy: "p1",
  },
  forwarded_at: null,
  first_byte_at: null,
});

const content = (size: number, text: string) => ({
  size,
  sha256: "cd".repeat(32),
  expired: false,
  content_type: "application/json",
  encoding: null,
  truncated: false,
  withheld: null,
  text,
});

const gateway = async (answers: Readonly<Record<string, object>>, status = 200) => {
  const asked: string[] = [];
  const server = createServer(({ url: path = "" }: IncomingMessage, response) => {
    asked.push(path);
    const json = answers[path];
    response.writeHead(json === undefined ? 404 : status, { "content-type": "application/json" });
    response.end(JSON.stringify(json ?? { errors: [`dogwatch: there is no ${path}`] }));
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, env: { DOGWATCH_GATEWAY: address, DOGWATCH_TOKEN: "t" } };
};

const whole = () =>
  gateway({
    [`/v1/sessions/${id}`]: session,
    [`/v1/sessions/${id}/calls?limit=200`]: { items: [callJson(id, 1)], next_cursor: "a&b" },
    [`/v1/sessions/${id}/calls?limit=200&cursor=a%26b`]: { items: [refused], next_cursor: null },
  });

test("a session: whose it is, its numbers, its seal, and each call in a line", async () => {
  const { env } = await whole();
  expect(await show(id, {}, env)).toEqual({
    exitCode: 0,
    output: [
      `session ${id} on prod, closed`,
      "  caller  repo:acme/app:ref:refs/heads/main",
      "  issuer  https://token.actions.githubusercontent.com",
      "  opened  2026-01-01T00:00:00.000Z",
      "  closed  2026-01-01T00:01:00.000Z",
      "  calls   2, 1 denied, 0 approved, 3 values masked",
      `  seal    2026-01-01T00:01:01.000Z, head ${"ab".repeat(32)}, leaf 7`,
      `  page    ${url}`,
      "1  allow  200         50 ms  ListMonitors   GET /api/v1/monitor",
      "2  deny   403 denied  50 ms  DeleteMonitor  DELETE /api/v1/monitor/7",
      "",
    ].join("\n"),
  });
});

test("a session as JSON is the contract's, with its calls as items", async () => {
  const { env } = await whole();
  const { exitCode, output } = await show(id, { json: true }, env);
  expect(exitCode).toBe(0);
  expect(JSON.parse(output)).toEqual({ ...session, items: [callJson(id, 1), refused] });
});

test("one that is open has no end and no seal yet", async () => {
  const { env } = await gateway({
    [`/v1/sessions/${id}`]: { ...session, state: "open", closed_at: null, seal: null, calls: 0 },
    [`/v1/sessions/${id}/calls?limit=200`]: { items: [], next_cursor: null },
  });
  const { output } = await show(id, {}, env);
  expect(output).toContain(`session ${id} on prod, open\n`);
  expect(output).toContain("  seal    none yet\n");
  expect(output).not.toContain("closed");
});

test("a call: the decision with its rules, and both messages with their bodies", async () => {
  const call = callJson(id, 1, {
    operation: "v1.MonitorsApi.CreateMonitor",
    access: "write",
    method: "POST",
    query: "a=1",
    client: "agent/1",
    request: { headers: [["content-type", "application/json"]], body: content(8, '{"a":1,\n"b":2}') },
    response: { headers: [["x", "y"]], body: { ...content(70_000, "[".repeat(70_000)), truncated: true } },
  });
  const { env, asked } = await gateway({ [`/v1/sessions/${id}/calls/1`]: call });
  const { exitCode, output } = await show(`${id}/1`, {}, env);
  expect(exitCode).toBe(0);
  expect(output.slice(0, output.indexOf("[["))).toBe(
    [
      "POST https://api.datadoghq.com/api/v1/monitor?a=1",
      `  call       ${id}/1, closed`,
      "  operation  v1.MonitorsApi.CreateMonitor, write",
      "  decision   allow: allowed",
      "  rule       agents-may-read, allow: matched",
      "  status     200",
      "  received   2026-01-01T00:00:00.000Z, answered after 50 ms",
      "  client     agent/1",
      `  page       ${url}/calls/1`,
      "",
      "request",
      "  content-type: application/json",
      "",
      '  {"a":1,',
      '  "b":2}',
      "",
      "answer",
      "  x: y",
      "",
      "  ",
    ].join("\n"),
  );
  expect(output).toMatch(/\[…\n {2}\(70,000 bytes, stored in part; --json has what is stored\)\n$/);
  expect(asked).toEqual([`/v1/sessions/${id}/calls/1`]);
});

test("a call that was refused says which rule and why; as JSON it is the contract's", async () => {
  const { env } = await gateway({ [`/v1/sessions/${id}/calls/2`]: refused });
  const { exitCode, output } = await show(`${id}/2`, {}, env);
  expect(exitCode).toBe(0);
  expect(output).toContain('  rule       no-monitor-deletes, deny: operation.name == "DeleteMonitor"\n');
  expect(output).toContain("  status     403 denied: DeleteMonitor is denied by rule no-monitor-deletes\n");
  expect(JSON.parse((await show(`${id}/2`, { json: true }, env)).output)).toEqual(refused);
});

test("bytes that are no text, that expired or that are withheld are named, not printed", async () => {
  const { text: _, ...none } = content(3, "");
  const call = callJson(id, 1, {
    request: { headers: [], body: { ...none, encoding: "gzip", base64: "H4sI" } },
    response: { headers: [], body: { ...none, sha256: null, expired: true } },
  });
  const { env } = await gateway({ [`/v1/sessions/${id}/calls/1`]: call });
  const { output } = await show(`${id}/1`, {}, env);
  expect(output).toContain("\nrequest\n  (3 bytes, gzip; --json has what is stored)\n");
  expect(output).toContain("\nanswer\n  (3 bytes, no longer kept)\n");
});

test("nothing recorded moves the terminal's cursor, turns the writing around or begins a line of its own", async () => {
  const hostile = "a\u001b[2J\u202eb\r\nc";
  const call = callJson(id, 1, {
    path: `/${hostile}`,
    client: hostile,
    request: { headers: [["x", hostile]], body: content(9, hostile) },
  });
  const { env } = await gateway({ [`/v1/sessions/${id}/calls/1`]: call });
  const { output } = await show(`${id}/1`, {}, env);
  expect(output).not.toMatch(/[\u001b\u202e\r]/);
  expect(output.split("\n").filter((line) => line.startsWith("c"))).toEqual([]);
  expect(output).toContain("  x: a?[2J?b??c\n");
});

test("ends with 1 where there is none, and with 2 where it is no id", async () => {
  const { env, asked } = await gateway({});
  expect((await show(id, {}, env)).exitCode).toBe(1);
  expect(asked).toEqual([`/v1/sessions/${id}`]);
  for (const word of ["7", `${id}/`, `${id}/0`, `${id}/x`, `${id}/1/2`, `${id}/99999999999`, "../audit"])
    expect((await show(word, {}, env)).exitCode).toBe(2);
  expect(asked.length).toBe(1);
});
