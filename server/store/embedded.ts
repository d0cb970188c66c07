/** An embedded PostgreSQL that is always there: started or adopted, watched, started again, stopped with the gateway. */

import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Log } from "../model/log.ts";
import { connectClient, destroyClient } from "./connect.ts";
import { type Cluster, prepareCluster } from "./embedded/cluster.ts";
import { clearStalePid, findPostmaster, lastWords, startPostmaster, stopPostmaster } from "./embedded/postmaster.ts";

export type EmbeddedOptions = {
  /** Its files are under `postgres/` in it. */
  readonly dataDir: string;
  readonly log: Log;
  /** How long the server may take until it can be asked, ms; default: a minute, as recovery after a crash may take its time. */
  readonly readyWithin?: number;
};

export type Embedded = {
  readonly connectionString: string;
  /** Ends the server. */
  stop(): Promise<void>;
};

/** The connection of a gateway that was killed is noticed well within this, ms. */
const freeWithin = 3_000;
/** `pg_advisory_lock` key of whoever supervises: `dogS`. */
export const supervisorLock = 0x646f6753;
const name = "dogwatch supervisor, process ";

/**
 * The server survives a kill of the gateway and is adopted by the next one. Which gateway it belongs to is told by a lock in the
 * database itself, which ends with its owner.
 * @throws Error naming the other gateway's process when two want the same folder
 */
export const startEmbedded = async ({ dataDir, log, readyWithin = 60_000 }: EmbeddedOptions): Promise<Embedded> => {
  const cluster = await prepareCluster(dataDir, log);
  const supervisor = new Supervisor(cluster, { log, readyWithin });
  await supervisor.start();
  return { connectionString: addressOf(cluster, "dogwatch"), stop: () => supervisor.stop() };
};

export const addressOf = ({ sockets, password }: Cluster, database: string): string =>
  `postgresql://dogwatch:${password}@${encodeURIComponent(sockets)}:5432/${database}`;

class Supervisor {
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #readyWithin: number;
  /** Holds the lock, and its end is how a death of the server is noticed. */
  #client: pg.Client | null = null;
  #stopping = false;
  #hasStarted = false;
  #reviving: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, { log, readyWithin }: Required<Pick<EmbeddedOptions, "log" | "readyWithin">>) {
    this.#cluster = cluster;
    this.#log = log;
    this.#readyWithin = readyWithin;
  }

  async start(): Promise<void> {
    const started = await this.#bringUp().catch(async (error: unknown) => {
      // Nobody could come to it, so that it is nobody else's.
      if (this.#hasStarted) await stopPostmaster(this.#cluster);
      throw error;
    });
    try {
      await this.#claim(started);
    } catch (error) {
      started.client.connection.stream.destroy();
      throw error;
    }
    this.#watch(started.client);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#reviving;
    if (this.#client !== null) destroyClient(this.#client);
    await stopPostmaster(this.#cluster);
    await rm(this.#cluster.sockets, { recursive: true, force: true });
  }

  /** A server that takes connections: the one that is there, or a new one. */
  async #bringUp(): Promise<{ client: pg.Client }> {
    const started = Date.now();
    let exited = true;
    for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
      if (exited && findPostmaster(this.#cluster) === null) {
        clearStalePid(this.#cluster);
        exited = false;
        this.#hasStarted = true;
        startPostmaster(this.#cluster).once("exit", () => {
          exited = true;
        });
      }
      try {
        return { client: await this.#connect() };
      } catch (cause) {
        if (this.#stopping || Date.now() - started > this.#readyWithin) throw this.#explain(cause);
      }
      await sleep(pause);
    }
  }

  async #connect(): Promise<pg.Client> {
    await makeDatabase(this.#cluster);
    return connectClient(addressOf(this.#cluster, "dogwatch"), { application_name: `${name}${process.pid}` });
  }

  #explain(cause: unknown): Error {
    const words = lastWords(this.#cluster);
    return new Error(`the embedded PostgreSQL in ${this.#cluster.directory} does not start:\n${words}`, { cause });
  }

  async #claim({ client }: { client: pg.Client }): Promise<void> {
    for (let waited = 0; ; waited += 100) {
      const { rows } = await client.query<{ mine: boolean }>("SELECT pg_try_advisory_lock($1) AS mine", [
        supervisorLock,
      ]);
      if (rows[0]?.mine === true) return;
      if (waited >= freeWithin) break;
      await sleep(100);
    }
    const { rows } = await client.query<{ name: string }>(
      `SELECT a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = $1 AND l.granted`,
      [supervisorLock],
    );
    const other = rows[0]?.name.replace(name, "") ?? "unknown";
    throw new Error(
      `another gateway (process ${other}) has its database in ${this.#cluster.directory}: stop it, or run this one in another folder or with \`database:\` set`,
    );
  }

  #watch(client: pg.Client): void {
    this.#client = client;
    client.once("end", () => {
      if (this.#stopping) return;
      this.#log.error({ log: lastWords(this.#cluster) }, "the embedded PostgreSQL went away; starting it again");
      this.#reviving = this.#revive();
    });
  }

  async #revive(): Promise<void> {
    while (!this.#stopping) {
      try {
        const revived = await this.#bringUp();
        await this.#claim(revived);
        this.#log.info({}, "the embedded PostgreSQL is back");
        return this.#watch(revived.client);
      } catch (error) {
        if (!this.#stopping)
          this.#log.error({ err: error }, "the embedded PostgreSQL does not come back; trying again");
        await sleep(500);
      }
    }
  }
}

/** @throws whatever connecting to a server throws that is not ready yet */
const makeDatabase = async (cluster: Cluster): Promise<void> => {
  const client = await connectClient(addressOf(cluster, "postgres"), {
    application_name: "dogwatch setup",
    query_timeout: 30_000,
  });
  try {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = 'dogwatch'");
    if (rowCount === 0) await client.query("CREATE DATABASE dogwatch");
  } catch (error) {
    // 42P04, duplicate_database: another gateway that starts at the same moment was faster.
    if (!(error instanceof Error && "code" in error && error.code === "42P04")) throw error;
  } finally {
    destroyClient(client);
  }
};
