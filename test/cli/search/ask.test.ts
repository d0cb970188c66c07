/** `dogwatch search`: asked of a gateway that answers as the contract says. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { search } from "../../../server/cli/search/ask.ts";
import { callJson } from "../../standins/gateway.ts";

const session = "0199c3a1-5f00-7000-8000-000000000001";
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const gateway = async (pages: readonly { status?: number; json: object }[]) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { status = 200, json } = pages[asked.length] ?? { status: 500, json: {} };
    asked.push(request.url ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, env: { DOGWATCH_GATEWAY: url, DOGWATCH_TOKEN: "t" } };
};

const hit = (n: number) => ({
  ...callJson(session, n),
  connection: "prod",
  subject: "repo:acme/app:pull_request",
  repository: "acme/app",
  excerpts: [{ where: "response", text: "a checkout\u001b[2J failed", marks: [[2, 10]] }],
});

test("shows each call with where it was found, and goes on behind pages that were short", async () => {
  const { asked, env } = await gateway([
    { json: { items: [hit(2)], next_cursor: "abc" } },
    { json: { items: [], next_cursor: "def" } },
    { json: { items: [hit(1)], next_cursor: null } },
  ]);
  const { exitCode, output } = await search(["checkout", "status:200"], {}, env);
  expect(exitCode).toBe(0);
  expect(output.split("\n")).toEqual([
    expect.stringMatching(/GET \/api\/v1\/monitor .*calls\/2$/),
    "    response: a checkout?[2J failed",
    expect.stringMatching(/calls\/1$/),
    "    response: a checkout?[2J failed",
    "2 calls",
    "",
  ]);
  expect(asked).toEqual([
    "/v1/search?q=checkout+status%3A200&limit=50",
    "/v1/search?q=checkout+status%3A200&limit=49&cursor=abc",
    "/v1/search?q=checkout+status%3A200&limit=49&cursor=def",
  ]);
});

test("ends with 1 where nothing is found, and with 2 and the gateway's words where it is not understood", async () => {
  const nothing = await gateway([{ json: { items: [], next_cursor: null } }]);
  expect(await search(["nothing"], {}, nothing.env)).toEqual({ exitCode: 1, output: "0 calls\n" });
  const wrong = await gateway([
    { status: 400, json: { errors: ["dogwatch: q, column 1: there is no field 'statsu'"] } },
  ]);
  expect(await search(["statsu:4"], {}, wrong.env)).toEqual({
    exitCode: 2,
    output: "dogwatch: q, column 1: there is no field 'statsu'\n",
  });
});

test("takes no two questions at once, and no limit that is none", async () => {
  const { env, asked } = await gateway([]);
  expect((await search(["one"], { masked: "two" }, env)).exitCode).toBe(2);
  for (const limit of ["0", "-1", "x", "99999"]) expect((await search(["one"], { limit }, env)).exitCode).toBe(2);
  expect(asked).toEqual([]);
});
