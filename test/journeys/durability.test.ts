/** No effect without a receipt: the gateway killed in the middle of writes, and the database gone while calls come in. */

import { afterEach, expect, test } from "vitest";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { type GatewayProcess, startGatewayProcess } from "../standins/gatewayProcess.ts";
import { inParallel, send } from "../standins/send.ts";
import { headerOf } from "../standins/upstream.ts";
import { type Scene, startScene, visit } from "../standins/world.ts";

let scene: Scene | undefined;
let gateway: GatewayProcess | undefined;
let line: DatabaseLine | undefined;

afterEach(async () => {
  await gateway?.kill("SIGKILL");
  await line?.close();
  await scene?.close();
  line = undefined;
});

test("after a kill -9 amid 200 concurrent writes every request that the upstream saw has a receipt, and unfinished ones end indeterminate", async () => {
  let kill = (): void => undefined;
  const halfway = new Promise<void>((resolve) => {
    kill = resolve;
  });
  let arrived = 0;
  scene = await startScene(async () => {
    arrived += 1;
    if (arrived === 100) kill();
    // Every third answer is on its way for long enough to be cut off.
    if (arrived % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2_000));
    return { status: 200, body: "{}" };
  });
  gateway = await startGatewayProcess(scene.file);
  const first = visit(gateway.url, scene.issuer);
  const { access_token, session_id } = await first.openSession();
  const { url } = gateway;
  const statuses = new Map<string, number>();
  const load = inParallel(
    Array.from({ length: 200 }, (_, i) => `write-${i}`),
    200,
    async (name) => {
      const answer = await send(url, {
        method: "POST",
        target: "/api/v1/monitor",
        headers: [
          ["DD-API-KEY", access_token],
          ["X-Name", name],
          ["Content-Type", "application/json"],
        ],
        body: Buffer.from(JSON.stringify({ name })),
      }).catch(() => null);
      if (answer !== null) statuses.set(name, answer.status);
    },
  );
  await halfway;
  await gateway.kill("SIGKILL");
  await load;

  gateway = await startGatewayProcess(scene.file);
  const again = visit(gateway.url, scene.issuer);
  const calls = await again.endedCalls(session_id);
  const byName = new Map(calls.map((call) => [call.request.headers.find(([name]) => name === "X-Name")?.[1], call]));
  expect(byName.size).toBe(calls.length);
  const seen = scene.upstream.requests.map((request) => headerOf(request, "x-name"));
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((name) => !byName.has(name))).toEqual([]);
  for (const [name, status] of statuses) if (status === 200) expect(byName.get(name)?.state).toBe("closed");
  expect(calls.filter((call) => call.state === "indeterminate").length).toBeGreaterThan(0);
  expect(calls.map((call) => call.n).toSorted((a, b) => a - b)).toEqual(calls.map((_, i) => i + 1));
});

test("with the database gone calls are refused with 503, and the upstream sees no call but reads of the first second, whose answers nobody gets", async () => {
  scene = await startScene(() => ({ status: 200, body: '{"secret":"answer"}' }), {
    databaseThrough: async (connectionString) => {
      line = await DatabaseLine.to(connectionString);
      return line.connectionString;
    },
  });
  gateway = await startGatewayProcess(scene.file);
  const { access_token } = await visit(gateway.url, scene.issuer).openSession();
  const { url } = gateway;
  const call = (method: string, target: string) =>
    send(url, { method, target, headers: [["DD-API-KEY", access_token]] });
  expect((await call("GET", "/api/v1/monitor")).status).toBe(200);

  line?.cut();
  const before = scene.upstream.requests.length;
  const early = await Promise.all([
    call("GET", "/api/v1/monitor"),
    call("DELETE", "/api/v1/monitor/1"),
    call("POST", "/api/v1/monitor"),
  ]);
  for (const answer of early) {
    expect(answer.status).toBe(503);
    expect(answer.header("dogwatch-error")).toBe("recording_unavailable");
    expect(answer.body.toString()).not.toContain("secret");
  }
  expect(scene.upstream.requests.slice(before).filter(({ method }) => method !== "GET")).toEqual([]);

  // Known to be down by now: nothing at all is sent.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const later = scene.upstream.requests.length;
  for (const answer of await Promise.all([call("GET", "/api/v1/monitor"), call("DELETE", "/api/v1/monitor/1")]))
    expect(answer.status).toBe(503);
  expect(scene.upstream.requests.length).toBe(later);

  line?.mend();
  for (let status = 503; status !== 200; status = (await call("GET", "/api/v1/monitor")).status)
    await new Promise((resolve) => setTimeout(resolve, 200));
});
