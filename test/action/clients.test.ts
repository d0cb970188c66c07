/** Datadog's own clients, unchanged and as processes of their own, reach the gateway although they know only a site. */

import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openSession } from "../../action/gateway.ts";
import { createNetwork } from "../../action/network.ts";
import type { Setup } from "../../action/relay/setup.ts";
import { type StandinGateway, startGateway } from "../standins/gateway.ts";
import { type Job, newJob, startTokenService, type TokenService } from "../standins/job.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Reads `DD_SITE` and the keys from its environment, as it does everywhere. */
const officialClient = `
import { client, v1 } from "@datadog/datadog-api-client";
const monitors = new v1.MonitorsApi(client.createConfiguration());
console.log(JSON.stringify(await monitors.deleteMonitor({ monitorId: 42 })));
`;

let gateway: StandinGateway;
let service: TokenService;
let job: Job;

beforeEach(async () => {
  gateway = await startGateway();
  service = await startTokenService();
  job = newJob(service.env);
});

afterEach(async () => {
  job.dispose();
  await gateway.close();
  await service.close();
});

const junit = `<?xml version="1.0"?><testsuites><testsuite name="s" tests="1"><testcase classname="c" name="t" time="0.1"/></testsuite></testsuites>`;

describe("intercept: proxy", () => {
  test("datadog-ci uploads test results through the gateway", async () => {
    expect((await job.main({ "gateway-url": gateway.url, intercept: "proxy" })).code).toBe(0);
    const reports = join(job.directory, "reports");
    mkdirSync(reports);
    writeFileSync(join(reports, "junit.xml"), junit);
    const args = ["junit", "upload", "--service", "shop", "--skip-git-metadata-upload", reports];
    const step = await job.step(join(root, "node_modules/.bin/datadog-ci"), args, { DD_ENV: "ci" });
    expect(step).toMatchObject({ code: 0 });
    const upload = gateway.received.find(({ url }) =>
      url.startsWith("/proxy/cireport-intake.datadoghq.com/api/v2/cireport"),
    );
    expect(upload, step.out).toMatchObject({ method: "POST" });
  });

  test("the official client, told only its site, is brought in on Node 24 too", async () => {
    await job.main({ "gateway-url": gateway.url, intercept: "proxy" });
    const step = await job.step(process.execPath, ["--input-type=module", "-e", officialClient]);
    expect(step).toMatchObject({ code: 0, out: "{}\n" });
    expect(gateway.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "DELETE /proxy/api.datadoghq.com/api/v1/monitor/42",
    ]);
  });
});

/** Why no namespaces can be made here, or null. */
const noNamespaces = (): string | null => {
  const tried = spawnSync("unshare", [...own, "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"]);
  if (tried.status === 0) return null;
  return `no network and mount namespace of our own: ${tried.error?.message ?? String(tried.stderr).trim()}`;
};
const own = process.getuid?.() === 0 ? ["-mn"] : ["-rmn"];
const missing = noNamespaces();

