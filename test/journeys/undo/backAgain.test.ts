/** What a session did through the gateway is taken back: what it deleted is there again, what it changed is as it was, what it made is gone. */

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TokenAnswer, UndoJson } from "../../../server/contract.ts";
import { runToEnd } from "../../standins/job.ts";
import {
  aDashboard,
  aDowntime,
  alike,
  aMonitor,
  anSlo,
  type Loose,
  startUndo,
  stepFor,
  type UndoScene,
} from "./scene.ts";

let scene: UndoScene;
beforeAll(async () => {
  scene = await startUndo();
});
afterAll(() => scene?.close());

const states = ({ steps }: UndoJson) => steps.map(({ n, action, state }) => [n, action, state]);
const newId = (undone: UndoJson, n: number): string => stepFor(undone, n).new_id ?? "";

const readAll = async (session: TokenAnswer, paths: readonly string[]): Promise<Loose[]> => {
  const read: Loose[] = [];
  for (const path of paths) read.push(await scene.call(session, "GET", path));
  return read;
};

test("a monitor, a dashboard, a downtime and an SLO come back, equal but for ids and times, and name each other by their new ids", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const slo = (await scene.datadog("POST", "/api/v1/slo", anSlo(monitor.id))).data[0];
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", {
    ...aDashboard,
    widgets: [...aDashboard.widgets, { definition: { type: "slo", slo_id: slo.id, view_type: "detail" } }],
  });
  const downtime = await scene.datadog("POST", "/api/v2/downtime", {
    data: {
      ...aDowntime.data,
      attributes: { ...aDowntime.data.attributes, monitor_identifier: { monitor_id: monitor.id } },
    },
  });
  const paths = [
    `/api/v1/dashboard/${dashboard.id}`,
    `/api/v1/slo/${slo.id}`,
    `/api/v1/monitor/${monitor.id}`,
    `/api/v2/downtime/${downtime.data.id}`,
  ];
  const session = await scene.openSession();
  const [dashboardBefore, sloBefore, monitorBefore, downtimeBefore] = await readAll(session, paths);
  for (const path of paths) await scene.call(session, "DELETE", path);

  const plan = await scene.plan(session.session_id);
  expect(states(plan)).toEqual([
    [7, "recreate", "planned"],
    [8, "recreate", "planned"],
    [6, "recreate", "planned"],
    [5, "recreate", "planned"],
  ]);
  expect(stepFor(plan, 6)).toMatchObject({ needs: ["7"], from: { call_id: `${session.session_id}/2` } });
  expect(await scene.datadog("GET", paths[2] ?? "")).toEqual({ errors: ["Monitor not found"] });

  const undone = await scene.apply(session.session_id);
  expect(states(undone).map(([, , state]) => state)).toEqual(["done", "done", "done", "done"]);
  // A downtime whose beginning is over begins at once.
  expect(undone.steps.flatMap(({ differs }) => differs)).toEqual(["schedule.start"]);

  const monitorAgain = await scene.datadog("GET", `/api/v1/monitor/${newId(undone, 7)}`);
  expect(alike(monitorAgain)).toEqual(alike(monitorBefore));
  const sloAgain = await scene.datadog("GET", `/api/v1/slo/${newId(undone, 6)}`);
  expect(alike(sloAgain)).toEqual(alike({ ...sloBefore, data: { ...sloBefore.data, monitor_ids: [monitorAgain.id] } }));
  const dashboardAgain = await scene.datadog("GET", `/api/v1/dashboard/${newId(undone, 5)}`);
  expect(dashboardAgain.widgets[1].definition.slo_id).toBe(sloAgain.data.id);
  const reset = (value: Loose) => JSON.parse(JSON.stringify(value).replaceAll(slo.id, sloAgain.data.id));
  expect(alike(dashboardAgain)).toEqual(alike(reset(dashboardBefore)));
  const downtimeAgain = await scene.datadog("GET", `/api/v2/downtime/${newId(undone, 8)}`);
  downtimeBefore.data.attributes.monitor_identifier.monitor_id = monitorAgain.id;
  expect(alike(downtimeAgain.data.attributes)).toEqual(alike(downtimeBefore.data.attributes));

  const undoing = await scene.session(undone.session?.id ?? "");
  expect(undoing).toMatchObject({
    connection: "prod",
    state: "closed",
    caller: { purpose: "undo", undo_of: session.session_id },
  });
  const recorded = await scene.endedCalls(undoing.id);
  expect(recorded.map(({ method, status }) => `${method} ${status}`)).toEqual([
    "GET 404",
    "POST 200",
    "GET 200",
    "POST 200",
    "GET 404",
    "POST 200",
    "GET 404",
    "POST 200",
  ]);
  expect(await scene.audited(/session_opened .*to undo session/)).toMatchObject({ who: "boss (admin)" });
});

