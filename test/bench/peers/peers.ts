/** Who is measured: ourselves, ourselves without a recording, and what others put between a client and its server. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { githubClaims, startIssuer } from "../../standins/issuer.ts";
import { startDatabase, freshDatabase } from "../../standins/database.ts";
import { configurationOf, exchange } from "../../standins/world.ts";
import { answers, freePort, isInstalled, type Program, start, startMeasured } from "./processes.ts";

export type Peer = {
  readonly name: string;
  readonly says: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
};

export type Scene = { readonly peers: readonly Peer[]; readonly missing: readonly string[]; stop(): Promise<void> };

/** 2 KB, as a monitor looks. */
const answer = JSON.stringify({
  id: 17,
  name: "Checkout latency",
  query: "avg(last_5m):avg:trace.http.request.duration{env:prod,service:checkout} > 1.5",
  message: "Latency of the checkout is high. See the runbook for what to do first. ".repeat(20),
  tags: Array.from({ length: 12 }, (_, i) => `team:checkout-${i}`),
  options: { thresholds: { critical: 1.5, warning: 1 }, notify_no_data: false, renotify_interval: 60 },
});

export const startPeers = async (): Promise<Scene> => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
  const running: { stop(): Promise<void> }[] = [];
  const peers: Peer[] = [];
  const missing: string[] = [];
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const measure = async (name: string, says: string, begin: (port: number) => Program): Promise<void> => {
    const port = await freePort();
    const program = begin(port);
    running.push(program);
    await answers(at(port));
    peers.push({ name, says, url: at(port), headers: {}, pid: program.pid });
  };

  const upstream = await startUpstream(folder);
  running.push(upstream);
  peers.push({ name: "nothing between", says: "nothing between", url: upstream.url, headers: {}, pid: upstream.pid });

  const passes = `proxy_pass http://datadog; proxy_http_version 1.1; proxy_set_header Connection "";`;
  const pool = `upstream datadog { server ${upstream.url.slice("http://".length)}; keepalive 128; }`;
  await measure("nginx", "nginx, records nothing", (port) =>
    nginx(folder, {
      name: "proxy",
      start: startMeasured,
      more: pool,
      server: `listen 127.0.0.1:${port}; location / { ${passes} }`,
    }),
  );
  if (isInstalled("mitmdump"))
    await measure("mitmdump -w", "mitmdump -w, to a file, not durable", (port) =>
      startMeasured("mitmdump", [
        "-q",
        "--mode",
        `reverse:${upstream.url}`,
        "--listen-host",
        "127.0.0.1",
        "-p",
        String(port),
        "-w",
        join(folder, "flows"),
        "--set",
        `confdir=${folder}`,
      ]),
    );
  else missing.push("mitmdump (not installed)");
  const packages = join(process.env["DOGWATCH_BENCH_PEERS"] ?? folder, "node_modules");
  if (existsSync(join(packages, "@fastify/http-proxy")))
    await measure("@fastify/http-proxy", "@fastify/http-proxy, records nothing", (port) =>
      startMeasured(process.execPath, [
        join(import.meta.dirname, "fastifyProxy.mjs"),
        packages,
        String(port),
        upstream.url,
      ]),
    );
  else missing.push("@fastify/http-proxy (not in the folder that DOGWATCH_BENCH_PEERS names)");

  const ours = await startStable(folder, upstream.url);
  running.push(ours);
  peers.push(await ours.gateway({ name: "dogwatch", says: "dogwatch, receipt committed before release" }));
  peers.push(
    await ours.gateway({
      name: "dogwatch without recording",
      says: "dogwatch, made to record nothing (bench only)",
      flags: ["--import", join(import.meta.dirname, "noRecord.mjs")],
    }),
  );

  return {
    peers,
    missing,
    stop: async () => {
      for (const program of running.toReversed()) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export type OwnOptions = {
  readonly name: string;
  readonly says: string;
  /** Of Node. */
  readonly flags?: readonly string[];
  /** `policy.rules` in YAML. */
  readonly rules?: string;
  /** More of `policy:`, or top level keys. */
  readonly more?: string;
  /** In place of a fresh database of its own. */
  readonly database?: string;
};

/** Gateways of ours, each a process with a database of its own unless it is told another, and a session at each. */
export type Stable = { gateway(options: OwnOptions): Promise<Own>; stop(): Promise<void> };
export type Own = Peer & { readonly database: string };

export const startStable = async (folder: string, upstream: string): Promise<Stable> => {
  const database = await startDatabase();
  const issuer = await startIssuer();
  const running: { stop(): Promise<void> }[] = [database, { stop: () => issuer.close() }];
  return {
    gateway: async ({ name, says, flags = [], rules, more, database: told }) => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const fresh = told === undefined ? await freshDatabase() : null;
      const connectionString = told ?? fresh?.connectionString ?? "";
      const dataDir = join(folder, String(port));
      const file = `${dataDir}.yaml`;
      const configuration = configurationOf({
        issuer: issuer.url,
        upstream,
        database: connectionString,
        dataDir,
        ...(rules !== undefined && { rules }),
        ...(more !== undefined && { more }),
      });
      writeFileSync(file, configuration.replace("listen: 127.0.0.1:0", `listen: 127.0.0.1:${port}`));
      const program = startMeasured(process.execPath, [...flags, main, "serve", "--config", file], {
        DOGWATCH_LOG_LEVEL: "warn",
      });
      running.push({
        stop: async () => {
          await program.stop();
          await fresh?.drop();
        },
      });
      await answers(`${url}/readyz`);
      const { access_token } = await exchange(url, await issuer.sign({ ...githubClaims, aud: "http://gateway.test" }));
      return { name, says, url, headers: { "DD-API-KEY": access_token }, pid: program.pid, database: connectionString };
    },
    stop: async () => {
      for (const program of running.toReversed()) await program.stop();
    },
  };
};

const main = join(import.meta.dirname, "../../../server/main.ts");

/** Datadog's place: 2 KB whatever is asked, and 50 MB below `/large`. */
export const startUpstream = async (folder: string): Promise<Program & { readonly url: string }> => {
  const port = await freePort();
  const large = join(folder, "large.json");
  writeFileSync(large, largeAnswer());
  const program = nginx(folder, {
    name: "upstream",
    start,
    server: `listen 127.0.0.1:${port}; location = /api/v1/dashboard/large { default_type application/json; alias ${large}; } location / { default_type application/json; return 200 '${answer}'; }`,
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  return { ...program, url };
};

/** 50 MiB: as many of the small answers as there is room for. */
const largeAnswer = (): string => {
  const size = 50 * 2 ** 20;
  const list = `[${Array.from({ length: Math.floor(size / (answer.length + 1)) - 1 }, () => answer).join(",")}]`;
  return list.padEnd(size, " ");
};

const nginx = (
  folder: string,
  {
    name,
    start: begin,
    server,
    more = "",
  }: { readonly name: string; readonly start: typeof start; readonly server: string; readonly more?: string },
): Program => {
  const file = join(folder, `${name}.conf`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join(" ");
  writeFileSync(
    file,
    `daemon off; ${process.getuid?.() === 0 ? "user root;" : ""} worker_processes 1; pid ${join(folder, `${name}.pid`)}; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; ${temporary} ${more} server { ${server} } }`,
  );
  return begin("nginx", ["-p", folder, "-c", file, "-e", "stderr"]);
};
