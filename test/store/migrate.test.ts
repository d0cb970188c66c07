/** Several gateways that start at once on an empty database all find it migrated. */

import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyDatabase, type FreshDatabase } from "../standins/database.ts";
import { startChild } from "./child.ts";

let database: FreshDatabase;
beforeAll(async () => {
  database = await emptyDatabase();
});
afterAll(() => database.drop());

test("three processes migrate an empty database at the same moment", async () => {
  const children = await Promise.all([1, 2, 3].map(() => startChild(["database", database.connectionString])));
  expect(children.map(({ said }) => said.error)).toEqual([undefined, undefined, undefined]);
  const files = readdirSync(new URL("../../server/store/migrations", import.meta.url));
  const names = files
    .map((file) => ({ name: file.replace(/\.sql$/, "") }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(await database.query("SELECT name FROM migrations ORDER BY id")).toEqual(names);
  await Promise.all(children.map((child) => child.end("SIGTERM")));
});
