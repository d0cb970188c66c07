/** What undoing never does: guess what was there, write over what somebody else did meanwhile, or act for whoever may not. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { auditorToken } from "../../standins/world.ts";
import { aDashboard, aMonitor, anSlo, startUndo, stepFor, type UndoScene, viewerToken } from "./scene.ts";

let scene: UndoScene;
beforeAll(async () => {
  scene = await startUndo();
});
afterAll(() => scene?.close());

test("what nobody read before it was changed cannot be put back, and the plan says so", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const other = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const session = await scene.openSession();
  await scene.call(session, "DELETE", `/api/v1/monitor/${monitor.id}`);
  // A list shows it too, and is no read of that very one.
  await scene.call(session, "GET", "/api/v1/monitor");
  await scene.call(session, "PUT", `/api/v1/monitor/${other.id}`, { name: "Changed" });
  await scene.call(session, "GET", `/api/v1/monitor/${other.id}`);
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ n, action, state, why }) => [n, action, state, why])).toEqual([
    [
      3,
      "impossible",
      "none",
      "what was there before is not known: nothing in this session read the monitor before call 3 changed it",
    ],
    [
      1,
      "impossible",
      "none",
      "what was there before is not known: nothing in this session read the monitor before call 1 changed it",
    ],
  ]);
  expect(undone.session).toBeNull();
  expect((await scene.datadog("GET", `/api/v1/monitor/${other.id}`)).name).toBe("Changed");
});

test("what names something that does not come back does not come back either", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const slo = (await scene.datadog("POST", "/api/v1/slo", anSlo(monitor.id))).data[0];
  const session = await scene.openSession();
  await scene.call(session, "GET", `/api/v1/slo/${slo.id}`);
  await scene.call(session, "DELETE", `/api/v1/slo/${slo.id}`);
  await scene.call(session, "DELETE", `/api/v1/monitor/${monitor.id}`);
  expect(stepFor(await scene.plan(session.session_id), 2)).toMatchObject({
    action: "impossible",
    why: `it names monitor ${monitor.id}, and nothing takes call 3 back`,
  });
});

test("what somebody changed after the session is a conflict, and says which fields", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const path = `/api/v1/monitor/${monitor.id}`;
  const session = await scene.openSession();
  await scene.call(session, "GET", path);
  await scene.call(session, "PUT", path, { name: "By the agent" });
  const made = await scene.call(session, "POST", "/api/v1/monitor", aMonitor);
  await scene.datadog("PUT", path, { message: "By a person" });
  await scene.datadog("PUT", `/api/v1/monitor/${made.id}`, { tags: ["team:kept"] });
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ n, state, differs }) => [n, state, differs])).toEqual([
    [3, "conflict", ["tags[0]"]],
    [2, "conflict", ["message"]],
  ]);
  expect(stepFor(undone, 2).result).toBe("somebody changed it after the session: message");
  expect(await scene.datadog("GET", path)).toMatchObject({ name: "By the agent", message: "By a person" });
  expect(await scene.datadog("GET", `/api/v1/monitor/${made.id}`)).toMatchObject({ tags: ["team:kept"] });
});

test("what somebody removed, restored or brought back after the session is not done another time", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", aDashboard);
  const session = await scene.openSession();
  await scene.call(session, "GET", `/api/v1/monitor/${monitor.id}`);
  await scene.call(session, "PUT", `/api/v1/monitor/${monitor.id}`, { name: "By the agent" });
  const made = await scene.call(session, "POST", "/api/v1/monitor", aMonitor);
  await scene.call(session, "GET", `/api/v1/dashboard/${dashboard.id}`);
  await scene.call(session, "DELETE", `/api/v1/dashboard/${dashboard.id}`);
  await scene.datadog("DELETE", `/api/v1/monitor/${monitor.id}`);
  await scene.datadog("DELETE", `/api/v1/monitor/${made.id}`);
  await scene.datadog("PATCH", "/api/v1/dashboard", { data: [{ id: dashboard.id, type: "dashboard" }] });
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ n, state, result }) => [n, state, result])).toEqual([
    [5, "done", "it is there again"],
    [3, "done", "it is gone already"],
    [2, "conflict", "this monitor is gone: somebody removed it after the session"],
  ]);
  const sent = await scene.endedCalls(undone.session?.id ?? "");
  expect(sent.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("what has no known inverse is said, each for itself", async () => {
  const session = await scene.openSession();
  await scene.call(session, "POST", "/api/v1/dashboard/lists/manual", { name: "A list" });
  const list = await scene.datadog("POST", "/api/v1/dashboard/lists/manual", { name: "Another" });
  await scene.call(session, "GET", `/api/v1/dashboard/lists/manual/${list.id}`);
  await scene.call(session, "DELETE", `/api/v1/dashboard/lists/manual/${list.id}`);
  await scene.call(session, "POST", "/api/v2/series", {
    series: [{ metric: "m", points: [{ timestamp: 1, value: 1 }] }],
  });
  await scene.call(session, "POST", "/api/v1/events", { title: "t", text: "t" });
  await scene.call(session, "POST", "/api/v1/nothing/of/the/kind", {});
  const plan = await scene.plan(session.session_id);
  expect(plan.steps.map(({ n, action, why }) => [n, action, why])).toEqual([
    [6, "nothing", "Datadog answered 404 and changed nothing"],
    [5, "impossible", "what was submitted stays: telemetry is not taken back"],
    [4, "impossible", "what was submitted stays: telemetry is not taken back"],
    [3, "impossible", "a read of a list does not say which dashboards were in it"],
    [1, "delete", "call 1 made this dashboard list"],
  ]);
});

test("a plan is for those who see the bodies, and only approvers who are people, and admins, do one", async () => {
  const session = await scene.openSession();
  const made = await scene.call(session, "POST", "/api/v1/monitor", aMonitor);
  const { session_id } = session;
  expect((await scene.plan(session_id, auditorToken)).steps).toHaveLength(1);
  expect(await scene.ask("POST", session_id, auditorToken)).toMatchObject({ status: 403 });
  for (const token of [viewerToken, session.access_token])
    for (const method of ["GET", "POST"])
      expect(await scene.ask(method, session_id, token)).toMatchObject({ status: 403 });
  expect(await scene.ask("POST", session_id, "no-token-at-all")).toMatchObject({ status: 401 });
  expect(await scene.ask("POST", "0199c3a1-5f00-7000-8000-000000000001")).toMatchObject({ status: 404 });
  expect(await scene.ask("GET", "0199c3a1-5f00-7000-8000-000000000001")).toMatchObject({ status: 404 });
  expect(await scene.datadog("GET", `/api/v1/monitor/${made.id}`)).toMatchObject({ id: made.id });
});
