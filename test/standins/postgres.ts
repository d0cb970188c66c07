/** PostgreSQL servers of a test's own, as processes that can be killed, stopped, copied into a standby and promoted. */

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Cluster, prepareCluster } from "../../server/store/embedded/cluster.ts";
import { findPostmaster, lastWords, startPostmaster, stopPostmaster } from "../../server/store/embedded/postmaster.ts";
import { migrate } from "../../server/store/migrate.ts";
import { type FreshDatabase, quietLog } from "./database.ts";

const database = "dogwatch";
/** Recovery on a busy machine takes its time; no test is decided by it. */
const patience = 120_000;

/** For servers that no test kills: they do not wait for the disk, which all tests share. */
export const withoutFsync = { fsync: "off" } as const;

export type PostgresOptions = { readonly folder?: string; readonly settings?: Readonly<Record<string, string>> };

export class Postgres {
  readonly #folder: string;
  readonly #cluster: Cluster;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #endWithUs = (): void => this.signal("SIGKILL");

  private constructor(folder: string, cluster: Cluster, settings: Readonly<Record<string, string>> = {}) {
    this.#folder = folder;
    this.#cluster = cluster;
    this.#settings = settings;
    process.once("exit", this.#endWithUs);
  }

  /** A server with a migrated database in it. `folder`: where its files go, by default a temporary place; `settings`: in place of an embedded server's. */
  static async start({ folder = temporaryFolder(), settings }: PostgresOptions = {}): Promise<Postgres> {
    const server = new Postgres(folder, await prepareCluster(folder, quietLog), settings);
    await server.begin();
    await server.run(`CREATE DATABASE ${database}`, "postgres");
    await migrate(server.connectionString, quietLog);
    return server;
  }

  get connectionString(): string {
    return this.#address(database);
  }

  #address(name: string): string {
    const { sockets, password } = this.#cluster;
    return `postgresql://dogwatch:${password}@${encodeURIComponent(sockets)}:5432/${name}`;
  }

