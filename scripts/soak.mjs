/**
 * What takes too long for `npm test`: `npm run soak`, or `npm run soak -- PART…`. Needs the package registry, and git.
 * Works on what is committed. The last line is `N passed, N failed`; the exit code is 1 when anything failed.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "./node24.mjs";

const seconds = 1_000;
const minutes = 60 * seconds;
const nobody = 65_534;

const parts = {
  "clean-clone": {
    what: "npm start in a clean clone, twice",
    act: () => inClone({}, startTwice),
  },
  "clean-clone-plain-user": {
    what: "npm start in a clean clone, twice, as a plain user",
    act: () => inClone({ uid: nobody, gid: nobody }, startTwice),
    unless: process.getuid?.() === 0 ? null : "only root can be somebody else",
  },
  "clean-clone-tests": {
    what: "npm test in a clean clone, in less than eight minutes",
    act: () => inClone({}, runTests),
  },
  replicas: {
    what: "every journey with two gateways on one database, each new connection at the other one",
    act: () => runTest("test/journeys", { DOGWATCH_TEST_REPLICAS: "2" }),
  },
  race: {
    what: "approvals raced at two gateways: 200 rounds of 50 identical requests and 20 answers",
    act: () => runTest("test/journeys/approval/race.test.ts", { DOGWATCH_RACE_ROUNDS: "200" }),
  },
  evidence: {
    what: "a session of 100,000 calls is sealed, exported with its proof and verified, in at most 512 MiB",
    act: sealLongSession,
  },
  planted: {
    what: "5,000 secrets of every kind, planted in recorded bodies and beside them: nothing that is kept holds one",
    act: () => runTest("test/journeys/masks/planted.test.ts", { DOGWATCH_PLANTED: "5000" }),
  },
  replays: {
    what: "every recorded scenario that the sandbox knows, replayed to a fresh one, and with a planted difference",
    act: () => runTest("test/journeys/replay/recordings.test.ts", { DOGWATCH_ALL_REPLAYS: "1" }),
  },
  "gateway-kills": {
    what: "300 times kill -9 of the gateway under load",
    act: () => runTest("test/faults/gatewayKilled.test.ts", { DOGWATCH_GATEWAY_KILLS: "300" }),
  },
  "database-kills": {
    what: "100 times kill -9 of PostgreSQL under load",
    act: () => runTest("test/faults/databaseKilled.test.ts", { DOGWATCH_DATABASE_KILLS: "100" }),
  },
  lines: {
    what: "a database that is slow, hangs, is cut off, or half of every connection to it is gone",
    act: () => runTest("test/faults/line.test.ts", { DOGWATCH_ALL_LINES: "1" }),
  },
  "fail-overs": {
    what: "30 fail-overs to a synchronous standby under load",
    act: () => runTest("test/faults/failOver.test.ts", { DOGWATCH_FAIL_OVERS: "30" }),
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(", ")}. There are: ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

/** What is to be put away when it ends, or is told to end: what was started, and the folder of the clone. */
const running = new Set();
let folder = null;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    for (const { pid } of running) killQuietly(pid, "SIGTERM");
    clear();
    process.exit(128 + constants.signals[signal]);
  });
}

let [passed, failed] = [0, 0];
for (const [name, { what, act, unless = null }] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (unless !== null) {
    console.log(`skipped ${name}: ${unless}`);
    continue;
  }
  console.log(`${name}: ${what}`);
  try {
    await act();
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`  FAILED: ${error.message}`);
  }
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** A clone with nothing installed, a home with no cache, and the machine's own Node and npm. */
async function inClone(user, act) {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-soak-"));
  const place = { clone: join(folder, "clone"), home: join(folder, "home"), user };
  try {
    mkdirSync(place.home);
    const cloned = spawnSync("git", ["clone", "--quiet", `file://${root}`, place.clone], { encoding: "utf8" });
    if (cloned.status !== 0) throw new Error(`git clone: ${cloned.stderr}`);
    if (user.uid !== undefined) spawnSync("chown", ["-R", `${user.uid}:${user.gid}`, folder]);
    await act(place);
  } finally {
    clear();
  }
}

