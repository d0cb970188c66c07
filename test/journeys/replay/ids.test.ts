/** What a recorded session created gets other ids in the sandbox: later calls speak of those, by type, and nothing else changes. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ReplayScene, startReplayScene } from "./scene.ts";

let scene: ReplayScene;
beforeAll(async () => {
  scene = await startReplayScene();
});
afterAll(() => scene.close());

const monitor = { name: "p99", type: "query alert", query: "avg(last_5m):avg:system.load.1{*} > 4", message: "look" };

test("a monitor is created, read, changed, muted and deleted again: under the id that it has there", async () => {
  const session = await scene.open();
  const { id } = JSON.parse((await scene.call(session, { path: "/api/v1/monitor", body: monitor })).body.toString());
  await scene.call(session, { path: `/api/v1/monitor/${id}` });
  await scene.call(session, {
    method: "PUT",
    path: `/api/v1/monitor/${id}`,
    body: { ...monitor, id, name: `was ${id}` },
  });
  await scene.call(session, {
    path: "/api/v2/downtime",
    body: { data: { type: "downtime", attributes: { scope: "env:test", monitor_identifier: { monitor_id: id } } } },
  });
  await scene.call(session, { path: `/api/v1/monitor/can_delete?monitor_ids=${id}` });
  await scene.call(session, { method: "DELETE", path: `/api/v1/monitor/${id}` });
  const replay = await scene.replay(session.session_id);
  const calls = await scene.replayed(replay.id);
  console.log(JSON.stringify({ replay, calls }, null, 1));
  const sent = await scene.calls(replay.replay_session_id ?? "");
  console.log(
    sent.map((call) => [call.method, call.path, call.query, call.status, call.request.body?.text].join(" ")).join("\n"),
  );
});
