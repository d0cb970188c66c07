/** How a sink stays itself across lost connections: an advisory lock says who lives, a batch's name says what was committed. */

import type pg from "pg";
import type { Link } from "./batch.ts";
import { connectClient, destroyClient } from "./connect.ts";
import { Written } from "./written.ts";

/** First half of the advisory lock's key, `dogw`; the second is the replica's id. */
export const lockClass = 0x646f6777;

/** A statement of a sink is given up after this long, ms, by the server and, a little later, by us. */
const statementTimeout = 1_500;
const queryTimeout = 2_000;

export type Linked = {
  readonly link: Link;
  /** Name of the last batch this replica committed; null when it never did, or is a new one. */
  readonly lastBatch: string | null;
};

/**
 * Connects. With `previous`, the replica whose connection was lost, its old server process is ended first: after that nothing it
 * was doing can still be committed, so that `lastBatch` is the truth about an ambiguous commit.
 */
export const linkReplica = async (connectionString: string, previous: number | null): Promise<Linked> => {
  const client = await connectClient(connectionString, {
    application_name: "dogwatch sink",
    pipeline: true,
    statement_timeout: statementTimeout,
    query_timeout: queryTimeout,
  });
  try {
    await prepareSession(client);
    return (previous === null ? null : await resume(client, previous)) ?? (await enrol(client));
  } catch (error) {
    destroyClient(client);
    throw error;
  }
};

const prepareSession = async (client: pg.Client): Promise<void> => {
  await client.query(`
    SELECT set_config('lock_timeout', '1000', false),
      set_config('idle_in_transaction_session_timeout', '5000', false),
      set_config('tcp_keepalives_idle', '5', false),
      -- Rows are found by key: tables that were empty when a statement was first planned must not stay a scan.
      set_config('enable_seqscan', 'off', false),
      set_config('enable_hashjoin', 'off', false),
      set_config('enable_mergejoin', 'off', false),
      set_config('plan_cache_mode', 'force_generic_plan', false),
      set_config('jit', 'off', false)`);
  await client.query(
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
  );
};

const resume = async (client: pg.Client, replica: number): Promise<Linked | null> => {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND objsubid = 2 AND granted AND pid <> pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [lockClass, replica],
  );
  await client.query("SELECT pg_advisory_lock($1, $2)", [lockClass, replica]);
  const { rows } = await client.query<{ last_batch: string | null }>(
    "UPDATE replicas SET seen_at = clock_timestamp() WHERE id = $1 RETURNING last_batch",
    [replica],
  );
  const [row] = rows;
  return row === undefined ? null : { link: { client, replica, written: new Written() }, lastBatch: row.last_batch };
};

const enrol = async (client: pg.Client): Promise<Linked> => {
  const { rows } = await client.query<{ id: number }>(
    "INSERT INTO replicas (seen_at) VALUES (clock_timestamp()) RETURNING id",
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the database gave no replica id");
  await client.query("SELECT pg_advisory_lock($1, $2)", [lockClass, row.id]);
  return { link: { client, replica: row.id, written: new Written() }, lastBatch: null };
};
