/** `dogwatch replay`: a session is sent again to a sandbox through a running gateway, and what differs is shown so that scripts can rely on it. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replay, type ReplayOptions } from "../../../server/cli/replay/ask.ts";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { GatewayError } from "../../../server/errors.ts";
import { adminToken, type ReplayScene, startReplayScene } from "../../journeys/replay/scene.ts";
import { startSwitch, type Switch } from "../../journeys/replay/switch.ts";
import { auditorToken } from "../../standins/world.ts";

let scene: ReplayScene;
let lab: Switch;
let sandbox: ListeningSandbox;
let session: string;
beforeAll(async () => {
  lab = await startSwitch();
  sandbox = await createSandbox({ clock: () => new Date() }).listen();
  lab.to(sandbox.url);
  scene = await startReplayScene({ endpoints: { lab: lab.url } });
  const opened = await scene.open();
  session = opened.session_id;
  const made = await scene.call(opened, {
    path: "/api/v1/monitor",
    body: { name: "p99", type: "query alert", query: "avg(last_5m):avg:x{*} > 4" },
  });
  const { id } = JSON.parse(made.body.toString());
  await scene.call(opened, { path: `/api/v1/monitor/${id}` });
  await scene.call(opened, { method: "DELETE", path: "/api/v1/monitor/4212" });
});
afterAll(async () => {
  await scene.close();
  await Promise.all([lab.close(), sandbox.close()]);
});

const ask = (options: Partial<ReplayOptions> = {}, token = adminToken, gateway = scene.url) =>
  replay(session, { to: "lab", pace: "fast", gateway, ...options }, { DOGWATCH_TOKEN: token });

test("says what was not as it was, how many were, where it is recorded, and what was cleaned up: exit code 0", async () => {
  const { exitCode, output } = await ask({ cleanup: true });
  expect(exitCode).toBe(0);
  expect(output.replace(/[0-9a-f-]{36}/, "ID")).toBe(
    `3  skipped  DeleteMonitor  DELETE /api/v1/monitor/4212: monitor_id "4212" was not created in this session: nothing here is known to be its counterpart
done; of 3 calls 2 same, 0 different, 0 failed, 1 skipped
recorded as session ID
cleaned up: 1 deleted, 0 gone already, 0 failed
`,
  );
});

test("a difference is shown field by field, and is exit code 1", async () => {
  lab.to(sandbox.url, (n, answer) =>
    n === 2 ? { ...answer, body: Buffer.from(answer.body.toString().replace('"p99"', '"p50"')) } : answer,
  );
  const { exitCode, output } = await ask();
  lab.to(sandbox.url);
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /^2 {2}different {2}GetMonitor {2}GET \/api\/v1\/monitor\/\d+\n {4}body\.name: "p99" → "p50"\n/,
  );
});

test("a dry run sends nothing and says what it would", async () => {
  const { exitCode, output } = await ask({ dryRun: true });
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^1 {2}planned {2}CreateMonitor {2}POST \/api\/v1\/monitor\n/);
  expect(output).toMatch(/done; of 3 calls 2 would be sent, 1 skipped, 0 would fail\n$/);
});

test("JSON has the replay and every call", async () => {
  const { output } = await ask({ json: true });
  const { replay: told, calls } = JSON.parse(output);
  expect(told).toMatchObject({ state: "done", session_id: session, connection: "lab", same: 2, skipped: 1 });
  expect(calls.map(({ n, outcome }: { n: number; outcome: string }) => [n, outcome])).toEqual([
    [1, "same"],
    [2, "same"],
    [3, "skipped"],
  ]);
});

test("a live connection, and who may not, are exit code 2; a session that is not there is 1; no gateway is 3", async () => {
  expect(await ask({ to: "prod" })).toEqual({
    exitCode: 2,
    output: "dogwatch: connection prod is live, and replays go to connections of kind sandbox only\n",
  });
  expect((await ask({}, auditorToken)).exitCode).toBe(2);
  const nothing = await replay(
    "0199c3a1-5f00-7000-8000-000000000001",
    { to: "lab", pace: "fast", gateway: scene.url },
    { DOGWATCH_TOKEN: adminToken },
  );
  expect(nothing.exitCode).toBe(1);
  await expect(ask({}, adminToken, "http://127.0.0.1:9")).rejects.toThrow(GatewayError);
});

test("the command takes these words, and tells of its exit codes", () => {
  const main = join(import.meta.dirname, "../../../server/main.ts");
  const run = (...words: readonly string[]) =>
    spawnSync(process.execPath, [main, "replay", ...words], { encoding: "utf8" });
  const help = run("--help");
  for (const word of ["--to", "--dry-run", "--pace", "--stop-on-difference", "--cleanup", "--json", "Exit codes: 0"])
    expect(help.stdout).toContain(word);
  expect(run(session).status).toBe(2);
  expect(run(session, "--to", "lab", "--pace", "slow").status).toBe(2);
});
