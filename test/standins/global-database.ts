/** Starts the run's PostgreSQL before the first test file and stops it after the last. Compiles the gateway once, for those that are killed before they keep what they compiled. */

import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { startDatabase, type TestDatabase } from "./database.ts";

const gateway = pathToFileURL(join(import.meta.dirname, "../../server/cli/serve.ts"));
let database: TestDatabase | undefined;

export const setup = async (): Promise<void> => {
  execFileSync(process.execPath, ["--eval", `import(${JSON.stringify(gateway.href)})`]);
  database = await startDatabase();
};

export const teardown = async (): Promise<void> => database?.stop();
