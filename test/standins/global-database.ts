/** Starts the run's PostgreSQL before the first test file and stops it after the last. Compiles the gateway once, for those that are killed before they keep what they compiled. */

import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { offerDatabase } from "./database.ts";
import { Postgres, withoutFsync } from "./postgres.ts";

const gateway = pathToFileURL(join(import.meta.dirname, "../../server/cli/serve.ts"));
let server: Postgres | undefined;

export const setup = async (): Promise<void> => {
  execFileSync(process.execPath, ["--eval", `import(${JSON.stringify(gateway.href)})`]);
  server = await Postgres.start({ settings: withoutFsync });
  await offerDatabase(server.connectionString);
};

export const teardown = async (): Promise<void> => server?.stop();
