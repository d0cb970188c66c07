/** A connection is given up when the server is silent, and not when this process was. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { connectClient } from "../../server/store/connect.ts";
import { type FreshDatabase, freshDatabase } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

test("a process that was busy with something else while it connected takes no server for silent", async () => {
  const connecting = connectClient(database.connectionString, { application_name: "busy" });
  // As a start that compiles much on a slow machine.
  for (const end = performance.now() + 2_500; performance.now() < end; );
  const client = await connecting;
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await client.end();
});

test("a server that takes a connection and says nothing is given up", async () => {
  const line = await DatabaseLine.to(database.connectionString);
  line.freeze();
  await expect(connectClient(line.connectionString, { application_name: "patient" })).rejects.toThrow(
    "did not answer in time",
  );
  await line.close();
});
