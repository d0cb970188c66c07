/** Undoing is broken off, or begun twice: what was done is not done another time, and what nobody knows is not guessed. */

import { afterEach, expect, test } from "vitest";
import type { UndoJson } from "../../../server/contract.ts";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { type GatewayProcess, startGatewayProcess } from "../../standins/gatewayProcess.ts";
import type { ReceivedRequest, UpstreamAnswer } from "../../standins/upstream.ts";
import { auditorToken, startScene, visit } from "../../standins/world.ts";
import { aDashboard, adminToken, aMonitor, secondToken, stepFor, undoing } from "./scene.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

type Hold = { readonly arrived: Promise<void>; readonly release: () => void };

/** A gateway process before a sandbox, with something between them that holds what it is told to. */
async function start() {
  const sandbox = await createSandbox({ clock: () => new Date() }).listen();
  endings.push(() => sandbox.close());
  let held: { readonly wanted: RegExp; readonly arrived: () => void; readonly released: Promise<void> } | null = null;
  const through = async (request: ReceivedRequest): Promise<UpstreamAnswer> => {
    const hold = held?.wanted.test(`${request.method} ${request.url}`) === true ? held : null;
    const answer = await fetch(sandbox.url + request.url, {
      method: request.method,
      headers: { "dd-api-key": "k", "dd-application-key": "a", "content-type": "application/json" },
      ...(request.body.length > 0 && { body: new Uint8Array(request.body) }),
    });
    const body = await answer.text();
    hold?.arrived();
    await hold?.released;
    return { status: answer.status, headers: [["Content-Type", "application/json"]], body };
  };
  const scene = await startScene(through, {
    tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: boss, role: admin, token: ${adminToken} }, { name: second, role: admin, token: ${secondToken} }]`,
  });
  endings.push(() => scene.close());
  const begin = async (): Promise<GatewayProcess & ReturnType<typeof visit> & ReturnType<typeof undoing>> => {
    const gateway = await startGatewayProcess(scene.file);
    endings.push(() => gateway.kill("SIGKILL"));
    return { ...gateway, ...visit(gateway.url, scene.issuer), ...undoing(gateway.url, sandbox.url) };
  };
  return {
    scene,
    begin,
    hold: (wanted: RegExp): Hold => {
      const { promise: arrived, resolve } = Promise.withResolvers<void>();
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      held = { wanted, arrived: resolve, released };
      return { arrived, release };
    },
    letAll: () => {
      held = null;
    },
  };
}

const patient = { timeout: 110_000, interval: 200 };

const states = ({ steps }: UndoJson) => steps.map(({ n, action, state }) => [n, action, state]);

test("a gateway that is killed in the middle: the next one goes on, and does nothing twice", async () => {
  const { scene, begin, hold, letAll } = await start();
  const first = await begin();
  const monitors = [];
  for (let i = 0; i < 3; i++) monitors.push(await first.datadog("POST", "/api/v1/monitor", aMonitor));
  const dashboard = await first.datadog("POST", "/api/v1/dashboard", aDashboard);
  const session = await first.openSession();
  for (const { id } of monitors) await first.call(session, "GET", `/api/v1/monitor/${id}`);
  for (const { id } of monitors) await first.call(session, "DELETE", `/api/v1/monitor/${id}`);
  await first.call(session, "GET", `/api/v1/dashboard/${dashboard.id}`);
  await first.call(session, "PUT", `/api/v1/dashboard/${dashboard.id}`, { ...dashboard, title: "Changed" });

  // The dashboard, the last of the monitors; and in the middle of the second one.
  const earlier = scene.upstream.requests.length;
  let made = 0;
  const held = hold(/^POST \/api\/v1\/monitor$/);
  const undoing = first.apply(session.session_id).catch(() => null);
  await held.arrived;
  const writes = (): string[] =>
    scene.upstream.requests
      .slice(earlier)
      .filter(({ method }) => method !== "GET")
      .map(({ method, url }) => `${method} ${url}`);
  expect(writes()).toEqual([`PUT /api/v1/dashboard/${dashboard.id}`, "POST /api/v1/monitor"]);
  await first.kill("SIGKILL");
  await undoing;
  letAll();
  held.release();

  const next = await begin();
  const apply = async (): Promise<UndoJson | null> => {
    const { status, text } = await next.ask("POST", session.session_id);
    made += 1;
    return status === 200 ? (JSON.parse(text) as UndoJson) : null;
  };
  let undone: UndoJson | null = null;
  // As long as the one that died has the lease it says so; then it is over, and what it had sent is not known.
  await expect
    .poll(async () => {
      undone = await apply();
      return undone === null ? [] : states(undone);
    }, patient)
    .toEqual([
      [8, "put_back", "done"],
      [6, "recreate", "failed"],
      [5, "recreate", "done"],
      [4, "recreate", "done"],
    ]);
  expect(made).toBeGreaterThan(0);
  expect(stepFor(undone as unknown as UndoJson, 6).result).toBe(
    "look first what is there: it was sent, and nobody can say what it did",
  );
  await apply();
  expect(writes()).toEqual([
    `PUT /api/v1/dashboard/${dashboard.id}`,
    "POST /api/v1/monitor",
    "POST /api/v1/monitor",
    "POST /api/v1/monitor",
  ]);
  const sessions = (await (await next.read("/v1/sessions")).json()) as { items: { state: string; caller: object }[] };
  const own = sessions.items.filter(({ caller }) => "undo_of" in caller);
  expect(own.map(({ state }) => state)).not.toContain("open");
}, 180_000);

test("two people at once: one undoes, the other is told", async () => {
  const { begin, hold, letAll } = await start();
  const gateway = await begin();
  const monitor = await gateway.datadog("POST", "/api/v1/monitor", aMonitor);
  const session = await gateway.openSession();
  await gateway.call(session, "GET", `/api/v1/monitor/${monitor.id}`);
  await gateway.call(session, "DELETE", `/api/v1/monitor/${monitor.id}`);
  const held = hold(/^POST \/api\/v1\/monitor$/);
  const first = gateway.apply(session.session_id);
  await held.arrived;
  for (const token of [secondToken, adminToken])
    expect(await gateway.ask("POST", session.session_id, token)).toMatchObject({
      status: 409,
      text: expect.stringContaining("is being undone just now"),
    });
  letAll();
  held.release();
  expect(states(await first)).toEqual([[2, "recreate", "done"]]);
  expect(await gateway.apply(session.session_id, secondToken)).toMatchObject({
    session: null,
    steps: [{ state: "done" }],
  });
  expect(await gateway.datadog("GET", "/api/v1/monitor")).toHaveLength(1);
}, 120_000);