  /** Starts it, after whatever happened to it; resolves when it takes connections. */
  async begin(): Promise<void> {
    startPostmaster(this.#cluster, this.#settings);
    await this.untilReady();
  }

  /** Resolves when it takes connections. */
  async untilReady(): Promise<void> {
    for (const started = Date.now(); ; await sleep(50))
      try {
        return void (await this.run("SELECT 1", "postgres"));
      } catch (error) {
        if (Date.now() - started > patience) throw new Error(lastWords(this.#cluster), { cause: error });
      }
  }

  /** The postmaster and everything that it started. */
  get pids(): readonly number[] {
    const postmaster = findPostmaster(this.#cluster);
    return postmaster === null ? [] : [postmaster, ...childrenOf(postmaster)];
  }

  get isRunning(): boolean {
    return findPostmaster(this.#cluster) !== null;
  }

  /** To all of its processes: SIGKILL is a power cut, SIGSTOP a server that is there and does nothing. */
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    for (const pid of this.pids) sendQuietly(pid, signal);
  }

  /** Resolves when none of its processes is left. */
  async kill(): Promise<void> {
    const [postmaster, ...others] = this.pids;
    this.signal("SIGKILL");
    // Its successor takes the postmaster for alive until we, its parent, have looked at its end; the others have no parent any more.
    while (stateOf(postmaster) !== undefined || others.some(isAlive)) await sleep(5);
  }

  /** One backend of many is killed: the postmaster then ends all others and recovers. */
  killBackend(pid: number): void {
    sendQuietly(pid, "SIGKILL");
  }

  async stop(): Promise<void> {
    this.signal("SIGCONT");
    await stopPostmaster(this.#cluster);
    process.off("exit", this.#endWithUs);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    rmSync(this.#cluster.sockets, { recursive: true, force: true });
  }

  /** One statement on a connection of its own. */
  async run<Row extends pg.QueryResultRow>(text: string, name = database): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.#address(name), connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /**
   * A streaming standby, without which this server commits nothing any more (`remote_apply`). The embedded PostgreSQL comes without
   * pg_basebackup, so the files are copied between `pg_backup_start` and `pg_backup_stop`, as its manual describes.
   * https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
   */
  async addStandby(): Promise<Postgres> {
    const folder = temporaryFolder();
    const home = join(folder, "postgres");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeFileSync(join(home, "password"), this.#cluster.password, { mode: 0o600 });
    await this.#copyTo(join(home, "cluster"));
    const standby = new Postgres(folder, await prepareCluster(folder, quietLog), this.#settings);
    await standby.begin();
    await this.run("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await this.run("ALTER ROLE dogwatch SET synchronous_commit = 'remote_apply'");
    await this.run("SELECT pg_reload_conf()");
    const states = (): Promise<{ sync_state: string }[]> => this.run("SELECT sync_state FROM pg_stat_replication");
    while (!(await states()).some(({ sync_state }) => sync_state === "sync")) await sleep(20);
    return standby;
  }

  async #copyTo(target: string): Promise<void> {
    const client = new pg.Client(this.connectionString);
    await client.connect();
    try {
      // Segments that the standby has yet to fetch stay until it has them.
      await client.query("SELECT pg_create_physical_replication_slot('standby', true)");
      await client.query("SELECT pg_backup_start('standby', true)");
      copyFolder(this.#cluster.directory, target, "");
      const { rows } = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
      writeFileSync(join(target, "backup_label"), rows[0]?.labelfile ?? "", { mode: 0o600 });
      const from = `host=${this.#cluster.sockets} port=5432 user=dogwatch password=${this.#cluster.password}`;
      // Copied from the source, which may have waited for a standby of its own; the last line counts.
      const settings = [
        `primary_conninfo = '${from}'`,
        "primary_slot_name = 'standby'",
        "synchronous_standby_names = ''",
      ];
      writeFileSync(join(target, "postgresql.auto.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
      writeFileSync(join(target, "standby.signal"), "", { mode: 0o600 });
    } finally {
      await client.end();
    }
  }

  /** Ends the standby's recovery: it is the primary from now on. */
  async promote(): Promise<void> {
    await this.run("SELECT pg_promote(true, 60)", "postgres");
  }
}

/** The same for whoever looks behind the store's back: follows `server` when it becomes another one. */
export const databaseOf = (server: () => Postgres): FreshDatabase => ({
  get connectionString() {
    return server().connectionString;
  },
  query: async (text, values) => {
    const client = new pg.Client(server().connectionString);
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(text, values)).rows;
    } finally {
      await client.end();
    }
  },
  drop: async () => undefined,
});

/** Open to the user that PostgreSQL runs as where that is not ours; what is in it is not. */
const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-pg-"));
  chmodSync(folder, 0o755);
  return folder;
};

/** What belongs to the running server, and what the manual says to leave out. */
const leftOut =
  /^(postmaster\.(pid|opts)|pg_wal\/.+|pg_replslot\/.+|pg_dynshmem\/.+|pg_notify\/.+|pg_stat_tmp\/.+|.*pgsql_tmp.*)$/;

/** Files that vanish meanwhile are none of the backup's. */
const copyFolder = (source: string, target: string, path: string): void => {
  mkdirSync(join(target, path), { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(join(source, path), { withFileTypes: true })) {
    const name = path === "" ? entry.name : `${path}/${entry.name}`;
    if (leftOut.test(name)) continue;
    if (entry.isDirectory()) copyFolder(source, target, name);
    else if (entry.isFile()) copyUnlessGone(join(source, name), join(target, name));
  }
};

const copyUnlessGone = (source: string, target: string): void => {
  try {
    copyFileSync(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
};

const childrenOf = (parent: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && fieldOf(name, 1) === String(parent))
    .map(Number);

/** Fields of /proc/PID/stat after the program's name: 0 is the state, 1 the parent. */
const fieldOf = (pid: string, index: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[index];
  } catch {
    return undefined;
  }
};

const stateOf = (pid: number | undefined): string | undefined => fieldOf(String(pid), 0);

/** A zombie, whose parent has not looked yet, has ended. */
const isAlive = (pid: number): boolean => {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z";
};

const sendQuietly = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
};
