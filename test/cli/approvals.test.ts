/** `dogwatch approvals`: asked of a gateway that answers as the contract says, and of some that do not. */

import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listApprovals, showApproval } from "../../server/cli/approvals/read.ts";
import { type ApprovalJson, approval } from "../../server/contract.ts";
import { GatewayError } from "../../server/errors.ts";

const id = "0199c3a1-5f00-7000-8000-000000000001";
const now = new Date("2026-11-23T03:00:00.000Z");

const pending: ApprovalJson = approval.parse({
  id,
  state: "pending",
  code: "K7Q2M9",
  session_id: "0199c3a1-5f00-7000-8000-000000000002",
  call_id: "0199c3a1-5f00-7000-8000-000000000002/3",
  operation: "v1.MonitorsApi.DeleteMonitor",
  title: "Delete monitor 4212 “Checkout latency p99”",
  rule: "deletes-need-a-human",
  digest: "a".repeat(64),
  asked_at: "2026-11-23T02:42:00.000Z",
  expires_at: "2026-11-23T03:12:00.000Z",
  decided_at: null,
  reason: "",
  consumed_by: null,
  where: [{ kind: "review_comment", url: "https://github.com/acme/checkout/pull/7#discussion_r1" }],
  answers: [
    {
      verdict: "approve",
      by: "github:octocat",
      via: "comment",
      at: "2026-11-23T02:44:00.000Z",
      accepted: false,
      reason: "octocat started this run",
    },
  ],
  url: `https://dogwatch.example.com/approvals/${id}`,
});

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

type Asked = { readonly url: string; readonly authorization: string | undefined };

async function gateway(answer: (request: IncomingMessage) => { status: number; json: unknown }) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? "", authorization: request.headers.authorization });
    const { status, json } = answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, world: { env: { DOGWATCH_GATEWAY: url, DOGWATCH_TOKEN: "an-access-token" }, now } };
}

test("lists what is pending, one line each, with the time that is left and the page to answer on", async () => {
  const { asked, world } = await gateway(() => ({ status: 200, json: { items: [pending], next_cursor: null } }));
  expect(await listApprovals({}, world)).toEqual({
    exitCode: 0,
    output: `pending  Delete monitor 4212 “Checkout latency p99”  12m left  K7Q2M9  ${pending.url}\n1 approval\n`,
  });
  expect(asked).toEqual([{ url: "/v1/approvals?limit=200&state=pending", authorization: "Bearer an-access-token" }]);
});

test("reads on from page to page", async () => {
  const { asked, world } = await gateway(({ url }) => ({
    status: 200,
    json: { items: [pending], next_cursor: url?.includes("cursor") ? null : "a&b" },
  }));
  expect((await listApprovals({ state: "all" }, world)).output).toMatch(/2 approvals\n$/);
  expect(asked.map(({ url }) => url)).toEqual(["/v1/approvals?limit=200", "/v1/approvals?limit=200&cursor=a%26b"]);
});

test("what is decided says when and by whom, each column as wide as it must be", async () => {
  const denied = {
    ...pending,
    state: "denied",
    title: "Update monitor 7",
    decided_at: "2026-11-22T21:00:00.000Z",
    answers: [{ ...pending.answers[0], verdict: "deny", by: "github:rhea", accepted: true, reason: "no" }],
  };
  const expired = { ...pending, state: "expired", decided_at: "2026-11-19T03:00:00.000Z", answers: [] };
  const { world } = await gateway(() => ({
    status: 200,
    json: { items: [pending, denied, expired], next_cursor: null },
  }));
  expect((await listApprovals({ state: "all" }, world)).output.split("\n")).toEqual([
    `pending  Delete monitor 4212 “Checkout latency p99”  12m left  K7Q2M9          ${pending.url}`,
    `denied   Update monitor 7                            6h ago    by github:rhea  ${pending.url}`,
    `expired  Delete monitor 4212 “Checkout latency p99”  4d ago    by nobody       ${pending.url}`,
    "3 approvals",
    "",
  ]);
});

