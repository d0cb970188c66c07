/**
 * What the gateway's speed does when there is more of something: rules, recorded calls, replicas; and its memory while eight answers of 50 MB
 * pass. `node test/bench/growth.ts [SECONDS] [ROUNDS]`; DOGWATCH_BENCH_HISTORY is how many calls are in the full database (1,000,000).
 * Laid out as gateway.ts is: what is measured has a core to itself, and each round measures all.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillHistory } from "./peers/history.ts";
import { median, throughput } from "./peers/load.ts";
import { isInstalled, pinBench } from "./peers/processes.ts";
import { type Own, type Peer, startPeers, startStable, startUpstream } from "./peers/peers.ts";

const seconds = Number(process.argv[2] ?? 5);
const rounds = Number(process.argv[3] ?? 3);
const history = Number(process.env["DOGWATCH_BENCH_HISTORY"] ?? 1_000_000);
/** s, and not measured: what is compiled as it runs is compiled by then. */
const warmUp = 6;

if (!isInstalled("wrk") || !isInstalled("nginx")) {
  console.log("left out: growth (wrk and nginx are not both installed)");
  process.exit(0);
}
pinBench();
const folder = mkdtempSync(join(tmpdir(), "dogwatch-growth-"));
const upstream = await startUpstream(folder);
const stable = await startStable(folder, upstream.url);
try {
  await measureRates();
} finally {
  await stable.stop();
  await upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}
await measureMemory();

async function measureRates(): Promise<void> {
  const few = await stable.gateway({ name: "10 rules", says: "", rules: rulesOf(10) });
  const many = await stable.gateway({ name: "1,000 rules", says: "", rules: rulesOf(1_000) });
  const empty = await stable.gateway({ name: "no history", says: "" });
  const full = await stable.gateway({ name: `${history.toLocaleString("en-US")} calls recorded`, says: "" });
  await throughput(full, { method: "GET", seconds: 1 });
  await fillHistory(full.database, history);
  // Two processes share the measured core: what is asked is whether they get in each other's way in the database.
  const one = await stable.gateway({ name: "one replica", says: "" });
  const other = await stable.gateway({ name: "its second replica", says: "", database: one.database });

  const measured = new Map<string, number[]>();
  const note = (name: string, value: number): void => void measured.set(name, [...(measured.get(name) ?? []), value]);
  for (const peer of [few, many, empty, full, one, other]) await throughput(peer, { method: "GET", seconds: warmUp });
  for (let round = 0; round < rounds; round++) {
    for (const peer of [few, many, empty, full, one])
      note(peer.name, await throughput(peer, { method: "GET", seconds }));
    const both = await Promise.all([one, other].map((peer) => throughput(peer, { method: "GET", seconds })));
    note(
      "two replicas, together",
      both.reduce((sum, value) => sum + value, 0),
    );
  }
  console.log(`\nGET, 2 KB answers, requests a second, medians of ${rounds} rounds of ${seconds} s\n`);
  for (const [name, values] of measured) console.log(`| ${name} | ${median(values).toFixed(0)} |`);
  const ratio = (a: Own | string, b: Own): string => {
    const [over, under] = [measured.get(typeof a === "string" ? a : a.name) ?? [], measured.get(b.name) ?? []];
    return median(over.map((value, i) => value / (under[i] ?? 1))).toFixed(2);
  };
  console.log(
    `\n1,000 rules ÷ 10 rules: ${ratio(many, few)}; ${full.name} ÷ none: ${ratio(full, empty)}; two replicas ÷ one: ${ratio("two replicas, together", one)}`,
  );
}

function rulesOf(count: number): string {
  const others = Array.from(
    { length: count - 1 },
    (_, i) =>
      `    - { name: rule-${i}, effect: deny, callers: [{ repository: acme/other-${i} }], operations: ["v1.MonitorsApi.*"], when: 'true' }`,
  );
  return [...others, "    - { name: everything, effect: allow, when: 'true' }"].join("\n");
}

/** Peak resident memory while eight answers of 50 MB pass at once, ours next to mitmdump's. */
async function measureMemory(): Promise<void> {
  const scene = await startPeers();
  try {
    const peaks = new Map<string, number>();
    for (const peer of scene.peers.filter(({ name }) => name === "dogwatch" || name === "mitmdump -w")) {
      const idle = peakOf(peer);
      await Promise.all(Array.from({ length: 8 }, () => download(peer)));
      peaks.set(peer.name, peakOf(peer));
      console.log(
        `8 × 50 MB through ${peer.name}: peak ${(peakOf(peer) / 2 ** 20).toFixed(0)} MB (idle ${(idle / 2 ** 20).toFixed(0)} MB)`,
      );
    }
    const [ours, theirs] = [peaks.get("dogwatch"), peaks.get("mitmdump -w")];
    if (ours !== undefined && theirs !== undefined) console.log(`ours ÷ mitmdump's: ${(ours / theirs).toFixed(2)}`);
  } finally {
    await scene.stop();
  }
}

async function download({ url, headers }: Peer): Promise<void> {
  const response = await fetch(`${url}/api/v1/dashboard/large`, { headers });
  let size = 0;
  for await (const chunk of response.body ?? []) size += chunk.length;
  if (response.status !== 200 || size !== 50 * 2 ** 20)
    throw new Error(`${url} answered ${response.status} with ${size} bytes`);
}

function peakOf({ pid }: Peer): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
}
