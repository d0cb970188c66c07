/** Fills a database with calls, as if they had been recorded: copies of one that was, in sessions of a thousand. */

import pg from "pg";

const perSession = 1_000;
const perStatement = 100;

/** `calls`: how many. Triggers that guard receipts are off meanwhile; bodies are shared, and nothing is sealed. */
export const fillHistory = async (connectionString: string, calls: number): Promise<void> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query("SET session_replication_role = replica; SET synchronous_commit = off");
    const columns = async (table: string, own: readonly string[]): Promise<string> => {
      const { rows } = await client.query<{ name: string }>(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table],
      );
      return rows
        .map(({ name }) => name)
        .filter((name) => !own.includes(name))
        .join(", ");
    };
    const ofSessions = await columns("sessions", ["id", "calls", "state", "closed_at", "sealed"]);
    const ofCalls = await columns("calls", ["session_id", "n"]);
    const ofClosings = await columns("closings", ["session_id", "n"]);
    // Ids that follow the first session's: of the same day, and so in the partitions that are there.
    await client.query(`CREATE TEMP TABLE made (id uuid, i int4)`);
    for (let from = 0; from < calls / perSession; from += perStatement) {
      await client.query("TRUNCATE made");
      await client.query(
        `INSERT INTO made SELECT (left(s.id::text, 13) || '-7' || lpad(to_hex($1 / 65536 % 4096), 3, '0') || '-8' || substr(md5(($1 + g)::text), 1, 3) || '-' || substr(md5(($1 + g)::text), 4, 12))::uuid, g
         FROM (SELECT id FROM sessions ORDER BY id LIMIT 1) s, generate_series(1, $2::int4) g`,
        [from, perStatement],
      );
      await client.query(
        `INSERT INTO sessions (id, calls, state, closed_at, sealed, ${ofSessions}) SELECT m.id, ${perSession}, 'closed', now(), true, ${ofFirst(ofSessions)}
         FROM made m, (SELECT * FROM sessions ORDER BY id LIMIT 1) c`,
      );
      for (const [table, names] of [
        ["calls", ofCalls],
        ["closings", ofClosings],
      ] as const)
        await client.query(
          `INSERT INTO ${table} (session_id, n, ${names}) SELECT m.id, k, ${ofFirst(names)} FROM made m, generate_series(1, ${perSession}) k, (SELECT * FROM ${table} ORDER BY session_id, n LIMIT 1) c`,
        );
    }
    await client.query("VACUUM ANALYZE calls; ");
    await client.query("VACUUM ANALYZE closings");
    await client.query("VACUUM ANALYZE sessions");
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
};

const ofFirst = (names: string): string => names.replaceAll(/\w+/g, (name) => `c.${name}`);
