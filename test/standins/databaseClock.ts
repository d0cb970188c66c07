/**
 * PostgreSQL's clock, set from a test: the machine's own is everybody's. In a database that was made with it, `now()` and `clock_timestamp()`
 * are found in `public` before the server's own, by everything that is executed there: statements, functions, triggers and defaults.
 */

import { migrate } from "../../server/store/migrate.ts";
import { quietLog } from "./database.ts";
import { Postgres, withoutFsync } from "./postgres.ts";

const setting = `
  CREATE TABLE public.clock (off interval NOT NULL);
  INSERT INTO public.clock VALUES ('0');
  CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + off FROM public.clock';
  CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT pg_catalog.now() + off FROM public.clock'`;

/** With a migrated database `dogwatch` whose clock can be set. */
export const postgresWithClock = async (): Promise<Postgres> => {
  const server = await Postgres.start({ settings: withoutFsync });
  await server.run("DROP DATABASE dogwatch", "postgres");
  await server.run("CREATE DATABASE dogwatch", "postgres");
  // What is not named is searched first, so the server's own functions have to be named to come second.
  await server.run("ALTER DATABASE dogwatch SET search_path = public, pg_catalog", "postgres");
  await server.run(setting);
  await migrate(server.connectionString, quietLog);
  return server;
};

/** For every statement from now on, on every connection. */
export const setDatabaseClock = async (server: Postgres, minutes: number): Promise<void> => {
  await server.run(`UPDATE public.clock SET off = interval '${minutes} minutes'`);
};

/** Columns and functions that would still read the server's own clock. */
export const unsetClocks = async (server: Postgres): Promise<readonly string[]> => {
  const found = await server.run<{ name: string }>(`
    SELECT c.relname || '.' || a.attname AS name FROM pg_attrdef d
    JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE c.relnamespace = 'public'::regnamespace
      AND pg_get_expr(d.adbin, d.adrelid) ~* 'pg_catalog\\.(now|clock_timestamp)\\(|current_timestamp|localtime|current_date|statement_timestamp|transaction_timestamp'
    UNION ALL
    SELECT p.proname FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname NOT IN ('now', 'clock_timestamp')
      AND coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) ~* 'pg_catalog\\.(now|clock_timestamp)\\(|current_timestamp|localtime|current_date|statement_timestamp|transaction_timestamp'`);
  return found.map(({ name }) => name);
};
