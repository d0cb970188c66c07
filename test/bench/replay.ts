/**
 * How fast a session is replayed, and in how much memory: `node test/bench/replay.ts [CALLS]`, default 10,000. The gateway is a process of its
 * own between two built-in sandboxes; the session's calls create, read, change, read and delete monitors. Ends with 1 when it is slower than 500
 * calls/s, when anything differs, or when memory grows with the calls.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox } from "../../server/datadog/sandbox/sandbox.ts";
import { clientOf, configurationOf, openOn } from "../journeys/replay/scene.ts";
import { freshDatabase, startDatabase } from "../standins/database.ts";
import { startGatewayProcess } from "../standins/gatewayProcess.ts";
import { startIssuer } from "../standins/issuer.ts";
import { inParallel } from "../standins/send.ts";

const wanted = Number(process.argv[2] ?? 10_000);
const leastPerSecond = 500;
/** Bytes. Of a gateway that has replayed a twentieth of the calls before, to one that has replayed all. */
const mostGrowth = 64 * 2 ** 20;

const server = await startDatabase();
const database = await freshDatabase();
const clock = (): Date => new Date();
const [issuer, live, lab] = await Promise.all([
  startIssuer(),
  createSandbox({ clock }).listen(),
  createSandbox({ clock }).listen(),
]);
const directory = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
const file = join(directory, "dogwatch.yaml");
writeFileSync(
  file,
  configurationOf({
    issuer: issuer.url,
    live: live.url,
    lab: lab.url,
    database: database.connectionString,
    dataDir: join(directory, "data"),
  }),
);
const gateway = await startGatewayProcess(file);
const client = clientOf(gateway.url);

/** Chains of five calls, eight at a time. */
async function record(calls: number): Promise<string> {
  const session = await openOn(gateway.url, issuer, "prod");
  const chains = Array.from({ length: Math.ceil(calls / 5) }, (_, n) => n);
  await inParallel(chains, 8, async (n) => {
    const body = {
      name: `monitor ${n}`,
      type: "query alert",
      query: `avg(last_5m):avg:system.load.1{host:${n}} > 4`,
      message: "m".repeat(500),
    };
    const made = await client.call(session, { path: "/api/v1/monitor", body });
    const { id } = JSON.parse(made.body.toString());
    await client.call(session, { path: `/api/v1/monitor/${id}` });
    await client.call(session, { method: "PUT", path: `/api/v1/monitor/${id}`, body: { ...body, priority: 2 } });
    await client.call(session, { path: `/api/v1/monitor/${id}?group_states=all` });
    await client.call(session, { method: "DELETE", path: `/api/v1/monitor/${id}` });
  });
  return session.session_id;
}

let failed = false;
try {
  const [small, large] = [await record(wanted / 20), await record(wanted)];
  await client.replay(small);
  const before = gateway.memory();
  const started = performance.now();
  const replay = await client.replay(large);
  const seconds = (performance.now() - started) / 1_000;
  const after = gateway.memory();
  const perSecond = replay.same / seconds;
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `${replay.calls} calls replayed in ${seconds.toFixed(1)} s: ${perSecond.toFixed(0)} calls/s; ${replay.same} same, ${replay.different} different, ${replay.failed} failed, ${replay.skipped} skipped`,
  );
  console.log(
    `memory of the gateway: ${mib(before.peak)} at most after ${wanted / 20} calls, ${mib(after.peak)} after ${wanted} more`,
  );
  failed = replay.same !== replay.calls || perSecond < leastPerSecond || after.peak - before.peak > mostGrowth;
} finally {
  await gateway.kill("SIGTERM");
  await Promise.all([issuer.close(), live.close(), lab.close(), database.drop()]);
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
if (failed) process.exitCode = 1;
