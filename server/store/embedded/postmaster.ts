/** One PostgreSQL server process on a cluster: started, found again after its parent was killed, stopped. */

import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";

const mostLog = 8 * 1024 * 1024;

/**
 * Durable, local, small. Statements and values stay out of the server's log: they hold recordings.
 * https://www.postgresql.org/docs/18/runtime-config.html
 */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  max_connections: "200",
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  wal_compression: "pglz",
  log_min_messages: "warning",
  log_min_error_statement: "panic",
  log_parameter_max_length_on_error: "0",
  log_line_prefix: "%m [%p] ",
  jit: "off",
};

/**
 * Starts the server apart from this process group, so that Ctrl-C ends the gateway first. It outlives a kill of the gateway.
 * `others`: settings in place of ours.
 */
export const startPostmaster = (
  { directory, sockets, logFile, runner }: Cluster,
  others: Readonly<Record<string, string>> = {},
): ChildProcess => {
  if (existsSync(logFile) && statSync(logFile).size > mostLog) renameSync(logFile, `${logFile}.old`);
  const log = openSync(logFile, "a", 0o600);
  const options = Object.entries({ ...settings, ...others }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const [file, args] = runner.command("postgres", ["-D", directory, "-k", sockets, ...options]);
  const child = spawn(file, args, { ...runner.spawn, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.on("error", () => undefined);
  child.unref();
  return child;
};

/** The last lines of the server's log, for messages. */
export const lastWords = ({ logFile }: Cluster): string =>
  existsSync(logFile) ? readFileSync(logFile, "utf8").trim().split("\n").slice(-6).join("\n") : "";

/** Process id of the server that runs on this cluster, whoever started it; null when there is none. */
export const findPostmaster = ({ directory }: Cluster): number | null => {
  const pid = recordedPid(directory);
  return pid !== null && isPostgresOf(pid, directory) ? pid : null;
};

/**
 * A killed machine or container leaves postmaster.pid, and its number may meanwhile be another process's, in which case
 * PostgreSQL refuses to start for ever. The file goes only when no process at all works in the cluster's folder.
 */
export const clearStalePid = ({ directory }: Cluster): void => {
  const pid = recordedPid(directory);
  if (pid === null || process.platform !== "linux" || !existsSync(`/proc/${pid}`)) return;
  const working = readdirSync("/proc").some((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/cwd`) === directory);
  if (!working) renameSync(join(directory, "postmaster.pid"), join(directory, "postmaster.pid.stale"));
};

/** SIGINT is PostgreSQL's fast shutdown: sessions are cut, nothing committed is lost. Then SIGQUIT, after which it recovers. */
export const stopPostmaster = async (cluster: Cluster): Promise<void> => {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    const pid = findPostmaster(cluster);
    if (pid === null) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (findPostmaster(cluster) === null) return;
      await sleep(20);
    }
  }
};

const recordedPid = (directory: string): number | null => {
  try {
    const pid = Number(readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n", 1)[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
};

/** PostgreSQL works in its data directory, so program and folder together say who it is. */
const isPostgresOf = (pid: number, directory: string): boolean => {
  if (process.platform !== "linux") return isAlive(pid);
  const program = linkOf(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, "");
  return program !== undefined && basename(program) === "postgres" && linkOf(`/proc/${pid}/cwd`) === directory;
};

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** Elsewhere than on Linux the password tells whose it is: a stranger's server does not take it. */
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
