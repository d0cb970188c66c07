/** Starts the run's PostgreSQL before the first test file and stops it after the last. */

import { startDatabase, type TestDatabase } from "./database.ts";

let database: TestDatabase | undefined;

export const setup = async (): Promise<void> => {
  database = await startDatabase();
};

export const teardown = async (): Promise<void> => database?.stop();
