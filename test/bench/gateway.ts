/**
 * What a call through the gateway costs, next to others that stand between: `node test/bench/gateway.ts [SECONDS] [ROUNDS]`.
 * One load generator (wrk), nginx in Datadog's place and PostgreSQL share a core; what is measured has the other one to itself. Every round
 * measures everybody, so that a slow minute of the machine is everybody's. Needs `wrk` and `nginx`; `mitmdump`, and `@fastify/http-proxy` in
 * the folder that DOGWATCH_BENCH_PEERS names, are named and left out where they are missing. DOGWATCH_BENCH_CHART=FILE writes a chart.
 */

import { writeFileSync } from "node:fs";
import { chartOf } from "./peers/chart.ts";
import { median, openLoop, throughput } from "./peers/load.ts";
import { startPeers, type Peer } from "./peers/peers.ts";
import { isInstalled, pinBench } from "./peers/processes.ts";

const seconds = Number(process.argv[2] ?? 5);
const rounds = Number(process.argv[3] ?? 3);
const rate = 500;
/** s, for each of two methods, and not measured. */
const warmUp = 6;

if (!isInstalled("wrk") || !isInstalled("nginx")) {
  console.log("left out: the gateway and its peers (wrk and nginx are not both installed)");
  process.exit(0);
}
pinBench();
const scene = await startPeers();
for (const missing of scene.missing) console.log(`left out: ${missing}`);

type Figures = {
  readonly get: number[];
  readonly post: number[];
  readonly getLatency: number[];
  readonly postLatency: number[];
};
const figures = new Map<Peer, Figures>(
  scene.peers.map((peer) => [peer, { get: [], post: [], getLatency: [], postLatency: [] }]),
);
try {
  // What is compiled as it runs is compiled by then.
  for (const peer of figures.keys())
    for (const method of ["GET", "POST"] as const) await throughput(peer, { method, seconds: warmUp });
  for (let round = 1; round <= rounds; round++)
    for (const [peer, measured] of figures) {
      measured.get.push(await throughput(peer, { method: "GET", seconds }));
      measured.getLatency.push(await openLoop(peer, { method: "GET", rate, seconds }));
      measured.post.push(await throughput(peer, { method: "POST", seconds }));
      measured.postLatency.push(await openLoop(peer, { method: "POST", rate, seconds }));
    }
} finally {
  await scene.stop();
}

const of = (name: string): Figures | undefined => [...figures].find(([peer]) => peer.name === name)?.[1];
const ours = of("dogwatch");
const direct = of("nothing between");
if (ours === undefined || direct === undefined) throw new Error("we were not measured");

console.log(`\n2 KB answers, 128 connections, ${rounds} rounds of ${seconds} s, medians\n`);
console.log("| | GET, req/s | POST, req/s | p50 added at 500 GET/s | p50 added at 500 POST/s |\n|---|---|---|---|---|");
for (const [{ name }, { get, post, getLatency, postLatency }] of figures) {
  const added = (all: readonly number[], base: readonly number[]): string =>
    `${(median(all) - median(base)).toFixed(2)} ms`;
  console.log(
    `| ${name} | ${median(get).toFixed(0)} | ${median(post).toFixed(0)} | ${added(getLatency, direct.getLatency)} | ${added(postLatency, direct.postLatency)} |`,
  );
}

console.log("\nours divided by a peer's of the same round, the median of the rounds:");
for (const [{ name }, theirs] of figures) {
  if (theirs === ours || theirs === direct) continue;
  const ratio = (kind: "get" | "post"): string =>
    median(ours[kind].map((figure, i) => figure / (theirs[kind][i] ?? 1))).toFixed(2);
  console.log(`  ${name}: GET ${ratio("get")}, POST ${ratio("post")}`);
}

const chart = process.env["DOGWATCH_BENCH_CHART"];
if (chart !== undefined)
  writeFileSync(
    chart,
    chartOf(
      "GET through what stands between, requests a second (2 KB answers, one core)",
      [...figures].flatMap(([peer, { get }]) =>
        peer.name === "nothing between" ? [] : [{ name: peer.says, value: median(get) }],
      ),
    ),
  );
