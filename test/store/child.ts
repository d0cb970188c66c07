/** Starts the gateway of gateway.fixture.ts as a process of its own, as any user. */

import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export type Said = { readonly session?: string; readonly connectionString?: string; readonly error?: string };
export type Child = { readonly process: ChildProcess; readonly said: Said; end(signal: NodeJS.Signals): Promise<void> };

const fixture = fileURLToPath(new URL("gateway.fixture.ts", import.meta.url));

export const startChild = async (args: readonly string[], options: SpawnOptions = {}): Promise<Child> => {
  const child = spawn(process.execPath, [fixture, ...args], { ...options, stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no stdout");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    process: child,
    said: JSON.parse(line) as Said,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, "exit");
    },
  };
};
