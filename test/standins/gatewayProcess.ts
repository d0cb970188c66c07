/** The gateway as its own process, so that it can be killed, stopped and measured. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type GatewayProcess = {
  readonly url: string;
  readonly pid: number;
  /** Everything it wrote to both outputs. */
  output(): string;
  /** Resident memory now and at its peak, bytes. */
  memory(): { readonly now: number; readonly peak: number };
  /** Ends with its exit. */
  kill(signal: NodeJS.Signals): Promise<void>;
};

const main = join(import.meta.dirname, "../../server/main.ts");

/** Resolves when `/readyz` answers 200. */
export async function startGatewayProcess(
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [main, "serve", "--config", file], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const pid = child.pid ?? 0;
  let url: string;
  try {
    url = await listening(child, () => output);
    await ready(url, child, () => output);
  } catch (error) {
    // Nobody has it yet who could end it.
    child.kill("SIGKILL");
    throw error;
  }
  return {
    url,
    pid,
    output: () => output,
    memory: () => ({ now: statusOf(pid, "VmRSS"), peak: statusOf(pid, "VmHWM") }),
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
  };
}

async function listening(child: ChildProcess, output: () => string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const line = output()
      .split("\n")
      .find((text) => text.includes('"msg":"listening"'));
    if (line !== undefined) return (JSON.parse(line) as { url: string }).url;
    if (child.exitCode !== null) break;
    await pause(100);
  }
  throw new Error(`the gateway does not listen:\n${output()}`);
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const status = await fetch(`${url}/readyz`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (child.exitCode !== null) break;
    await pause(100);
  }
  throw new Error(`the gateway is not ready:\n${output()}`);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function statusOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}
