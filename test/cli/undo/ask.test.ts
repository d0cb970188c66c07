/** `dogwatch undo`: asked of a gateway that answers as the contract says. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { undo } from "../../../server/cli/undo/ask.ts";
import type { UndoJson, UndoStepJson } from "../../../server/contract.ts";

const session = "0199c3a1-5f00-7000-8000-000000000001";
const own = "0199c3a1-5f00-7000-8000-000000000002";
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const gateway = async (answers: readonly { status?: number; json: object }[]) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { status = 200, json } = answers[asked.length] ?? { status: 500, json: {} };
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, env: { DOGWATCH_GATEWAY: url, DOGWATCH_TOKEN: "t" } };
};

const step = (n: number, more: Partial<UndoStepJson> = {}): UndoStepJson => ({
  key: String(n),
  n,
  call_id: `${session}/${n}`,
  url: `https://dogwatch.example.com/sessions/${session}/calls/${n}`,
  operation: "v1.MonitorsApi.DeleteMonitor",
  resource: { kind: "monitor", id: "4212", name: "Checkout\u001b[2J latency" },
  action: "recreate",
  why: `call ${n} removed it; call 1 shows it, 0 s before`,
  from: { call_id: `${session}/1`, url: `https://dogwatch.example.com/sessions/${session}/calls/1` },
  needs: [],
  request: { operation: "v1.MonitorsApi.CreateMonitor", method: "POST", path: "/api/v1/monitor", body: "{}" },
  state: "planned",
  result: "",
  done_by: null,
  new_id: null,
  approval: null,
  differs: [],
  ...more,
});

const shown = (steps: readonly UndoStepJson[], more: Partial<UndoJson> = {}): UndoJson => ({
  session_id: session,
  connection: "prod",
  session: null,
  steps: [...steps],
  ...more,
});

test("shows the plan, and that nothing was sent", async () => {
  const { asked, env } = await gateway([
    { json: shown([step(3), step(2, { needs: ["3"], action: "put_back", why: "call 2 changed it" })]) },
  ]);
  const { exitCode, output } = await undo(session, {}, env);
  expect(exitCode).toBe(0);
  expect(asked).toEqual([`GET /v1/sessions/${session}/undo`]);
  expect(output.split("\n")).toEqual([
    `2 writes of session ${session} on prod, the one that is taken back first above`,
    "call 3 DeleteMonitor: make again monitor 4212 “Checkout?[2J latency”",
    "    call 3 removed it; call 1 shows it, 0 s before",
    "    POST /api/v1/monitor",
    "call 2 DeleteMonitor: put back monitor 4212 “Checkout?[2J latency”",
    "    call 2 changed it",
    "    POST /api/v1/monitor",
    "    after the step for call 3",
    "this is the plan; nothing was sent. --apply does it",
    "",
  ]);
});

test("ends with 1 where something cannot be undone, or there is no such session, or somebody else is at it", async () => {
  const impossible = step(1, { action: "impossible", request: null, state: "none" });
  const { env } = await gateway([
    { json: shown([impossible]) },
    { status: 404, json: { errors: [`dogwatch: there is no session ${session}`] } },
    { status: 409, json: { errors: ["dogwatch: it is being undone just now"] } },
    { status: 403, json: { errors: ["dogwatch: looker may start nothing"] } },
  ]);
  expect(await undo(session, {}, env)).toMatchObject({ exitCode: 1 });
  expect(await undo(session, {}, env)).toEqual({ exitCode: 1, output: `dogwatch: there is no session ${session}\n` });
  expect(await undo(session, { apply: true }, env)).toMatchObject({ exitCode: 1 });
  expect(await undo(session, { apply: true }, env)).toMatchObject({ exitCode: 2 });
  expect(await undo("../../v1/audit", {}, env)).toMatchObject({ exitCode: 2 });
});

test("does it turn by turn until nothing is left, and says where people are asked", async () => {
  const done = step(3, { state: "done", result: "it is there again, as monitor 5", new_id: "5" });
  const waits = step(2, {
    state: "waiting",
    result: "people are asked: Update monitor 7",
    approval: { id: own, url: `https://dogwatch.example.com/approvals/${own}` },
  });
  const where = { session: { id: own, url: `https://dogwatch.example.com/sessions/${own}` } };
  const { asked, env } = await gateway([
    { json: shown([done, step(2, { state: "todo", result: "there was no time for it yet" })], where) },
    { json: shown([done, waits], where) },
    { json: shown([done, { ...waits, state: "done", approval: null }]) },
  ]);
  const { exitCode, output } = await undo(session, { apply: true }, env);
  expect(exitCode).toBe(1);
  expect(asked).toEqual([`POST /v1/sessions/${session}/undo`, `POST /v1/sessions/${session}/undo`]);
  expect(output).toContain("    done: it is there again, as monitor 5 (now 5)\n");
  expect(output).toContain(
    `    waiting: people are asked: Update monitor 7\n    https://dogwatch.example.com/approvals/${own}\n`,
  );
  expect(output).toContain(`done in session ${own}`);
  const second = await undo(session, { apply: true, json: true }, env);
  expect(second.exitCode).toBe(0);
  expect(JSON.parse(second.output).steps).toHaveLength(2);
});
