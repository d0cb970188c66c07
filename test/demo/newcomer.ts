/** Somebody who has just cloned the repository: the machine's own Node and npm, a checkout, and nothing else. */

import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, cpSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { scratchFolder } from "../standins/scratch.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What of the repository runs; the packages are those of this checkout, by a link. */
const parts = ["server", "action", "dist", "scripts", "action.yml", "package.json", "package-lock.json"];

export type User = { readonly uid: number; readonly gid: number };

/** A plain user everywhere. */
export const nobody: User = { uid: 65_534, gid: 65_534 };

/** Whether a plain user can come into this checkout at all; root's own folders are closed. */
export function isOpenToOthers(): boolean {
  const folders = import.meta.dirname.split("/").map((_, at, all) => all.slice(0, at + 1).join("/") || "/");
  return folders.every((folder) => (statSync(folder).mode & 0o001) !== 0);
}

export class Newcomer {
  readonly folder: string;
  readonly #user: User | null;

  constructor(user: User | null = null) {
    this.#user = user;
    this.folder = scratchFolder("dogwatch-newcomer-");
    for (const part of parts) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    if (user !== null) chownSync(this.folder, user.uid, user.gid);
  }

  /** Runs a command as from a shell in the checkout: in a process group of its own, as a terminal's foreground is. */
  run(command: string, env: NodeJS.ProcessEnv = {}): Running {
    const [program = "", ...args] = command.split(" ");
    return new Running(
      spawn(program, args, {
        cwd: this.folder,
        env: { PATH: machinePath(), HOME: this.folder, ...env },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        ...this.#user,
      }),
    );
  }

  /** Whatever runs from this folder, or was started from it: gateway, relay, PostgreSQL. */
  processes(): string[] {
    return listProcesses()
      .filter(({ text, cwd }) => text.includes(this.folder) || cwd.startsWith(this.folder))
      .map(({ pid, text }) => `${pid} ${text.slice(0, 200)}`);
  }

  /** Process ids whose command line holds this text. */
  pids(text: string): number[] {
    return listProcesses()
      .filter((found) => found.cwd.startsWith(this.folder) && found.text.includes(text))
      .map(({ pid }) => pid);
  }

  /** Every session of the demo's gateway at `url`, with its number of calls, the newest first. */
  async sessions(url: string): Promise<{ id: string; calls: number; state: string }[]> {
    const token = readFileSync(join(this.folder, "data/demo-token"), "utf8");
    const answer = await fetch(`${url}/v1/sessions`, { headers: { authorization: `Bearer ${token}` } });
    return sessionList.parse(await answer.json()).items;
  }

  /** A signal that was sent has not been taken yet, and who has not taken it may still write. */
  async leave(): Promise<void> {
    for (;;) {
      const left = this.processes();
      if (left.length === 0) break;
      for (const line of left) kill(Number.parseInt(line, 10), "SIGKILL");
      await sleep(20);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const sessionList = z.object({ items: z.array(z.object({ id: z.string(), calls: z.number(), state: z.string() })) });

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  #output = "";
  /** All that it said is there: it has not only ended. */
  #isOver = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        this.#isOver = true;
        resolve({ code, output: this.#output });
      });
    });
    onTestFinished(() => {
      if (child.exitCode === null && child.pid !== undefined) kill(-child.pid, "SIGKILL");
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until the output holds this, and gives what was matched. @throws Error with the output when the program ends before */
  async says(wanted: RegExp): Promise<string> {
    for (;;) {
      const found = wanted.exec(this.#output);
      if (found !== null) return found[1] ?? found[0];
      if (this.#isOver) throw new Error(`it ended before it said ${wanted}:\n${this.#output}`);
      await sleep(20);
    }
  }

  /** What a terminal does at Ctrl-C: everybody in the foreground hears it. */
  interrupt(): void {
    kill(-this.pid, "SIGINT");
  }
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Without the Node that this checkout brings along. */
const machinePath = (): string =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter);

/** All processes that run; one that has ended and was not collected works in no folder. One that is becoming another program has no command line. */
function listProcesses(): { pid: number; text: string; cwd: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return [{ pid: Number(pid), text, cwd: readlinkSync(`/proc/${pid}/cwd`) }];
      } catch {
        return [];
      }
    });
}
