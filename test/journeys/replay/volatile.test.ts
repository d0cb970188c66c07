/** The table of volatile fields speaks of operations that there are, of each field once, and a configuration adds to it by name. */

import { expect, test } from "vitest";
import { buildCatalogue } from "../../../server/datadog/catalogue.ts";
import { volatileFields } from "../../../server/journeys/replay/volatile.ts";
import { volatileTable } from "../../../server/journeys/replay/volatileTable.ts";

const { entries } = buildCatalogue();
const known = new Set(entries.map(({ id }) => id));

test("every operation of the table is in the catalogue", () => {
  const named = volatileTable.flatMap(({ api, operations }) => operations.split(" ").map((name) => `${api}.${name}`));
  expect(named.filter((id) => !known.has(id))).toEqual([]);
});

test("every field is written as a place in an answer is, and every row says why", () => {
  const fields = volatileTable.flatMap((row) => row.fields.split(" "));
  expect(fields.filter((field) => !/^(?:\[\]|[a-z0-9_]+(?:\[\])?)(?:\.[a-z0-9_]+(?:\[\])?)*$/i.test(field))).toEqual(
    [],
  );
  expect(volatileTable.filter(({ reason }) => reason.length < 10)).toEqual([]);
});

test("what a name or a title is, is volatile nowhere", () => {
  const told = [...volatileFields({}, entries).values()].flatMap((fields) => [...fields]);
  const plain = told.filter((field) => /(?:^|\.)(?:name|title|message|query|tags|type|thresholds)$/.test(field));
  expect(plain.filter((field) => !/(?:creator|author|updater)\.name$/.test(field))).toEqual([]);
});

test("a configuration adds fields by an operation's name or whole id, to that operation alone", () => {
  const fields = volatileFields(
    { GetMonitor: ["priority"], "v2.TeamsApi.GetTeam": ["data.attributes.summary"] },
    entries,
  );
  expect(fields.get("v1.MonitorsApi.GetMonitor")).toContain("priority");
  expect(fields.get("v1.MonitorsApi.GetMonitor")).toContain("modified");
  expect(fields.get("v1.MonitorsApi.UpdateMonitor")).not.toContain("priority");
  expect(fields.get("v2.TeamsApi.GetTeam")).toContain("data.attributes.summary");
});
