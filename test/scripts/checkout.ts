/** A checkout of nothing but scripts/, in a folder of its own, with programs that stand in for what the scripts run. */

import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const scripts = fileURLToPath(new URL("../../scripts", import.meta.url));

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly output: string };

export class Checkout {
  readonly root: string;
  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "dogwatch-scripts-"));
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
    cpSync(scripts, join(this.root, "scripts"), { recursive: true });
    this.write("package.json", '{"type":"module"}');
  }

  write(file: string, text: string): string {
    const path = join(this.root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** A program on the path of the scripts: a shell script. */
  program(name: string, text: string): void {
    chmodSync(this.write(`node_modules/.bin/${name}`, `#!/bin/sh\n${text}\n`), 0o755);
  }

  /** `kill`: the signal to send, once, when the output contains the word: a second one could meet it while it ends. */
  run(
    args: readonly string[],
    options: { env?: Record<string, string>; kill?: { word: string; signal: NodeJS.Signals } } = {},
  ): Promise<Ended> {
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      env: { PATH: process.env["PATH"] ?? "", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let { kill } = options;
    const hear = (chunk: Buffer): void => {
      output += chunk.toString();
      if (kill === undefined || !output.includes(kill.word)) return;
      child.kill(kill.signal);
      kill = undefined;
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, output })));
  }
}