function clear() {
  if (folder === null) return;
  endProcessesIn(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folder = null;
}

async function startTwice(place) {
  const first = await startAndStop(place, 5 * minutes);
  expect(first.sessions === 1, `one session after the first start, not ${first.sessions}`);
  const second = await startAndStop(place, minutes);
  expect(second.sessions === 2, `two sessions after the second start, not ${second.sessions}`);
  console.log(`  first start: gateway up after ${first.up} s (with install), job recorded after ${first.played} s`);
  console.log(`  second start: gateway up after ${second.up} s, job recorded after ${second.played} s`);
}

async function startAndStop(place, patience) {
  const started = Date.now();
  const npm = run("npm", ["start", "--", "--answer", "approve"], place);
  const [, url] = await npm.says(/Dogwatch is up: (\S+)/, patience);
  const up = since(started);
  await npm.says(/Ctrl-C stops it/, minutes);
  const played = since(started);
  const token = readFileSync(join(place.clone, "data/demo-token"), "utf8");
  const answer = await fetch(`${url}/v1/sessions`, { headers: { authorization: `Bearer ${token}` } });
  const { items } = await answer.json();
  expect(items[0]?.calls === 11 && items[0]?.state === "closed", `a closed session of 11 calls: ${items[0]?.state}`);
  killQuietly(-npm.child.pid, "SIGINT");
  const code = await npm.ended;
  expect(code === 0, `exit code 0 after Ctrl-C, not ${code}`);
  await untilNothingRunsIn(place.clone);
  return { up, played, sessions: items.length };
}

async function runTests(place) {
  const started = Date.now();
  const npm = run("npm", ["test"], place);
  const code = await npm.ended;
  const last = npm.output().trimEnd().split("\n").at(-1);
  console.log(`  ${last} (${since(started)} s)`);
  expect(code === 0, `npm test passes:\n${npm.output().slice(-3_000)}`);
  expect(Date.now() - started < 8 * minutes, "less than eight minutes");
}

/** Says its figures itself; the last line is JSON. */
async function sealLongSession() {
  const child = spawn(process.execPath, [join(root, "test/bench/evidence.ts"), "100000"], { cwd: root });
  note(child);
  let output = "";
  child.stdout.on("data", (piece) => (output += piece));
  child.stderr.pipe(process.stderr);
  const code = await new Promise((resolve) => child.on("close", resolve));
  const lines = output.trimEnd().split("\n");
  for (const line of lines.slice(0, -1)) console.log(`  ${line}`);
  expect(code === 0, "nothing is found in what nobody altered");
  expect(JSON.parse(lines.at(-1)).rss < 512 * 2 ** 20, "at most 512 MiB");
}

function note(child) {
  running.add(child);
  child.once("close", () => running.delete(child));
}

/** In this checkout, with more rounds than the suite has time for. */
async function runTest(file, env) {
  const vitest = join(root, "node_modules/.bin/vitest");
  const child = spawn(vitest, ["run", file], { cwd: root, env: { ...process.env, ...env }, stdio: "inherit" });
  note(child);
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code === 0, `${file} passes`);
}

/** In a process group of its own, as in the foreground of a terminal. */
function run(program, args, place) {
  const options = { cwd: place.clone, env: environment(place), detached: true, stdio: ["ignore", "pipe", "pipe"] };
  const child = spawn(program, args, { ...options, ...place.user });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const ended = new Promise((resolve) => child.on("close", resolve));
  const says = async (pattern, patience) => {
    for (const started = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const found = pattern.exec(output);
      if (found !== null) return found;
      if (child.exitCode !== null || Date.now() - started > patience)
        throw new Error(`npm start did not say ${pattern}:\n${output.slice(-3_000)}`);
    }
  };
  return { child, ended, says, output: () => output };
}

/** No Node that a checkout brings along, and nothing of the npm that runs this; the registry that the machine uses stays. */
function environment({ home }) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_registry$)|INIT_CWD$|NODE$)/i.test(name),
  );
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !/node_modules|node-gyp-bin/.test(folder));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), HOME: home };
}

/** Waits for their ends: a signal that was sent has not been taken yet, and one of them may have begun another meanwhile. */
function endProcessesIn(folder) {
  for (const started = Date.now(); Date.now() - started < 10 * seconds; ) {
    const left = processesIn(folder);
    if (left.length === 0) return;
    for (const pid of left) killQuietly(pid, "SIGKILL");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/** One that has ended works in no folder. Its command line says nothing: while a process becomes another program it has none. */
function processesIn(folder) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`).startsWith(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** What is about to end may take a moment. */
async function untilNothingRunsIn(folder) {
  for (const started = Date.now(); Date.now() - started < 10 * seconds; await new Promise((end) => setTimeout(end, 20)))
    if (processesIn(folder).length === 0) return;
  throw new Error("expected nothing to run after Ctrl-C");
}

function killQuietly(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

function since(started) {
  return ((Date.now() - started) / seconds).toFixed(1);
}

function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}