test("done once it stays done: asking again sends nothing and opens no session", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const session = await scene.openSession();
  await readAll(session, [`/api/v1/monitor/${monitor.id}`]);
  await scene.call(session, "DELETE", `/api/v1/monitor/${monitor.id}`);
  const first = await scene.apply(session.session_id);
  const second = await scene.apply(session.session_id);
  expect(second).toMatchObject({ session: null, steps: [{ state: "done", new_id: newId(first, 2) }] });
  expect(await scene.plan(session.session_id)).toMatchObject({ steps: [{ state: "done", new_id: newId(first, 2) }] });
  const monitors = (await scene.datadog("GET", "/api/v1/monitor?name=Checkout")) as Loose[];
  expect(monitors.filter(({ id }) => id >= monitor.id)).toHaveLength(1);
});

test("a dashboard that names nothing new is restored under its own id, without anybody having read it", async () => {
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", aDashboard);
  const other = await scene.datadog("POST", "/api/v1/dashboard", { ...aDashboard, title: "Other" });
  const session = await scene.openSession();
  await scene.call(session, "DELETE", `/api/v1/dashboard/${dashboard.id}`);
  await scene.call(session, "DELETE", "/api/v1/dashboard", { data: [{ id: other.id, type: "dashboard" }] });
  const undone = await scene.apply(session.session_id);
  expect(states(undone)).toEqual([
    [2, "restore", "done"],
    [1, "restore", "done"],
  ]);
  for (const one of [dashboard, other]) expect(await scene.datadog("GET", `/api/v1/dashboard/${one.id}`)).toEqual(one);
});

test("a dashboard that was changed and then deleted is restored and then put back", async () => {
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", aDashboard);
  const path = `/api/v1/dashboard/${dashboard.id}`;
  const session = await scene.openSession();
  await readAll(session, [path]);
  await scene.call(session, "PUT", path, { ...dashboard, title: "Broken" });
  await scene.call(session, "DELETE", path);
  const undone = await scene.apply(session.session_id);
  expect(states(undone)).toEqual([
    [3, "restore", "done"],
    [2, "put_back", "done"],
  ]);
  expect(alike(await scene.datadog("GET", path))).toEqual(alike(dashboard));
});

test("what was made is deleted, the last thing first, and what was made and deleted again needs nothing", async () => {
  const session = await scene.openSession();
  const monitor = await scene.call(session, "POST", "/api/v1/monitor", aMonitor);
  const slo = await scene.call(session, "POST", "/api/v1/slo", anSlo(monitor.id));
  const gone = await scene.call(session, "POST", "/api/v1/monitor", aMonitor);
  await scene.call(session, "DELETE", `/api/v1/monitor/${gone.id}`);
  const undone = await scene.apply(session.session_id);
  expect(states(undone)).toEqual([
    [4, "nothing", "none"],
    [3, "nothing", "none"],
    [2, "delete", "done"],
    [1, "delete", "done"],
  ]);
  expect(stepFor(undone, 4).why).toBe("call 3 made it and call 4 removed it again");
  expect(await scene.datadog("GET", `/api/v1/slo/${slo.data[0].id}`)).toHaveProperty("errors");
  expect(await scene.datadog("GET", `/api/v1/monitor/${monitor.id}`)).toHaveProperty("errors");
});