describe("the relay's process", () => {
  const told = async (more: Partial<Setup> = {}): Promise<Setup> => {
    const network = createNetwork({});
    const opened = await openSession({ url: new URL(gateway.url), network }, async () => "token", { audience: "x" });
    network.close();
    return {
      gateway: gateway.url,
      opened,
      placeholder: "0".repeat(64),
      intercept: "off",
      approvalTimeout: 60_000,
      identity: { url: gateway.url, bearer: "b", audience: "x" },
      proxies: {},
      ...more,
    };
  };

  test("goes on serving when its log cannot be written", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("no disk that is full");
    const full = openSync("/dev/full", "w");
    const relay = spawn(process.execPath, [join(root, "dist/relay.js")], { stdio: ["pipe", "pipe", full] });
    closeSync(full);
    const { stdin, stdout } = relay as ChildProcessByStdio<Writable, Readable, null>;
    stdin.write(`${JSON.stringify(await told())}\n`);
    const ready = once(stdout, "data");
    stdin.end("kept\n");
    const { url } = JSON.parse(String(((await ready) as [Buffer])[0])) as { url: string };
    const headers = { "dd-api-key": "0".repeat(64) };
    expect((await fetch(`${url}/api/v1/validate`, { headers })).status).toBe(200);
    relay.kill("SIGTERM");
    expect(await once(relay, "exit")).toEqual([0, null]);
    expect(gateway.closed).toHaveLength(1);
  });

  test("gives up root for the runner's user once it has what root was needed for", async ({ skip }) => {
    if (process.getuid?.() !== 0 || !existsSync("/proc/self/status")) skip("not root on Linux");
    const user = { uid: 65_534, gid: 65_534 };
    const relay = spawn(process.execPath, [join(root, "dist/relay.js")], { stdio: ["pipe", "pipe", "ignore"] });
    relay.stdin.end(`${JSON.stringify(await told({ user }))}\nkept\n`);
    const [line] = (await once(relay.stdout, "data")) as [Buffer];
    expect(JSON.parse(String(line))).toMatchObject({ pid: relay.pid });
    const status = readFileSync(`/proc/${relay.pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Groups:\t65534 $/m);
    relay.kill("SIGTERM");
    expect(await once(relay, "exit")).toEqual([0, null]);
  });
});

describe("intercept: hosts", () => {
  /** Each is a dozen programs one after the other. */
  const patience = { timeout: 300_000 };
  /** In a network and a hosts file of its own. */
  const play = async (scenario: string) => {
    const setUp = 'ip link set lo up && cp /etc/hosts "$1" && mount --bind "$1" /etc/hosts && exec "$2" "$3"';
    const script = join(root, "test/action", scenario);
    const args = [...own, "sh", "-c", setUp, "sh", join(job.directory, "hosts"), process.execPath, script];
    const run = spawn("unshare", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void run.kill("SIGKILL"));
    const [out, err] = await Promise.all([text(run.stdout), text(run.stderr), once(run, "close")]);
    expect(run.exitCode, err).toBe(0);
    return JSON.parse(out);
  };

  test(`the official client, told only its site, deletes a monitor through the gateway`, patience, async ({ skip }) => {
    if (missing !== null) skip(missing);
    const seen = await play("hostsScenario.ts");

    expect(seen.main).toMatchObject({ code: 0 });
    expect(seen.client).toEqual({ code: 0, signal: null, out: '{"deletedMonitorId":42}\n' });
    expect(seen.curl.code, seen.curl.out).toBe(0);
    expect(seen.received).toEqual([
      "DELETE /proxy/api.datadoghq.com/api/v1/monitor/42",
      "POST /proxy/http-intake.logs.datadoghq.com/api/v2/logs",
    ]);

    // The line of a killed relay is replaced; a living one is left alone, and `auto` makes do with the proxy.
    expect(seen.during).toContain("127.0.0.1\tapi.datadoghq.com\t# added by dogwatch");
    expect(seen.during).not.toContain("127.0.0.9");
    expect(seen.second.code).toBe(1);
    expect(seen.second.out).toContain("::error::port 443 of this runner is another program's");
    expect(seen.secondAuto.code).toBe(0);
    expect(seen.secondProxy).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(seen.stillThere).toBe(true);
    expect(seen.post.code).toBe(0);
    expect(seen.after).not.toContain("dogwatch");
  });

  test(
    "whoever ends without its post takes Datadog's names back, and never those of another job",
    patience,
    async ({ skip }) => {
      if (missing !== null) skip(missing);
      const seen = await play("hostsEndings.ts");
      expect(seen.cancelled).toEqual({ taken: true, left: false });
      expect(seen.ended).toEqual({ taken: true, left: false });
      expect(seen.answered, "of a call that was under way when the relay was told to end").toBe("{} 200");
      expect(seen.post).toMatchObject({ code: 0 });
      expect(seen.kept, "the other job's names after the post of the first").toBe(seen.others);
      expect(seen.after).not.toContain("dogwatch");
      expect(seen.run, seen.run.out).toMatchObject({ code: 7, left: false });
      expect(seen.lost).toMatchObject({
        code: 7,
        out: expect.stringContaining("the hosts file could not be cleaned (ENOENT)"),
      });
    },
  );
});
