/** Starts the relay as a process of its own, which outlives this step, and ends it again. */

import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { ask, type Network } from "./network.ts";
import { kept, type Ready, ready, type Setup } from "./relay/setup.ts";

const program = fileURLToPath(new URL("./relay.js", import.meta.url));

/** Everything else stays here: above all `ACTIONS_*` and `INPUT_*`. `RUNNER_TRACKING_ID` lets the runner end the relay of a job that died. */
const inherited = [
  "PATH",
  "HOME",
  "LANG",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "RUNNER_TRACKING_ID",
  "NODE_EXTRA_CA_CERTS",
  "NODE_USE_SYSTEM_CA",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

const relayEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

export const isRoot = (): boolean => process.getuid?.() === 0;

/** GitHub-hosted runners let their user become root without a password. */
export const canSudo = (): boolean =>
  spawnSync("sudo", ["-n", "true"], { stdio: "ignore", timeout: 10_000 }).status === 0;

/** How to run the relay's program with the rights it needs. Values of variables never appear in arguments. */
const commandFor = (args: readonly string[], rights: "own" | "root"): [string, string[]] =>
  rights === "own" || isRoot()
    ? [process.execPath, [program, ...args]]
    : ["sudo", ["-n", `--preserve-env=${inherited.join(",")}`, process.execPath, program, ...args]];

export type Launched = Extract<Ready, { url: string }>;

/** The relay did not start; the message is one line that says what to do. */
export class LaunchProblem extends Error {
  constructor(reason: string, intercept: Setup["intercept"]) {
    const taken = intercept === "hosts" && /EADDRINUSE|EACCES/.test(reason);
    const advice = "port 443 of this runner is another program's, maybe another Dogwatch job's: use `intercept: proxy`";
    super(taken ? `${advice} (${reason})` : `the relay did not start: ${reason}`);
  }
}

/** How long the relay may take to start, milliseconds. */
const patience = 20_000;

/**
 * Starts the relay and waits until it serves; throws with its own reason when it does not. A relay that `note` has not noted, where
 * somebody finds it who will end it, ends by itself: this process may be killed at any time.
 */
export const launchRelay = async (told: Setup, logFile: string, note: (relay: Launched) => void): Promise<Launched> => {
  const elevated = told.intercept === "hosts" && !isRoot();
  const user = elevated ? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 } : undefined;
  const [command, args] = commandFor([], elevated ? "root" : "own");
  const log = openSync(logFile, "a", 0o600);
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(command, args, {
    detached: true,
    stdio: ["pipe", "pipe", log as unknown as "inherit"], // the types know no file descriptors
    cwd: dirname(logFile), // the workspace must stay free to be removed
    env: relayEnvironment(),
    windowsHide: true,
  });
  closeSync(log);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const fail = (reason: string) => reject(new LaunchProblem(reason, told.intercept));
  child.once("error", (error) => fail(error.message));
  child.once("exit", (code, signal) => fail(`it ended at once (${signal ?? `exit code ${code}`})`));
  failed.catch(() => {});
  child.stdin.on("error", () => {}); // the exit says more
  child.stdin.write(`${JSON.stringify(user ? { ...told, user } : told)}\n`);
  // It is not killed: it takes back what it has changed.
  const timer = setTimeout(() => fail("it did not answer in time"), patience);
  try {
    const said = ready.parse(JSON.parse(await Promise.race([firstLine(child.stdout), failed])));
    if ("problem" in said) throw new LaunchProblem(said.problem, told.intercept);
    note(said);
    child.stdin.write(`${kept}\n`);
    return said;
  } finally {
    clearTimeout(timer);
    child.stdin.end();
    child.stdout.destroy();
    child.unref();
  }
};

const firstLine = (stream: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => createInterface({ input: stream }).once("line", resolve));

export type RelayHandle = { readonly url: string; readonly placeholder: string; readonly pid: number };

/** Asks the relay whether it serves. */
export const isHealthy = async (network: Network, relay: Omit<RelayHandle, "pid">): Promise<boolean> => {
  const headers = { authorization: `Bearer ${relay.placeholder}` };
  const answer = await ask(network, { method: "GET", url: new URL(`${relay.url}/dogwatch/health`), headers }).catch(
    () => undefined,
  );
  return answer?.status === 200;
};

/** Asks the relay to end, and sees to it: true when it is gone. @param wait milliseconds for calls in flight */
export const stopRelay = async (network: Network, relay: RelayHandle, wait: number): Promise<boolean> => {
  const headers = { authorization: `Bearer ${relay.placeholder}` };
  const url = new URL(`${relay.url}/dogwatch/stop`);
  const asked = await ask(network, { method: "POST", url, headers, body: "" }).catch(() => undefined);
  // A relay that did not answer may be long gone, and its number another process's.
  if (asked?.status !== 202) return !(await isHealthy(network, relay));
  for (const started = Date.now(); Date.now() - started < wait; ) {
    if (!isAlive(relay.pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.kill(relay.pid, "SIGKILL");
  return true;
};

/** A process that has ended may keep its number for long where nothing collects it, as in containers without an init. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true; // no /proc on this system
  }
};

/** Takes Datadog's names, as far as they are this session's, out of the hosts file again. */
export const restoreHosts = (session: string): boolean => {
  const [command, args] = commandFor(["restore-hosts", session], "root");
  return spawnSync(command, args, { env: relayEnvironment(), stdio: "ignore", timeout: 20_000 }).status === 0;
};
