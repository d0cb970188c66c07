/**
 * Everything that must hold, in one command: `npm test`. With arguments only the named tests run: `npm test -- test/store`.
 * The last line is `N passed, N failed, N skipped`; every check counts as one, and the exit code is 1 when anything failed.
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { delimiter } from "node:path";
import { askForNode24, node24, root } from "./node24.mjs";

const minutes = 60_000;
/** The last: its terminal is gone. */
const interruptions = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What is checked beside the tests, cheapest first; each is also an npm script of the same name. */
const checks = [
  {
    name: "check-lock",
    what: "package-lock.json is complete",
    command: ["node", "scripts/lock.mjs", "--check"],
    fix: "npm run lock",
  },
  { name: "format", what: "formatting (biome)", command: ["biome", "format", "."], fix: "npm run format" },
  { name: "lint", what: "lint (oxlint)", command: ["oxlint", "--type-aware", "--deny-warnings"], fix: "npm run lint" },
  { name: "typecheck", what: "types (tsc)", command: ["tsc", "-p", "."], fix: "npm run typecheck" },
  {
    name: "typecheck",
    what: "types of the pages' code (tsc)",
    command: ["tsc", "-p", "server/web/app"],
    fix: "npm run typecheck",
  },
  { name: "unused", what: "unused code (knip)", command: ["knip"], fix: "npm run unused" },
  {
    name: "check-dist",
    what: "dist/ is what the sources bundle to",
    command: ["node", "scripts/bundle.ts", "--check"],
    fix: "npm run build",
  },
  {
    name: "check-pages",
    what: "dist/web/ is what the pages' sources bundle to",
    command: ["node", "scripts/pages.ts", "--check"],
    fix: "npm run build",
  },
  {
    name: "check-catalogue",
    what: "the catalogue is current",
    command: ["node", "scripts/catalogue.ts", "--check"],
    fix: "npm run catalogue",
  },
  {
    name: "check-schema",
    what: "docs/dogwatch.schema.json is current",
    command: ["node", "scripts/schema.ts", "--check"],
    fix: "npm run schema",
  },
];

const node = node24() ?? askForNode24();
const tallyFile = `${root}build/tally.json`;
const filters = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: [] };

if (filters.length === 0) for (const check of checks) await runCheck(check);
await runTests();

if (total.skipped.length > 0) console.log("\nSkipped:");
for (const { test, reason } of total.skipped) console.log(`  ${test}\n    because: ${reason}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function runCheck({ what, command, fix }) {
  const started = Date.now();
  const { ok, output } = await run(command, { quiet: true, deadline: 5 * minutes });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? "passed" : "FAILED"}  ${what} (${seconds} s)`);
  if (ok) total.passed += 1;
  else {
    total.failed += 1;
    console.log(`${output.trimEnd().replaceAll(/^/gm, "        ")}\n        try: ${fix}`);
  }
}

async function runTests() {
  mkdirSync(`${root}build`, { recursive: true });
  rmSync(tallyFile, { force: true });
  const { ok } = await run(["vitest", "run", ...filters], { quiet: false, deadline: 40 * minutes });
  const tests = readTally();
  if (tests.passed + tests.failed + tests.broken.length === 0) tests.broken.push("no test ran");
  for (const problem of tests.broken) console.log(`FAILED  ${problem}`);
  const failed = tests.failed + tests.broken.length;
  total.passed += tests.passed;
  // vitest knows of failures that belong to no test; none of them may pass as a success.
  total.failed += ok ? failed : Math.max(failed, 1);
  total.skipped.push(...tests.skipped);
}

function readTally() {
  try {
    return JSON.parse(readFileSync(tallyFile, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: [], broken: ["the tests did not run to their end"] };
  }
}

/** Runs a command in a process group of its own, so that nothing it started is left behind when it hangs or is interrupted. */
function run(command, { quiet, deadline }) {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    let output = "";
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // Already gone.
      }
    };
    const interrupt = (signal) => {
      process.exitCode = 128 + constants.signals[signal];
      kill("SIGTERM");
      setTimeout(() => kill("SIGKILL"), 10_000);
    };
    // Before there is a child: whoever hears it may interrupt at once.
    for (const signal of interruptions) process.once(signal, interrupt);
    const child = spawn(program === "node" ? node : program, args, {
      cwd: root,
      env: environment(),
      detached: true,
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", 1, 1],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    const timer = setTimeout(() => {
      output += `\n${command.join(" ")} did not end within ${deadline / minutes} minutes`;
      if (!quiet) console.log(output);
      kill("SIGKILL");
    }, deadline);
    const end = (ok) => {
      clearTimeout(timer);
      for (const signal of interruptions) process.off(signal, interrupt);
      resolve({ ok, output });
    };
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("exit", (code) => {
      // Whatever it left behind ends with it; a pipe that such a process holds would never close.
      kill("SIGKILL");
      if (process.exitCode !== undefined) process.exit();
      child.once("close", () => end(code === 0));
    });
  });
}

/** The tests talk to loopback only; what the machine or a CI job has set for real work would lead them astray. */
function environment() {
  const unwanted =
    /^(GITHUB_|ACTIONS_|RUNNER_|INPUT_|DD_|DATADOG_|DOGWATCH_|PG[A-Z]+$|DATABASE_URL$|NODE_EXTRA_CA_CERTS$|(HTTPS?|ALL|NO)_PROXY$)/i;
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: "1", FORCE_COLOR: "0" };
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  const path = `${root}node_modules/.bin${delimiter}${process.env.PATH}`;
  return { ...Object.fromEntries(kept), ...plain, PATH: path, DOGWATCH_TALLY: tallyFile };
}
