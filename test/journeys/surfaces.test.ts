/** The ways into the data plane lead to the same rules: base URL, named host, wildcard host; and what observing lets pass. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { send } from "../standins/send.ts";
import { headerOf } from "../standins/upstream.ts";
import { type World, startWorld } from "../standins/world.ts";

let world: World;
let token: string;
let session: string;
let before: number;

beforeAll(async () => {
  world = await startWorld(() => ({ status: 200, body: "{}" }), {
    rules: `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: no-muting, effect: deny, observe: true, when: 'operation.name == "UpdateMonitor"' }
    - { name: no-dashboards, effect: deny, when: 'operation.name == "CreateDashboard"' }
    - { name: ask, effect: approve, when: 'operation.name == "CreateSLO"' }`,
    more: 'dataHosts: "*.dd.example.com"',
  });
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(() => world.close());
beforeEach(() => {
  before = world.upstream.requests.length;
});

const ask = (method: string, target: string, host?: string) =>
  send(world.url, {
    method,
    target,
    headers: [["DD-API-KEY", token], ...(host === undefined ? [] : [["Host", host] as const])],
    ...(method === "GET" ? {} : { body: Buffer.from("{}") }),
  });
const lastSeen = () => world.upstream.requests.at(-1) ?? { rawHeaders: [] };

test.each([
  ["the API by path", "/api/v1/monitor", undefined],
  ["the API as a named host", "/proxy/api.datadoghq.com/api/v1/monitor", undefined],
  ["the API as a wildcard host", "/api/v1/monitor", "api.dd.example.com"],
  ["the API as a wildcard host with a port, in any case", "/api/v1/monitor", "API.DD.Example.com:8080"],
])("%s is one operation", async (_, target, host) => {
  expect((await ask("GET", target, host)).status).toBe(200);
  expect(headerOf(lastSeen(), "host")).toBe("api.datadoghq.com");
  expect((await world.calls(session)).at(-1)).toMatchObject({
    operation: "v1.MonitorsApi.ListMonitors",
    path: "/api/v1/monitor",
  });
});

test.each([
  ["a name that Datadog does not have", "evil.dd.example.com"],
  ["a name with more labels", "api.evil.dd.example.com"],
  ["a name made to escape", "api.datadoghq.com.dd.example.com"],
])("%s under the wildcard leads nowhere: %s", async (_, host) => {
  const answer = await ask("GET", "/api/v1/monitor", host);
  expect([answer.status, answer.header("dogwatch-error")]).toEqual([403, "host_not_allowed"]);
  expect(world.upstream.requests.length).toBe(before);
});

test("under a wildcard host every path is Datadog's, and none is the gateway's own", async () => {
  for (const path of ["/v1/token", "/healthz", "/sessions"]) {
    const answer = await ask("GET", path, "api.dd.example.com");
    expect([answer.status, answer.header("dogwatch-error")]).toEqual([403, "operation_unknown"]);
  }
  expect(world.upstream.requests.length).toBe(before);
});

test("a rule that only observes lets pass what it would refuse, and says so in the record", async () => {
  expect((await ask("PUT", "/api/v1/monitor/7")).status).toBe(200);
  expect((await world.calls(session)).at(-1)).toMatchObject({ state: "closed", decision: { effect: "observe" } });
});

test.each([
  ["POST", "/api/v1/dashboard", "denied"],
  ["POST", "/api/v1/slo", "approval_required"],
  ["DELETE", "/api/v1/monitor/7", "denied"],
  ["POST", "/api/v1/no-such-thing", "operation_unknown"],
])("%s %s is not forwarded: %s", async (method, target, code) => {
  const answer = await ask(method, target);
  expect([answer.status, answer.header("dogwatch-error")]).toEqual([403, code]);
  expect(world.upstream.requests.length).toBe(before);
  expect((await world.calls(session)).at(-1)).toMatchObject({ state: "refused", status: 403, error_code: code });
});
