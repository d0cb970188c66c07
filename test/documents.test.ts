/** Every configuration in the documents is one that the gateway takes, and every code and command they explain exists. */

import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { formatProblem } from "../server/config/load.ts";
import { buildCatalogue } from "../server/datadog/catalogue.ts";
import { statusOf, tokenCodes } from "../server/errors.ts";
import { readRulebook } from "../server/rulebook.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(root + file, "utf8");

const env = {
  DD_API_KEY: "a",
  DD_APP_KEY: "b",
  DOGWATCH_OPS_TOKEN: "c".repeat(32),
  DOGWATCH_MASK_KEYS: Buffer.alloc(48, "m").toString("base64"),
  DATABASE_URL: "postgres://localhost/dogwatch",
  OKTA_CLIENT_SECRET: "d",
};

/** What a fragment is completed with. */
const rest = {
  identity: { issuers: [{ name: "x", issuer: "https://issuer.example", allow: "true" }] },
  connections: [{ name: "x", kind: "live", site: "datadoghq.com", apiKey: "a", appKey: "b" }],
  publicUrl: "https://dogwatch.example.com",
};

const documents = globSync(["*.md", "docs/*.md"], { cwd: root });
const configurations = [
  { name: "deploy/dogwatch.example.yaml", text: read("deploy/dogwatch.example.yaml") },
  ...documents.flatMap((document) =>
    [...read(document).matchAll(/```yaml\n([\s\S]*?)```/g)]
      .map(([, text = ""], index) => ({ name: `${document}, block ${index + 1}`, text }))
      .filter(({ text }) => /^(publicUrl|identity|policy|connections):/m.test(text)),
  ),
];

test("there are configurations in the documents", () => {
  expect(configurations.length).toBeGreaterThanOrEqual(5);
});

test.each(configurations)("the gateway takes the configuration of $name", ({ text }) => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-documents-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "dogwatch.yaml");
  writeFileSync(file, stringify({ ...rest, ...(parse(text) as object) }));
  const rulebook = readRulebook(file, env, buildCatalogue());
  expect(Array.isArray(rulebook) ? rulebook.map(formatProblem) : []).toEqual([]);
});

test("docs/errors.md explains every code", () => {
  const explained = read("docs/errors.md");
  expect([...Object.keys(statusOf), ...tokenCodes].filter((code) => !explained.includes(`\`${code}\``))).toEqual([]);
});

test("docs/errors.md gives every code its status", () => {
  const rows = [...read("docs/errors.md").matchAll(/^\| (`.*?`) \| (\d{3}) \|/gm)];
  const wrong = rows.flatMap(([, codes = "", status = ""]) =>
    [...codes.matchAll(/`(\w+)`/g)]
      .filter(([, code = ""]) => statusOf[code as keyof typeof statusOf] !== Number(status))
      .map(([, code]) => code),
  );
  expect(wrong).toEqual([]);
});

test("docs/github-action.md describes every input and output of action.yml", () => {
  const action = parse(read("action.yml")) as { inputs: object; outputs: object };
  const described = read("docs/github-action.md");
  expect(
    [...Object.keys(action.inputs), ...Object.keys(action.outputs)].filter(
      (name) => !described.includes(`\`${name}\``),
    ),
  ).toEqual([]);
});

test("docs/configuration.md describes every top-level key", () => {
  const schema = JSON.parse(read("docs/dogwatch.schema.json")) as { properties: object };
  const described = read("docs/configuration.md");
  expect(Object.keys(schema.properties).filter((name) => !described.includes(`\`${name}`))).toEqual([]);
});

test("every npm script that a document names is there", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = documents.flatMap((document) =>
    [...read(document).matchAll(/`npm run ([\w-]+)/g)].map(([, name = ""]) => name),
  );
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