test("what was changed several times is put back to what it was before the first change, by one request", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const path = `/api/v1/monitor/${monitor.id}`;
  const session = await scene.openSession();
  await readAll(session, [path]);
  await scene.call(session, "PUT", path, { name: "First", priority: null, tags: [] });
  await scene.call(session, "PUT", path, { message: "Second" });
  const undone = await scene.apply(session.session_id);
  expect(states(undone)).toEqual([
    [3, "put_back", "done"],
    [2, "nothing", "none"],
  ]);
  expect(alike(await scene.datadog("GET", path))).toEqual(alike(monitor));
});

test("of a downtime only what was changed is put back (PATCH), and one that would have ended by now is not made again", async () => {
  const downtime = (await scene.datadog("POST", "/api/v2/downtime", aDowntime)).data;
  const path = `/api/v2/downtime/${downtime.id}`;
  const over = await scene.datadog("POST", "/api/v1/downtime", {
    scope: ["env:x"],
    end: Math.floor(Date.now() / 1000) + 6,
  });
  const session = await scene.openSession();
  await readAll(session, [path, `/api/v1/downtime/${over.id}`]);
  await scene.call(session, "PATCH", path, {
    data: { type: "downtime", id: downtime.id, attributes: { message: "changed" } },
  });
  await scene.call(session, "DELETE", `/api/v1/downtime/${over.id}`);
  await expect
    .poll(async () => stepFor(await scene.plan(session.session_id), 4))
    .toMatchObject({
      action: "nothing",
      why: "it would have ended by now",
    });
  const undone = await scene.apply(session.session_id);
  expect(JSON.parse(stepFor(undone, 3).request?.body ?? "")).toEqual({
    data: { type: "downtime", id: downtime.id, attributes: { message: "deploying" } },
  });
  expect((await scene.datadog("GET", path)).data.attributes.message).toBe("deploying");
});

test("what was refused, and what Datadog refused, needs nothing", async () => {
  const session = await scene.openSession();
  await scene.call(session, "DELETE", "/api/v1/monitor/4212");
  const plan = await scene.plan(session.session_id);
  expect(stepFor(plan, 1)).toMatchObject({ action: "nothing", why: "Datadog answered 404 and changed nothing" });
});

