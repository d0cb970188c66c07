/** Two ways to ask: as fast as 128 connections can (wrk), and at a rate that does not wait for answers. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import type { Peer } from "./peers.ts";

export const target = "/api/v1/monitor/17";
export const written = JSON.stringify({
  name: "Checkout latency",
  query: "avg(last_5m):avg:trace.http.request > 1",
  message: "m",
});

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

type Method = "GET" | "POST";

/** Requests a second. An answer that is none of Datadog's fails the run. */
export const throughput = async (
  { url, headers }: Peer,
  { method, seconds }: { readonly method: Method; readonly seconds: number },
): Promise<number> => {
  const script = join(tmpdir(), `dogwatch-bench-${process.pid}.lua`);
  const fields = Object.entries({ ...headers, "Content-Type": "application/json" });
  const path = method === "GET" ? target : "/api/v1/monitor";
  writeFileSync(
    script,
    `wrk.method = "${method}"\nwrk.path = "${path}"\n${fields.map(([name, value]) => `wrk.headers["${name}"] = "${value}"`).join("\n")}\n${method === "POST" ? `wrk.body = [[${written}]]` : ""}\n`,
  );
  const { stdout } = await promisify(execFile)("wrk", [
    "-t1",
    "-c128",
    `-d${seconds}s`,
    "--timeout",
    "10s",
    "-s",
    script,
    url,
  ]);
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(stdout);
  if (failed !== null) throw new Error(`${url}: ${failed[0]}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
};

/** ms, the median: each request is due at its time, whether or not the ones before were answered. */
export const openLoop = async (
  { url, headers }: Peer,
  { method, rate, seconds }: { readonly method: Method; readonly rate: number; readonly seconds: number },
): Promise<number> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const took: number[] = [];
  const began = performance.now();
  const pending: Promise<void>[] = [];
  for (let n = 0; n < rate * seconds; ) {
    const due = began + (n * 1_000) / rate;
    const now = performance.now();
    if (now < due) {
      await new Promise((resolve) => (due - now > 2 ? setTimeout(resolve, 1) : setImmediate(resolve)));
      continue;
    }
    n++;
    pending.push(
      ask(url, { agent, method, headers }).then((ended) => {
        took.push(ended - due);
      }),
    );
  }
  await Promise.all(pending);
  agent.destroy();
  return median(took);
};

const ask = (
  url: string,
  { agent, method, headers }: { readonly agent: Agent; readonly method: Method; readonly headers: Peer["headers"] },
): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(
      url + (method === "GET" ? target : "/api/v1/monitor"),
      { agent, method, headers: { ...headers, "Content-Type": "application/json" } },
      (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}`));
        answer.resume().on("end", () => resolve(performance.now()));
      },
    );
    sent.on("error", reject);
    sent.end(method === "POST" ? written : undefined);
  });
