/** A replay never reaches a live connection: not by name, by a reload in the middle, by a name for its address, nor by somebody else's token. */

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { isReplicated } from "../../standins/replicas.ts";
import { auditorToken } from "../../standins/world.ts";
import { adminToken, approverToken, type ReplayScene, startReplayScene } from "./scene.ts";
import { startSwitch } from "./switch.ts";

let scene: ReplayScene;
afterEach(() => scene.close());

const monitor = { name: "p99", type: "query alert", query: "avg(last_5m):avg:system.load.1{*} > 4" };

const recorded = async (calls = 1): Promise<string> => {
  const session = await scene.open();
  for (let n = 0; n < calls; n++) await scene.call(session, { path: "/api/v1/monitor", body: monitor });
  return session.session_id;
};

const start = (session: string, body: object, token = adminToken) =>
  scene.ask("POST", `/v1/sessions/${session}/replays`, { body, token });

const monitorsOf = async (url: string): Promise<number> => {
  const keys = { "dd-api-key": "any", "dd-application-key": "any" };
  return ((await (await fetch(`${url}/api/v1/monitor`, { headers: keys })).json()) as unknown[]).length;
};

test("a live connection is refused by name, with the reason, and so is one that is not there", async () => {
  scene = await startReplayScene();
  const session = await recorded();
  const refused = await start(session, { connection: "prod" });
  expect(refused).toMatchObject({
    status: 403,
    json: { errors: [expect.stringContaining("connection prod is live")] },
  });
  expect((await start(session, { connection: "Lab" })).status).toBe(404);
  expect((await start(session, { connection: "prod", dry_run: true })).status).toBe(403);
  expect((await start(session, { connection: "lab", kind: "sandbox", endpoint: scene.live.url })).status).toBe(400);
  expect(await monitorsOf(scene.live.url)).toBe(1);
  expect((await scene.ask("GET", `/v1/sessions/${session}/replays`)).json.items).toEqual([]);
});

test("who may not act starts nothing: sessions, auditors and approvers by token, strangers", async () => {
  scene = await startReplayScene();
  const opened = await scene.open();
  const session = opened.session_id;
  await scene.call(opened, { path: "/api/v1/monitor", body: monitor });
  for (const [token, status] of [
    [auditorToken, 403],
    [approverToken, 403],
    [opened.access_token, 403],
    ["nobody", 401],
  ] as const)
    expect((await start(session, { connection: "lab" }, token)).status).toBe(status);
  expect((await start("0199c3a1-5f00-7000-8000-000000000001", { connection: "lab" })).status).toBe(404);
  const { json: replay } = await start(session, { connection: "lab" });
  await scene.ended(replay.id);
  for (const what of ["stop", "cleanup"])
    for (const token of [auditorToken, approverToken, opened.access_token])
      expect((await scene.ask("POST", `/v1/replays/${replay.id}/${what}`, { token })).status).toBe(403);
  // The auditor reads what became of it; the recorded session's own token does not.
  expect((await scene.ask("GET", `/v1/replays/${replay.id}/calls`, { token: auditorToken })).status).toBe(200);
  for (const path of [`/v1/replays/${replay.id}`, `/v1/replays/${replay.id}/calls`, `/v1/sessions/${session}/replays`])
    expect((await scene.ask("GET", path, { token: opened.access_token })).status).toBe(403);
});

test("another name of a live connection's address is refused at the start, and nothing is connected to", async () => {
  scene = await startReplayScene({
    endpoints: { live: "https://prod.example.test", lab: "https://lab.example.test" },
    resolve: async () => ["192.0.2.7"],
  });
  const session = (await scene.open()).session_id;
  expect(await start(session, { connection: "lab" })).toMatchObject({
    status: 403,
    json: { errors: [expect.stringMatching(/connection lab is no sandbox: .*where a live connection goes/)] },
  });
});

