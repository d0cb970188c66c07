#!/usr/bin/env node
/** The `dogwatch` command: hands over to server/main.ts on Node 24, also when an older Node started it. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { askForNode24, node24, root } from "./node24.mjs";

if (!existsSync(`${root}node_modules`)) {
  console.error("dogwatch: the dependencies are not installed; run `npm ci` in the checkout first.");
  process.exit(2);
}

endWithStarter();

const node = node24();
if (node === null) askForNode24();
else if (node === process.execPath) await import("../server/main.ts");
else runOn(node);

/**
 * A killed npm or npx (-9), or the older Node that stands for this one, passes nothing on, and then no terminal reaches the gateway any
 * more: it ends as if it had been told to.
 */
function endWithStarter() {
  const isStoodFor = process.env.DOGWATCH_STOOD_FOR_BY === String(process.ppid);
  if (!isStoodFor && !["start", "npx", "dogwatch"].includes(process.env.npm_lifecycle_event)) return;
  const before = String(ancestors());
  const watch = setInterval(() => {
    if (String(ancestors()) === before) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 200);
  watch.unref();
}

/** Whoever started this process; where that is a shell between npx and us, which outlives npx, also who started the shell. */
function ancestors() {
  const parent = process.ppid;
  try {
    const isShell = readFileSync(`/proc/${parent}/cmdline`, "utf8").split("\0")[1] === "-c";
    const stat = readFileSync(`/proc/${parent}/stat`, "latin1");
    return isShell ? [parent, stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]] : [parent];
  } catch {
    // It has just ended, or there is no /proc: then only the parent itself is watched.
    return [parent];
  }
}

/** Stands for the newer Node: passes signals on, ends as it ends. */
function runOn(newer) {
  // Before there is a child: whoever hears it may signal at once.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]) process.on(signal, () => child.kill(signal));
  const env = { ...process.env, DOGWATCH_STOOD_FOR_BY: String(process.pid) };
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit", env });
  child.on("error", (error) => {
    console.error(`dogwatch: ${newer} could not be started: ${error.message}`);
    process.exit(2);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
