/** How the tests run: four processes at a time, since most of them wait most of the time, one PostgreSQL for all of them, nothing retried. */

import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { tally } from "./scripts/tally.ts";

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
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // The order of files must never matter: it changes with every run, and the seed is printed.
    sequence: { shuffle: { files: true, tests: false } },
    reporters: tallyFile === undefined ? ["default"] : ["default", tally(tallyFile)],
  },
});
