/** The embedded database for a command that stays for a moment: shared with the gateway that runs, or started for the visit alone. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { GatewayError } from "../../errors.ts";
import { connectClient, destroyClient } from "../connect.ts";
import { addressOf, type EmbeddedOptions, supervisorLock } from "../embedded.ts";
import { type Cluster, prepareCluster } from "./cluster.ts";
import { clearStalePid, findPostmaster, lastWords, startPostmaster, stopPostmaster } from "./postmaster.ts";

export type Visit = {
  readonly connectionString: string;
  /** Ends a server that was started for this visit, unless a gateway has taken it over meanwhile. */
  leave(): Promise<void>;
};

/** Recovery after a crash may take its time, ms. */
const readyWithin = 60_000;

/**
 * The visitor never holds the supervisor's lock while it reads, so that a gateway can start meanwhile.
 * @throws GatewayError `recording_unavailable` when no gateway ever ran on this folder, or its server does not start
 */
export const visitEmbedded = async ({ dataDir, log }: EmbeddedOptions): Promise<Visit> => {
  if (!existsSync(resolve(dataDir, "postgres")))
    throw new GatewayError(
      "recording_unavailable",
      `there are no recordings: ${resolve(dataDir, "postgres")} is not there (run this where the gateway runs, or name its database)`,
    );
  const cluster = await prepareCluster(dataDir, log);
  const found = findPostmaster(cluster) !== null;
  if (!found) {
    clearStalePid(cluster);
    startPostmaster(cluster);
  }
  const leave = async (): Promise<void> => {
    if (!found) await stopUnlessTaken(cluster);
  };
  try {
    destroyClient(await connectWhenReady(cluster));
  } catch (error) {
    await leave();
    throw error;
  }
  return { connectionString: addressOf(cluster, "dogwatch"), leave };
};

const connectWhenReady = async (cluster: Cluster): Promise<pg.Client> => {
  const started = Date.now();
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
    try {
      return await connectClient(addressOf(cluster, "dogwatch"), { application_name: "dogwatch visitor" });
    } catch (cause) {
      // 3D000, invalid_catalog_name: the server is there, and no gateway ever made its database.
      const empty = cause instanceof Error && "code" in cause && cause.code === "3D000";
      if (empty) throw new GatewayError("recording_unavailable", "there are no recordings in this folder", { cause });
      if (Date.now() - started > readyWithin || !existsSync(cluster.directory))
        throw new GatewayError(
          "recording_unavailable",
          `the embedded PostgreSQL in ${cluster.directory} does not start:\n${lastWords(cluster)}`,
          { cause },
        );
    }
    await sleep(pause);
  }
};

const stopUnlessTaken = async (cluster: Cluster): Promise<void> => {
  const client = await connectClient(addressOf(cluster, "dogwatch"), { application_name: "dogwatch visitor" }).catch(
    () => null,
  );
  // Where nobody comes in there is no gateway either.
  if (client === null) return stopPostmaster(cluster);
  const { rows } = await client.query<{ free: boolean }>("SELECT pg_try_advisory_lock($1) AS free", [supervisorLock]);
  if (rows[0]?.free === true) await stopPostmaster(cluster);
  destroyClient(client);
};
