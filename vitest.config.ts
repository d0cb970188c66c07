/** How the tests run: four processes at a time, since most of them wait most of the time, one PostgreSQL for all of them, nothing retried. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./scripts/longFirst.ts";
import { tally } from "./scripts/tally.ts";

// Of the gateways that tests start half the time would go into compiling the same code again.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compiled");

const database = "test/standins/global-database.ts";
const tallyFile = process.env["DOGWATCH_TALLY"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: existsSync(database) ? [database] : [],
    pool: "forks",
    maxWorkers: 4,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // What is waited for comes soon; how soon is no test's business.
    expect: { poll: { timeout: 30_000 } },
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // The order of files must never matter: it changes with every run, and the seed is printed.
    sequence: { shuffle: { files: true, tests: false }, sequencer: LongFirst },
    reporters: tallyFile === undefined ? ["default"] : ["default", tally(tallyFile)],
  },
});
