/** docs/dogwatch.schema.json, for editors: current, and of one mind with the loader. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { editorSchema } from "../../server/config/editorSchema.ts";
import { good } from "./example.ts";

const published = JSON.parse(readFileSync(new URL("../../docs/dogwatch.schema.json", import.meta.url), "utf8"));
const complaintsOf = (text: string) => z.fromJSONSchema(published).safeParse(parse(text)).error?.issues ?? [];

test("is current (node scripts/schema.ts writes it)", () => {
  expect(`${JSON.stringify(published, null, 2)}\n`).toBe(editorSchema());
});

test("accepts what the loader accepts, references too", () => {
  expect(complaintsOf(good)).toEqual([]);
  expect(complaintsOf(`${good}listen: \${env:LISTEN}\nhold: 20s\nlimits: { inspect: 8MiB }\n`)).toEqual([]);
});

test("refuses unknown keys, wrong words and a missing allow", () => {
  expect(complaintsOf(`${good}rulse: []\n`)).toMatchObject([{ keys: ["rulse"] }]);
  expect(complaintsOf(good.replace("kind: live", "kind: lvie"))).toMatchObject([{ path: ["connections", 0, "kind"] }]);
  expect(complaintsOf(good.replace(/ +allow:.*\n/, ""))).toMatchObject([{ path: ["identity", "issuers", 0, "allow"] }]);
  expect(complaintsOf(`${good}hold: 50\n`)).toMatchObject([{ path: ["hold"] }]);
});

test("every single setting at the top says what it is for", () => {
  const settings = Object.entries<{ description?: string; type?: string }>(published.properties);
  const silent = settings.filter(([, { type, description }]) => type === "string" && description === undefined);
  expect(silent).toEqual([]);
});
