/** How a replay is asked for and ended: without sending anything, at the recorded pace, up to the first difference, by somebody, with what it made deleted again. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { isReplicated } from "../../standins/replicas.ts";
import { type ReplayScene, startReplayScene } from "./scene.ts";
import { startSwitch, type Switch } from "./switch.ts";

let scene: ReplayScene;
let lab: Switch;
let sandbox: ListeningSandbox;
beforeAll(async () => {
  lab = await startSwitch();
  sandbox = await createSandbox({ clock: () => new Date() }).listen();
  scene = await startReplayScene({ endpoints: { lab: lab.url } });
});
afterAll(async () => {
  await scene.close();
  await Promise.all([lab.close(), sandbox.close()]);
});
beforeEach(() => lab.to(sandbox.url));

const monitor = { name: "p99", type: "query alert", query: "avg(last_5m):avg:system.load.1{*} > 4" };
const keys = { "dd-api-key": "any", "dd-application-key": "any" };

const left = async (): Promise<number> =>
  ((await (await fetch(`${sandbox.url}/api/v1/monitor`, { headers: keys })).json()) as unknown[]).length;

const record = async (): Promise<string> => {
  const session = await scene.open();
  const made: number[] = [];
  for (const name of ["a", "b", "c"]) {
    const answer = await scene.call(session, { path: "/api/v1/monitor", body: { ...monitor, name } });
    made.push(JSON.parse(answer.body.toString()).id);
  }
  await scene.call(session, { path: `/api/v1/monitor/${made[0]}` });
  await scene.call(session, { method: "DELETE", path: `/api/v1/monitor/${made[1]}` });
  return session.session_id;
};

test("a dry run says what would be sent, and sends nothing", async () => {
  const session = await record();
  await scene.call(await scene.open(), { path: "/api/v1/org" });
  const before = await left();
  const replay = await scene.replay(session, { dry_run: true });
  expect(replay).toMatchObject({ state: "done", replay_session_id: null, planned: 5, same: 0, failed: 0, skipped: 0 });
  expect((await scene.replayed(replay.id)).map(({ outcome, replay_n }) => [outcome, replay_n])).toEqual(
    Array.from({ length: 5 }, () => ["planned", null]),
  );
  expect(await left()).toBe(before);
  expect((await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`)).status).toBe(409);
});

test("what it created is deleted again, once, the last thing first; asked again there is nothing to do", async () => {
  const session = await record();
  const before = await left();
  const replay = await scene.replay(session);
  expect(replay).toMatchObject({ state: "done", same: 5 });
  expect(await left()).toBe(before + 2);
  expect((await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`)).status).toBe(200);
  const cleaned = await scene.ended(replay.id);
  expect(cleaned.cleanup).toEqual({ state: "done", deleted: 2, missing: 0, failed: 0, reasons: [] });
  expect(await left()).toBe(before);
  const again = await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`);
  expect(again.json.cleanup).toEqual(cleaned.cleanup);
  expect((await scene.ended(replay.id)).cleanup).toEqual(cleaned.cleanup);
});

test("what is gone already is no failure, and what could not be deleted is tried again", async () => {
  const session = await record();
  const replay = await scene.replay(session);
  lab.to(sandbox.url, (n, answer) => (n === 1 ? { status: 500, body: Buffer.from('{"errors":["later"]}') } : answer));
  await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`);
  const first = await scene.ended(replay.id);
  expect(first.cleanup).toMatchObject({ state: "done", deleted: 1, failed: 1 });
  expect(first.cleanup?.reasons[0]).toMatch(/^DELETE \/api\/v1\/monitor\/\d+: answered 500$/);
  lab.to(sandbox.url);
  await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`);
  // The one of which the answer was changed on the way is gone.
  expect((await scene.ended(replay.id)).cleanup).toMatchObject({ state: "done", deleted: 0, missing: 2, failed: 0 });
});

test("it stops at the first difference, and nothing after it is sent", async () => {
  const session = await record();
  let sent = 0;
  lab.to(sandbox.url, (n, answer) => {
    sent = n;
    return n === 2 ? { ...answer, body: Buffer.from(answer.body.toString().replace('"b"', '"x"')) } : answer;
  });
  const replay = await scene.replay(session, { stop_on_difference: true });
  expect(replay).toMatchObject({ state: "stopped", reason: "at the first difference", same: 1, different: 1 });
  expect(sent).toBe(2);
});

test("whoever may start one stops one, before its next call", async () => {
  const session = await record();
  let stopping: Promise<unknown> | null = null;
  const begun = scene.ask("POST", `/v1/sessions/${session}/replays`, { body: { connection: "lab" } });
  lab.to(sandbox.url, async (_n, answer) => {
    const { json } = await begun;
    stopping ??= scene.ask("POST", `/v1/replays/${json.id}/stop`);
    await stopping;
    return answer;
  });
  const replay = await scene.ended((await begun).json.id);
  expect(replay).toMatchObject({ state: "stopped", reason: "by boss (admin)" });
  const own = await scene.endedCalls(replay.replay_session_id ?? "");
  // Of two gateways the other one may have been at it, and hears of it when it notes what it did.
  if (!isReplicated) expect(own).toHaveLength(1);
  expect(await scene.audited(/replay_stopped/)).toMatchObject({ who: "boss (admin)", what: `replay ${replay.id}` });
});

test("at the recorded pace the pauses are those of the recording", async () => {
  const session = await scene.open();
  await scene.call(session, { path: "/api/v1/org" });
  const pause = 1_500;
  await new Promise((resolve) => setTimeout(resolve, pause));
  await scene.call(session, { path: "/api/v1/org" });
  const replay = await scene.replay(session.session_id, { pace: "recorded" });
  const [first, second] = await scene.calls(replay.replay_session_id ?? "");
  // At least: a slow machine only adds to it.
  expect(Date.parse(second?.received_at ?? "") - Date.parse(first?.received_at ?? "")).toBeGreaterThan(pause * 0.9);
});

test("whoever is in a pause of the recording hears that somebody else ended the replay, and pauses no longer than anybody waits", async () => {
  const session = await scene.open();
  for (const path of ["/api/v1/org", "/api/v1/monitor"]) await scene.call(session, { path });
  await scene.endedCalls(session.session_id);
  // No receipt changes, so its triggers are off for a moment.
  await scene.database.query(
    `SET session_replication_role = replica; UPDATE calls SET received_at = received_at + interval '100 years'
     WHERE session_id = '${session.session_id}' AND n = 2; SET session_replication_role = origin`,
  );
  const { json } = await scene.ask("POST", `/v1/sessions/${session.session_id}/replays`, {
    body: { connection: "lab", pace: "recorded" },
  });
  while ((await scene.calls(json.replay_session_id)).length === 0) await new Promise((go) => setTimeout(go, 20));
  // As another gateway does, that was asked to stop it.
  await scene.database.query("UPDATE replays SET state = 'stopped', ended_at = started_at WHERE id = $1", [json.id]);
  while ((await scene.session(json.replay_session_id)).state === "open") await new Promise((go) => setTimeout(go, 20));
  expect(await scene.calls(json.replay_session_id)).toHaveLength(1);
});

test("a replay can itself be replayed, and is listed with its session's", async () => {
  const session = await record();
  const first = await scene.replay(session);
  const second = await scene.replay(first.replay_session_id ?? "");
  expect(second).toMatchObject({ state: "done", same: 5, session_id: first.replay_session_id });
  const own = await scene.session(second.replay_session_id ?? "");
  expect(own.caller).toMatchObject({ purpose: "replay", replay_of: first.replay_session_id });
  const { json } = await scene.ask("GET", `/v1/sessions/${session}/replays`);
  expect(json.items.map(({ id }: { id: string }) => id)).toEqual([first.id]);
});

test("what differs goes when the bodies go", async () => {
  const session = await record();
  lab.to(sandbox.url, (n, answer) => (n === 1 ? { ...answer, body: Buffer.from('{"id":1}') } : answer));
  const replay = await scene.replay(session);
  const before = await scene.replayed(replay.id);
  expect(before[0]?.differences?.length).toBeGreaterThan(0);
  await scene.database.query("UPDATE sessions SET bodies_expired = true WHERE id = $1", [session]);
  const after = await scene.replayed(replay.id);
  expect(after.map(({ outcome }) => outcome)).toEqual(before.map(({ outcome }) => outcome));
  expect(after.map(({ differences }) => differences)).toEqual(before.map(() => null));
});