test("a composite monitor and an SLO alert name what came back under another id", async () => {
  const [one, other] = [
    await scene.datadog("POST", "/api/v1/monitor", aMonitor),
    await scene.datadog("POST", "/api/v1/monitor", aMonitor),
  ];
  const slo = (await scene.datadog("POST", "/api/v1/slo", anSlo(other.id))).data[0];
  const composite = await scene.datadog("POST", "/api/v1/monitor", {
    name: "Both",
    type: "composite",
    query: `${one.id} && !${other.id}`,
    message: `not ${one.id}`,
  });
  const alert = await scene.datadog("POST", "/api/v1/monitor", {
    name: "Budget",
    type: "slo alert",
    query: `error_budget("${slo.id}").over("30d") > 75`,
  });
  const paths = [
    `/api/v1/monitor/${composite.id}`,
    `/api/v1/monitor/${one.id}`,
    `/api/v1/monitor/${alert.id}`,
    `/api/v1/slo/${slo.id}`,
  ];
  const session = await scene.openSession();
  await readAll(session, paths);
  for (const path of paths) await scene.call(session, "DELETE", path);
  const undone = await scene.apply(session.session_id);
  expect(undone.steps.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  const read = (n: number) => scene.datadog("GET", `/api/v1/monitor/${newId(undone, n)}`);
  expect(await read(5)).toMatchObject({ query: `${newId(undone, 6)} && !${other.id}`, message: `not ${one.id}` });
  expect(await read(7)).toMatchObject({ query: `error_budget("${newId(undone, 8)}").over("30d") > 75` });
});

test("a log-based metric and a notification rule come back, and a log pipeline is put back", async () => {
  const metric = {
    data: {
      id: "checkout.latency",
      type: "logs_metrics",
      attributes: { compute: { aggregation_type: "count" }, filter: { query: "service:checkout" }, group_by: [] },
    },
  };
  const rule = {
    data: {
      type: "monitor-notification-rule",
      attributes: { name: "Checkout", recipients: ["slack-checkout"], filter: { tags: ["team:checkout"] } },
    },
  };
  await scene.datadog("POST", "/api/v2/logs/config/metrics", metric);
  const { id } = (await scene.datadog("POST", "/api/v2/monitor/notification_rule", rule)).data;
  const pipeline = await scene.datadog("POST", "/api/v1/logs/config/pipelines", {
    name: "Checkout",
    filter: { query: "service:checkout" },
    processors: [],
  });
  const paths = [
    "/api/v2/logs/config/metrics/checkout.latency",
    `/api/v2/monitor/notification_rule/${id}`,
    `/api/v1/logs/config/pipelines/${pipeline.id}`,
  ];
  const session = await scene.openSession();
  const [metricBefore, ruleBefore, pipelineBefore] = await readAll(session, paths);
  await scene.call(session, "DELETE", paths[0] ?? "");
  await scene.call(session, "DELETE", paths[1] ?? "");
  await scene.call(session, "PUT", paths[2] ?? "", { ...pipeline, name: "Changed" });
  const undone = await scene.apply(session.session_id);
  expect(states(undone)).toEqual([
    [6, "put_back", "done"],
    [5, "recreate", "done"],
    [4, "recreate", "done"],
  ]);
  expect(undone.steps.flatMap(({ differs }) => differs)).toEqual([]);
  expect(await scene.datadog("GET", paths[0] ?? "")).toEqual(metricBefore);
  const ruleAgain = await scene.datadog("GET", `/api/v2/monitor/notification_rule/${newId(undone, 5)}`);
  expect(alike(ruleAgain.data.attributes)).toEqual(alike(ruleBefore.data.attributes));
  expect(alike(await scene.datadog("GET", paths[2] ?? ""))).toEqual(alike(pipelineBefore));
});

test("what the official client deleted, the official client reads again", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const slo = (await scene.datadog("POST", "/api/v1/slo", anSlo(monitor.id))).data[0];
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", aDashboard);
  const downtime = (await scene.datadog("POST", "/api/v2/downtime", aDowntime)).data;
  const agent = async (mode: string, ids: object): Promise<{ session: TokenAnswer; read: Loose }> => {
    const session = await scene.openSession();
    const { access_token: token } = session;
    const env = { ...process.env, DATADOG_HOST: scene.url, DD_API_KEY: token, DD_APP_KEY: token };
    const script = fileURLToPath(new URL("../../clients/readAndDelete.mjs", import.meta.url));
    const { code, out } = await runToEnd(process.execPath, [script, mode, JSON.stringify(ids)], env);
    if (code !== 0) throw new Error(out);
    return { session, read: JSON.parse(out) };
  };
  const ids = { monitor: monitor.id, slo: slo.id, dashboard: dashboard.id, downtime: downtime.id };
  const before = await agent("delete", ids);
  const undone = await scene.apply(before.session.session_id);
  expect(undone.steps.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  const again = Object.fromEntries(
    undone.steps.map(({ resource, new_id }) => [resource?.kind, new_id ?? resource?.id]),
  );
  const after = await agent("read", again);
  const named = (read: Loose): Loose => ({ ...read, slo: { ...read.slo, monitorIds: [] } });
  expect(camelAlike(named(after.read))).toEqual(camelAlike(named(before.read)));
  expect(after.read.slo.monitorIds).toEqual([Number(again["monitor"])]);
}, 180_000);

/** The client writes `createdAt` for `created_at`. */
const camelAlike = (value: Loose): Loose =>
  alike(
    JSON.parse(
      JSON.stringify(value).replaceAll('"createdAt"', '"created_at"').replaceAll('"modifiedAt"', '"modified_at"'),
    ),
  );
