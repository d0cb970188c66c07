/** The gateway that is at a replay is killed (-9) in the middle: another one says so, nothing is sent twice, and what was made is cleaned up. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { type FreshDatabase, freshDatabase } from "../../standins/database.ts";
import { type GatewayProcess, startGatewayProcess } from "../../standins/gatewayProcess.ts";
import { startIssuer, type TestIssuer } from "../../standins/issuer.ts";
import { clientOf, configurationOf, openOn } from "./scene.ts";
import { startSwitch, type Switch } from "./switch.ts";

const calls = 40;

let issuer: TestIssuer;
let database: FreshDatabase;
let lab: Switch;
let sandboxes: readonly ListeningSandbox[];
let gateways: readonly GatewayProcess[] = [];
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "dogwatch-replay-kill-"));
  [issuer, database, lab] = await Promise.all([startIssuer(), freshDatabase(), startSwitch()]);
  sandboxes = await Promise.all([1, 2].map(() => createSandbox({ clock: () => new Date() }).listen()));
  const file = join(directory, "dogwatch.yaml");
  writeFileSync(
    file,
    configurationOf({
      issuer: issuer.url,
      live: sandboxes[0]?.url ?? "",
      lab: lab.url,
      database: database.connectionString,
      dataDir: join(directory, "data"),
    }),
  );
  gateways = [await startGatewayProcess(file), await startGatewayProcess(file)];
}, 120_000);
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.kill("SIGKILL")));
  await Promise.all([issuer.close(), database.drop(), lab.close(), ...sandboxes.map((one) => one.close())]);
  rmSync(directory, { recursive: true, force: true });
});

test("it ends as interrupted, once, with what is known; and a cleanup at the other gateway deletes what it made", {
  timeout: 180_000,
}, async () => {
  const [first, second] = gateways;
  if (first === undefined || second === undefined) throw new Error("there are two");
  const [at, other] = [clientOf(first.url), clientOf(second.url)];
  const session = await openOn(first.url, issuer, "prod");
  for (let n = 0; n < calls; n++)
    await at.call(session, {
      path: "/api/v1/monitor",
      body: { name: `m${n}`, type: "query alert", query: "avg(last_5m):avg:x{*} > 4" },
    });

  let received = 0;
  const struck = Promise.withResolvers<void>();
  lab.to(sandboxes[1]?.url ?? "", async (n, answer) => {
    received = n;
    if (n !== calls / 2) return answer;
    // It has reached the sandbox, and its answer never reaches the gateway.
    await first.kill("SIGKILL");
    struck.resolve();
    return answer;
  });
  const { json: begun } = await at.ask("POST", `/v1/sessions/${session.session_id}/replays`, {
    body: { connection: "lab" },
  });
  await struck.promise;
  const replay = await other.ended(begun.id);
  expect(replay).toMatchObject({ state: "interrupted", different: 0, failed: 0, cleanup: null });
  expect(replay.reason).toMatch(/the gateway that was at it ended/);
  expect(replay.ended_at).not.toBeNull();
  // Nobody goes on with it, and nobody sends anything again.
  expect(received).toBe(calls / 2);
  const noted = await other.replayed(replay.id);
  expect(noted.length).toBe(replay.same);
  expect(noted.length).toBeLessThan(calls / 2);
  expect(new Set(noted.map(({ replay_n }) => replay_n)).size).toBe(noted.length);
  // What it sent is all in its own session; the call that was on its way has no known end.
  const own = await other.ask("GET", `/v1/sessions/${replay.replay_session_id}/calls?limit=200`);
  const states = own.json.items.map(({ state }: { state: string }) => state);
  expect(states).toHaveLength(calls / 2);
  expect(states.filter((state: string) => state === "indeterminate")).toHaveLength(1);

  await other.ask("POST", `/v1/replays/${replay.id}/cleanup`);
  const cleaned = await other.ended(replay.id);
  // The id of the one whose answer was lost is in no recording.
  expect(cleaned.cleanup).toMatchObject({ state: "done", deleted: calls / 2 - 1, missing: 0, failed: 0 });
});
