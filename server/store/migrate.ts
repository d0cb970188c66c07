/** Brings the database's tables to what this gateway expects; replicas that start together wait for one another. */

import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type { Log } from "../model/log.ts";
import { connectClient } from "./connect.ts";

/** Any number, but the same for every gateway: `pg_advisory_lock` key under which migrations run. */
const lockValue = 0x646f6777;

export const migrate = async (connectionString: string, log: Log): Promise<void> => {
  const client = await connectClient(connectionString, { application_name: "dogwatch migrations", query_timeout: 0 });
  const silent = () => undefined;
  try {
    const done = await runner({
      dbClient: client,
      dir: fileURLToPath(new URL("migrations", import.meta.url)),
      direction: "up",
      migrationsTable: "migrations",
      // The default, "fail", breaks the start of the second of two replicas.
      advisoryLockMode: "wait",
      lockValue,
      logger: {
        debug: silent,
        info: silent,
        warn: (message) => log.warn({}, message),
        error: (message) => log.error({}, message),
      },
    });
    if (done.length > 0) log.info({ migrations: done.map((migration) => migration.name) }, "database migrated");
  } finally {
    await client.end();
  }
};
