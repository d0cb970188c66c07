/** Programs of a benchmark: on which core they run, and that none is left behind. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";

const hasCores = availableParallelism() > 1 && spawnSync("taskset", ["-p", String(process.pid)]).status === 0;

export const isInstalled = (program: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;

/** The load, Datadog's place and PostgreSQL, which this process starts, go to the first core. */
export const pinBench = (): void => {
  if (hasCores) spawnSync("taskset", ["-acp", "0", String(process.pid)], { stdio: "ignore" });
};

export type Program = { readonly pid: number; stop(): Promise<void> };

/** On the second core, by itself. */
export const startMeasured = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program =>
  hasCores ? start("taskset", ["-c", "1", command, ...args], env) : start(command, args, env);

export const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program => {
  endTogether();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
  running.add(child);
  return { pid: child.pid ?? 0, stop: () => stop(child) };
};

const running = new Set<ChildProcess>();

/** However the benchmark ends, nothing of it stays. */
const endTogether = (): void => {
  if (process.listenerCount("exit") > 0) return;
  process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
};

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exited;
  clearTimeout(timer);
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
};

export const answers = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 300; tries++) {
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nobody answers at ${url}`);
};
