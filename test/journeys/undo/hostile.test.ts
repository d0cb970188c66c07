/** Sessions whose recorded answers were made by somebody who wants the undoing to hit something else, or that nobody can read any more. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReceivedRequest, UpstreamAnswer } from "../../standins/upstream.ts";
import { auditorToken, startWorld, type World } from "../../standins/world.ts";
import { adminToken, stepFor, undoing } from "./scene.ts";

/** What Datadog answers, test by test. */
let answer: (request: ReceivedRequest) => string | Exclude<UpstreamAnswer, string> = () => "{}";
let scene: World & ReturnType<typeof undoing>;
beforeAll(async () => {
  const world = await startWorld(
    (request) => {
      const told = answer(request);
      return typeof told === "string" && told !== "hang up"
        ? { status: 200, headers: [["Content-Type", "application/json"]], body: told }
        : told;
    },
    {
      tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: boss, role: admin, token: ${adminToken} }]`,
      more: "limits: { record: 4KiB }",
    },
  );
  scene = { ...world, ...undoing(world.url, world.upstream.url) };
});
afterAll(() => scene?.close());

const evil = [
  '"../../dashboard/abc-def-ghi"',
  '"1/../../v1/user"',
  '"1%2F..%2F2"',
  '"1?force=true"',
  '"1#"',
  '"@evil.example"',
  '"//evil.example/1"',
  '"1\\r\\nHost: evil.example"',
  "-1",
  "0",
  "1.5",
  "1e3",
  '"01"',
  "null",
  "[1]",
  '{"a":1}',
  '""',
];

test.each(evil)("an id that is none, %s, becomes no path", async (id) => {
  answer = () => `{"id":${id},"name":"x","type":"query alert","query":"q"}`;
  const session = await scene.openSession();
  await scene.call(session, "POST", "/api/v1/monitor", {});
  await scene.call(session, "POST", "/api/v1/slo", {});
  await scene.call(session, "POST", "/api/v1/integration/webhooks/configuration/webhooks", {});
  const before = scene.upstream.requests.length;
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ action, why }) => [action, why.slice(0, 38)])).toEqual([
    ["delete", "call 3 made this webhook"],
    ["impossible", "its answer does not tell what was made"],
    ["impossible", "its answer does not tell what was made"],
  ]);
  const sent = scene.upstream.requests.slice(before).map(({ method, url }) => `${method} ${url}`);
  expect(sent).toEqual([
    "GET /api/v1/integration/webhooks/configuration/webhooks/x",
    "DELETE /api/v1/integration/webhooks/configuration/webhooks/x",
  ]);
});

test.each(["..", "a/b", "a%2Fb", "x?force=true", "a b", "."])("a webhook cannot be called %s", async (name) => {
  answer = () => JSON.stringify({ name, url: "https://example.com" });
  const session = await scene.openSession();
  await scene.call(session, "POST", "/api/v1/integration/webhooks/configuration/webhooks", {});
  expect(stepFor(await scene.plan(session.session_id), 1)).toMatchObject({ action: "impossible", request: null });
});

test("ids above 2^53 keep every digit, in paths, in bodies and as what they name", async () => {
  const [monitor, again, slo] = ["9007199254740993", "9223372036854775807", "0123456789abcdef0123456789abcdef"];
  let gone = false;
  answer = ({ method, url }) => {
    if (method === "DELETE") {
      gone = true;
      return "{}";
    }
    if (url.startsWith("/api/v1/monitor/"))
      return gone && method === "GET"
        ? { status: 404, body: "{}" }
        : `{"id":${monitor},"name":"big","type":"metric alert","query":"q","options":{"new_host_delay":18014398509481985}}`;
    if (url === "/api/v1/monitor")
      return `{"id":${again},"name":"big","type":"metric alert","query":"q","options":{"new_host_delay":18014398509481985}}`;
    return gone && method === "GET"
      ? { status: 404, body: "{}" }
      : `{"data":[{"id":"${slo}","name":"s","type":"monitor","monitor_ids":[${monitor},1],"thresholds":[]}]}`;
  };
  const session = await scene.openSession();
  for (const path of [`/api/v1/slo/${slo}`, `/api/v1/monitor/${monitor}`]) await scene.call(session, "GET", path);
  for (const path of [`/api/v1/slo/${slo}`, `/api/v1/monitor/${monitor}`]) await scene.call(session, "DELETE", path);
  const earlier = scene.upstream.requests.length;
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ state, new_id }) => [state, new_id])).toEqual([
    ["done", again],
    ["done", slo],
  ]);
  const sent = scene.upstream.requests.slice(earlier);
  const bodies = sent.filter(({ method }) => method === "POST").map(({ body }) => body.toString());
  expect(bodies[0]).toContain('"new_host_delay": 18014398509481985');
  expect(bodies[1]?.replaceAll(/\s/g, "")).toContain(`"monitor_ids":[${again},1]`);
});

test("a write of which nobody knows what it did asks to look first, and nothing of its resource is touched", async () => {
  let state = '{"id":7,"name":"before","type":"metric alert","query":"q"}';
  answer = ({ method, url }) => {
    if (method === "POST") return "hang up";
    if (method !== "GET" && url === "/api/v1/monitor/7") {
      state = '{"id":7,"name":"after","type":"metric alert","query":"q"}';
      return { raw: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" };
    }
    return method === "DELETE" ? { status: 500, body: '{"errors":["oops"]}' } : state;
  };
  const session = await scene.openSession();
  await scene.call(session, "GET", "/api/v1/monitor/7");
  await scene.call(session, "PUT", "/api/v1/monitor/7", { name: "after" });
  await scene.call(session, "POST", "/api/v1/monitor", {});
  await scene.call(session, "DELETE", "/api/v1/monitor/8");
  const before = scene.upstream.requests.length;
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ n, action, state, why }) => [n, action, state, why.slice(0, 30)])).toEqual([
    [4, "look", "none", "look first what is there: Data"],
    [3, "look", "none", "look first what is there: it w"],
    [2, "look", "none", "look first what is there: it w"],
  ]);
  expect(scene.upstream.requests.length).toBe(before);
});

test("what names each other in a circle is not brought back half", async () => {
  const slo = "0123456789abcdef0123456789abcdef";
  answer = ({ url }) =>
    url.startsWith("/api/v1/slo")
      ? `{"data":{"id":"${slo}","name":"s","type":"monitor","monitor_ids":[7],"thresholds":[]}}`
      : `{"id":7,"name":"m","type":"slo alert","query":"error_budget(\\"${slo}\\") > 1"}`;
  const session = await scene.openSession();
  for (const path of ["/api/v1/monitor/7", `/api/v1/slo/${slo}`]) {
    await scene.call(session, "GET", path);
    await scene.call(session, "DELETE", path);
  }
  const before = scene.upstream.requests.length;
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ action, why }) => [action, why])).toEqual([
    ["impossible", "it and what it names name each other, so that neither can come back first"],
    ["impossible", "it and what it names name each other, so that neither can come back first"],
  ]);
  expect(scene.upstream.requests.length).toBe(before);
});

test("a recording that is cut, or that two readers understand differently, shows nothing that was there", async () => {
  const answers = new Map([
    ["/api/v1/monitor/1", '{"id":1,"name":"a","name":"b"}'],
    ["/api/v1/monitor/2", '{"id":3,"name":"another one"}'],
    ["/api/v1/monitor/3", `{"id":3,"name":"${"long ".repeat(2000)}"}`],
    ["/api/v1/monitor/4", "not json"],
  ]);
  answer = ({ url }) => answers.get(url) ?? "{}";
  const session = await scene.openSession();
  for (const path of answers.keys()) await scene.call(session, "GET", path);
  for (const path of answers.keys()) await scene.call(session, "DELETE", path);
  const plan = await scene.plan(session.session_id);
  expect(
    plan.steps.map(({ action, why }) => [action, why.replace(/^what was there before is not known: /, "")]),
  ).toEqual([
    ["impossible", expect.stringContaining("call 4 read it, and of its answer, it is not JSON")],
    ["impossible", "call 3 read it, and its body is not recorded as a whole"],
    ["impossible", "call 2 read it, and its answer is about another one"],
    ["impossible", expect.stringContaining("the same key twice")],
  ]);
});