test("says when there are more than it reads", async () => {
  const { world } = await gateway(() => ({ status: 200, json: { items: [pending], next_cursor: "on" } }));
  expect((await listApprovals({}, world)).output).toMatch(/\n10 approvals, the newest; there are more\n$/);
});

test("shows one with every attempt to answer it", async () => {
  const { world } = await gateway(() => ({ status: 200, json: pending }));
  expect((await showApproval(id, {}, world)).output).toBe(
    [
      "Delete monitor 4212 “Checkout latency p99”",
      "  state           pending",
      "  operation       v1.MonitorsApi.DeleteMonitor, asked by rule deletes-need-a-human",
      "  code            K7Q2M9",
      "  asked           2026-11-23T02:42:00.000Z",
      "  until           2026-11-23T03:12:00.000Z, 12m left",
      `  call            ${pending.call_id}`,
      "  review comment  https://github.com/acme/checkout/pull/7#discussion_r1",
      `  page            ${pending.url}`,
      "2026-11-23T02:44:00.000Z github:octocat said approve (comment): refused, octocat started this run",
      "",
    ].join("\n"),
  );
});

test("ends with 1 for an approval that was denied", async () => {
  const { world } = await gateway(() => ({
    status: 200,
    json: { ...pending, state: "denied", reason: "by rhea: no" },
  }));
  expect(await showApproval(id, {}, world)).toMatchObject({ exitCode: 1 });
  expect(JSON.parse((await showApproval(id, { json: true }, world)).output)).toMatchObject({ state: "denied" });
});

test("a name cannot move the terminal's cursor, turn the writing around or begin a line", async () => {
  const { world } = await gateway(() => ({
    status: 200,
    json: { items: [{ ...pending, title: "Delete \u001b[2J\u202egpj\nx\u200b" }], next_cursor: null },
  }));
  expect((await listApprovals({}, world)).output).toContain("Delete ?[2J?gpj?x?");
});

test("no gateway, a gateway without TLS elsewhere, no token, a token file that is not there, a wrong state, a wrong id: exit code 2 and the fix", async () => {
  const none = { env: {}, now };
  expect(await listApprovals({}, none)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("--gateway URL"),
  });
  expect(await listApprovals({ gateway: "http://dogwatch.example.com" }, none)).toMatchObject({ exitCode: 2 });
  expect(await listApprovals({ gateway: "https://dogwatch.example.com" }, none)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("--token-file FILE"),
  });
  expect(await listApprovals({ gateway: "https://d.example.com", tokenFile: "/nowhere" }, none)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("/nowhere"),
  });
  const { world } = await gateway(() => ({ status: 200, json: {} }));
  expect(await listApprovals({ state: "open" }, world)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("pending, approved"),
  });
  expect(await showApproval("7", {}, world)).toMatchObject({ exitCode: 2 });
});

test("refused by the gateway: its words; there is none: exit code 1; no Dogwatch, or nobody there: unreachable", async () => {
  const refused = await gateway(() => ({ status: 401, json: { errors: ["dogwatch: no such token"] } }));
  expect(await listApprovals({}, refused.world)).toEqual({ exitCode: 2, output: "dogwatch: no such token\n" });
  const unknown = await gateway(() => ({ status: 404, json: { errors: ["dogwatch: there is no approval"] } }));
  expect(await showApproval(id, {}, unknown.world)).toEqual({
    exitCode: 1,
    output: "dogwatch: there is no approval\n",
  });
  const other = await gateway(() => ({ status: 200, json: { hello: "world" } }));
  await expect(listApprovals({}, other.world)).rejects.toThrow(GatewayError);
  const gone = { env: { DOGWATCH_GATEWAY: "http://127.0.0.1:9", DOGWATCH_TOKEN: "t" }, now };
  await expect(listApprovals({}, gone)).rejects.toThrow(/cannot be reached/);
});