test("a name that becomes a live connection's address on the way is refused when it is connected to", async () => {
  const [live, sandbox] = await Promise.all([startSwitch(), createSandbox({ clock: () => new Date() }).listen()]);
  let reached = 0;
  live.to(sandbox.url, (n, answer) => {
    reached = n;
    return answer;
  });
  // The first question is that of the start; by the second the name leads to where prod is.
  let asked = 0;
  scene = await startReplayScene({
    endpoints: { live: live.url, lab: `https://lab.example.test:${new URL(live.url).port}` },
    resolve: async () => (++asked > 1 ? ["127.0.0.1"] : ["192.0.2.10"]),
  });
  const session = await recorded();
  expect(reached).toBe(1);
  const replay = await scene.replay(session);
  expect(replay).toMatchObject({ state: "done", failed: 1, same: 0 });
  expect(asked).toBe(2);
  expect(reached).toBe(1);
  const [call] = await scene.calls(replay.replay_session_id ?? "");
  expect(call).toMatchObject({ error_code: "upstream_unreachable", status: 502 });
  expect(call?.error).toMatch(/lab\.example\.test is at 127\.0\.0\.1:\d+, which is where a live connection goes/);
  await Promise.all([live.close(), sandbox.close()]);
});

test("a sandbox that becomes live by a reload gets nothing more", async ({ skip }) => {
  if (isReplicated) skip("two gateways read a changed file at two moments");
  const lab = await startSwitch();
  const sandbox = await createSandbox({ clock: () => new Date() }).listen();
  scene = await startReplayScene({ endpoints: { lab: lab.url } });
  const session = await recorded(6);
  const text = readFileSync(scene.file, "utf8");
  // Before the third answer is given, lab is live.
  lab.to(sandbox.url, async (n, answer) => {
    if (n !== 3) return answer;
    writeFileSync(scene.file, text.replace("name: lab, kind: sandbox", "name: lab, kind: live"));
    while (!scene.log.some((line) => line.includes("configuration reloaded"))) await sleep(20);
    return answer;
  });
  const replay = await scene.replay(session);
  expect(replay).toMatchObject({ state: "stopped", reason: "connection lab is not the sandbox any more that it was" });
  expect(await monitorsOf(sandbox.url)).toBe(3);
  const calls = await scene.calls(replay.replay_session_id ?? "");
  expect(calls.map(({ decision }) => decision.rules[0]?.name)).toEqual(Array(3).fill("dogwatch:replay"));
  expect((await start(session, { connection: "lab" })).status).toBe(403);
  expect((await scene.ask("POST", `/v1/replays/${replay.id}/cleanup`)).status).toBe(409);
  await Promise.all([sandbox.close(), lab.close()]);
});

test("every call of a replay says in its decision that it is one, in a session of whoever started it", async () => {
  scene = await startReplayScene({
    rules:
      "    - { name: nothing-in-labs, effect: deny, when: 'connection.kind == \"sandbox\"' }\n    - { name: everything, effect: allow, when: 'true' }",
  });
  const session = await recorded(2);
  const replay = await scene.replay(session);
  expect(replay).toMatchObject({ state: "done", same: 2, different: 0, failed: 0, skipped: 0, by: "boss (admin)" });
  const own = await scene.session(replay.replay_session_id ?? "");
  expect(own).toMatchObject({ state: "closed", connection: "lab", calls: 2 });
  expect(own.caller).toMatchObject({
    issuer: "urn:dogwatch:people",
    subject: "accessToken:boss",
    purpose: "replay",
    replay_of: session,
  });
  for (const call of await scene.calls(own.id)) {
    expect(call.decision).toMatchObject({ effect: "allow", rules: [{ name: "dogwatch:replay", effect: "allow" }] });
    expect(call.upstream).toBe(scene.lab.url);
  }
  // A caller with a token of its own is nobody's replay, whatever it is called: the rules decide.
  const audit = await scene.audited(/replay_started/);
  expect(audit).toMatchObject({ who: "boss (admin)", what: `session ${session}` });
});

test("what narrows who may use a sandbox narrows replays too", async () => {
  scene = await startReplayScene({ allow: 'caller.subject == "accessToken:somebody-else"' });
  const session = await recorded();
  expect(await start(session, { connection: "lab" })).toMatchObject({
    status: 403,
    json: { errors: [expect.stringContaining("allow of connection lab does not hold")] },
  });
  expect(await monitorsOf(scene.lab.url)).toBe(0);
});
