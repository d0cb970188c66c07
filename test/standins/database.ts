/** One embedded PostgreSQL for a whole run of tests, and a database of its own for each file that asks. */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Log } from "../../server/model/log.ts";
import { startEmbedded } from "../../server/store/embedded.ts";
import { migrate } from "../../server/store/migrate.ts";

/** Where the run's server is, for the processes of the tests; set by global-database.ts. */
const variable = "DOGWATCH_TEST_DATABASE";
const template = "dogwatch_template";

export const quietLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export type TestDatabase = { readonly connectionString: string; stop(): Promise<void> };

/** Starts a server with a migrated template in it. Slow (two seconds): once a run. */
export const startDatabase = async (): Promise<TestDatabase> => {
  const dataDir = await mkdtemp(join(tmpdir(), "dogwatch-test-"));
  const embedded = await startEmbedded({ dataDir, log: quietLog });
  await offerDatabase(embedded.connectionString);
  return {
    connectionString: embedded.connectionString,
    stop: async () => {
      delete process.env[variable];
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Of the server at this address everybody's databases are made from now on. */
export const offerDatabase = async (connectionString: string): Promise<void> => {
  await administer(connectionString, `CREATE DATABASE ${template}`);
  await migrate(named(connectionString, template), quietLog);
  process.env[variable] = connectionString;
};

export type FreshDatabase = {
  readonly connectionString: string;
  /** A plain connection, to look behind the store's back. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
};

/** A migrated database without rows, copied from the template. Call it in `beforeAll`, and `drop` it in `afterAll`. */
export const freshDatabase = (): Promise<FreshDatabase> => createDatabase(template);

/** A database in which no gateway ever was. */
export const emptyDatabase = (): Promise<FreshDatabase> => createDatabase("template1");

const createDatabase = async (template: string): Promise<FreshDatabase> => {
  const server = process.env[variable];
  if (server === undefined) throw new Error(`${variable} is not set: test/standins/global-database.ts did not run`);
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await copyDatabase(server, { name, template });
  const connectionString = named(server, name);
  const pool = new pg.Pool({ connectionString, max: 2 });
  pool.on("error", () => undefined);
  return {
    connectionString,
    query: async (text, values) => (await pool.query(text, values)).rows,
    drop: async () => {
      await pool.end();
      await administer(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
};

/** A template can be copied by one at a time (55006, object_in_use): the next in line tries again. */
const copyDatabase = async (server: string, { name, template }: { name: string; template: string }): Promise<void> => {
  for (let tries = 0; ; tries++)
    try {
      return await administer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    } catch (error) {
      await sleep(20);
      if (tries === 500 || !(error instanceof Error && "code" in error && error.code === "55006")) throw error;
    }
};

const administer = async (connectionString: string, command: string): Promise<void> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
};

export const named = (connectionString: string, database: string): string =>
  connectionString.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
