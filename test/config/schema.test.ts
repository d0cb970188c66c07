/** docs/dogwatch.schema.json, for editors: current, and of one mind with the loader. */

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { editorSchema } from "../../server/config/editorSchema.ts";
import { good } from "./example.ts";

const valid = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(editorSchema()));

test("is current (node scripts/schema.ts writes it)", () => {
  expect(readFileSync(new URL("../../docs/dogwatch.schema.json", import.meta.url), "utf8")).toBe(editorSchema());
});

test("accepts what the loader accepts, references too", () => {
  expect(valid(parse(good)), JSON.stringify(valid.errors)).toBe(true);
  expect(valid(parse(`${good}listen: \${env:LISTEN}\nhold: 20s\nlimits: { inspect: 8MiB }\n`))).toBe(true);
});

test("refuses unknown keys, wrong words and a missing allow", () => {
  expect(valid(parse(`${good}rulse: []\n`))).toBe(false);
  expect(valid(parse(good.replace("kind: live", "kind: lvie")))).toBe(false);
  expect(valid(parse(good.replace(/ +allow:.*\n/, "")))).toBe(false);
  expect(valid(parse(`${good}hold: 50\n`))).toBe(false);
});

test("every key says what it is for", () => {
  const schema = JSON.parse(editorSchema());
  for (const [key, member] of Object.entries<{ description?: string; type?: string }>(schema.properties))
    if (member.type !== "object" && member.type !== "array") expect(member.description, key).toMatch(/\w/);
});
