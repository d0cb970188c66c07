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
  const upstream = await freePort();
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const measure = async (name: string, says: string, begin: (port: number) => Program): Promise<void> => {
    const port = await freePort();
    running.push(begin(port));
    await answers(at(port));
    peers.push({ name, says, url: at(port), headers: {} });
  };

  running.push(
    nginx(folder, {
      name: "upstream",
      start,
      server: `listen 127.0.0.1:${upstream}; location / { default_type application/json; return 200 '${answer}'; }`,
    }),
  );
  await answers(at(upstream));
  peers.push({ name: "nothing between", says: "nothing between", url: at(upstream), headers: {} });

  const passes = `proxy_pass http://datadog; proxy_http_version 1.1; proxy_set_header Connection "";`;
  const pool = `upstream datadog { server 127.0.0.1:${upstream}; keepalive 128; }`;
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
        `reverse:${at(upstream)}`,
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
        at(upstream),
      ]),
    );
  else missing.push("@fastify/http-proxy (not in the folder that DOGWATCH_BENCH_PEERS names)");

  const database = await startDatabase();
  running.push(database);
  const issuer = await startIssuer();
  running.push({ stop: () => issuer.close() });
  const dogwatch = async (name: string, says: string, flags: readonly string[]): Promise<void> => {
    const own = await freshDatabase();
    const port = await freePort();
    const file = join(folder, `${port}.yaml`);
    const configuration = configurationOf({
      issuer: issuer.url,
      upstream: at(upstream),
      database: own.connectionString,
      dataDir: join(folder, String(port)),
    });
    writeFileSync(file, configuration.replace("listen: 127.0.0.1:0", `listen: 127.0.0.1:${port}`));
    const main = join(import.meta.dirname, "../../../server/main.ts");
    const program = startMeasured(process.execPath, [...flags, main, "serve", "--config", file], {
      DOGWATCH_LOG_LEVEL: "warn",
    });
    running.push({
      stop: async () => {
        await program.stop();
        await own.drop();
      },
    });
    await answers(`${at(port)}/readyz`);
    const { access_token } = await exchange(
      at(port),
      await issuer.sign({ ...githubClaims, aud: "http://gateway.test" }),
    );
    peers.push({ name, says, url: at(port), headers: { "DD-API-KEY": access_token } });
  };
  await dogwatch("dogwatch", "dogwatch, receipt committed before release", []);
  await dogwatch("dogwatch without recording", "dogwatch, made to record nothing (bench only)", [
    "--import",
    join(import.meta.dirname, "noRecord.mjs"),
  ]);

  return {
    peers,
    missing,
    stop: async () => {
      for (const program of running.toReversed()) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
    `daemon off; worker_processes 1; pid ${join(folder, `${name}.pid`)}; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; ${temporary} ${more} server { ${server} } }`,
  );
  return begin("nginx", ["-p", folder, "-c", file, "-e", "stderr"]);
};
