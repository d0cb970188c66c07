/** The files of an embedded database: made once, all or nothing, even when the process is killed in between. */

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Log } from "../../model/log.ts";
import { canReach, chooseRunner, handOver, reachablePlace, type Runner } from "./binaries.ts";

export type Cluster = {
  /** PostgreSQL's data directory. */
  readonly directory: string;
  readonly sockets: string;
  readonly logFile: string;
  readonly password: string;
  readonly runner: Runner;
};

/** Longest path of a socket that every system takes (`sun_path`), less the socket's own name. */
const longestSocketFolder = 100 - "/.s.PGSQL.5432".length;

/** @throws Error that says what is wrong with the folder */
export const prepareCluster = async (dataDir: string, log: Log): Promise<Cluster> => {
  mkdirSync(dataDir, { recursive: true });
  const { home, runner } = settle(resolve(dataDir, "postgres"), log);
  const directory = join(home, "cluster");
  const password = keepPassword(home, existsSync(directory));
  handOver(home, runner);
  if (!existsSync(directory)) await create({ home, directory, runner });
  return {
    directory: realpathSync(directory),
    sockets: socketFolder(home, runner),
    logFile: join(home, "log"),
    password,
    runner,
  };
};

/** Under the data folder, unless PostgreSQL's user cannot come there. */
const settle = (home: string, log: Log): { home: string; runner: Runner } => {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(home);
  const self = process.getuid?.() ?? uid;
  if (self !== 0 && self !== uid)
    throw new Error(`${home} belongs to another user (uid ${uid}): run as that user, or in another folder`);
  const runner = chooseRunner(join(home, "cluster"));
  if (canReach(resolve(home, ".."), runner)) return { home, runner };
  const elsewhere = reachablePlace(`data-${digest(home)}`);
  mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
  log.warn(
    { wanted: home, used: elsewhere },
    "PostgreSQL may not run as root and cannot reach the data folder; its files are elsewhere",
  );
  return { home: elsewhere, runner: chooseRunner(join(elsewhere, "cluster")) };
};

const keepPassword = (home: string, exists: boolean): string => {
  const file = join(home, "password");
  if (!existsSync(file)) {
    if (exists)
      throw new Error(`${file} is missing, and without it nobody can open the database beside it: put it back`);
    // Linked when it is complete: of two gateways that start together both get the same one.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, randomBytes(32).toString("hex"), { mode: 0o600, flush: true });
    try {
      linkSync(draft, file);
    } catch (error) {
      if (!existsSync(file)) throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(file, "utf8");
};

/** Made beside its place and moved there when it is complete. */
const create = async ({
  home,
  directory,
  runner,
}: {
  home: string;
  directory: string;
  runner: Runner;
}): Promise<void> => {
  discardDrafts(home);
  const draft = `${directory}.new-${process.pid}`;
  const [file, args] = runner.command("initdb", [
    `--pgdata=${draft}`,
    "--username=dogwatch",
    `--pwfile=${join(home, "password")}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
  ]);
  const child = spawn(file, args, { ...runner.spawn, stdio: ["ignore", "ignore", "pipe"] });
  const said: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(
      `initdb could not make a database in ${home}: ${Buffer.concat(said).toString().trim().slice(-600)}`,
    );
  }
  try {
    renameSync(draft, directory);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another gateway was faster; its cluster has the same password.
    if (!existsSync(directory)) throw error;
  }
};

/** What a process left that was killed while it made a cluster. */
const discardDrafts = (home: string): void => {
  for (const name of readdirSync(home)) {
    const pid = /^cluster\.new-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(home, name), { recursive: true, force: true });
  }
};

const socketFolder = (home: string, runner: Runner): string => {
  const inside = join(home, "socket");
  const folder = inside.length <= longestSocketFolder ? inside : join(tmpdir(), `dogwatch-${digest(home)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  handOver(folder, runner);
  const { uid, mode } = lstatSync(folder);
  const expected = runner.owner?.uid ?? process.getuid?.() ?? uid;
  if (uid !== expected || (mode & 0o170000) !== 0o040000)
    throw new Error(`${folder} belongs to somebody else: remove it`);
  chmodSync(folder, 0o700);
  return folder;
};

const digest = (path: string): string => createHash("sha256").update(path).digest("hex").slice(0, 16);
