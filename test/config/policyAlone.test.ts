/** A `policy:` that stands alone and was written by anybody: nothing that it refers to is looked at, and nothing beside it is taken. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isConfig, parsePolicy } from "../../server/config/load.ts";
import { buildCatalogue } from "../../server/datadog/catalogue.ts";
import { findingsIn } from "../../server/rulebook.ts";

const rest = {
  publicUrl: "https://dogwatch.example.com",
  identity: { issuers: [{ name: "github", issuer: "https://issuer.example.com", allow: "true" }] },
  connections: [{ name: "prod", kind: "live", site: "datadoghq.com", apiKey: "a", appKey: "b" }],
};

const catalogue = buildCatalogue();
const read = (text: string) => parsePolicy(text, rest, (config) => findingsIn(config, catalogue));
const problemsOf = (text: string) => {
  const found = read(text);
  return isConfig(found) ? [] : found;
};

const canary = "canary-51d0c7e2a94b4f0b";
const secretFile = (): string => {
  const file = join(mkdtempSync(join(tmpdir(), "dogwatch-alone-")), "secret");
  writeFileSync(file, canary);
  process.env["DOGWATCH_ALONE_CANARY"] = canary;
  onTestFinished(() => {
    delete process.env["DOGWATCH_ALONE_CANARY"];
  });
  return file;
};

describe("references", () => {
  test.each([
    ["the name of a mask", 'policy: { masks: [{ name: "IT", detect: [email], where: [reply] }] }'],
    ["a detector", 'policy: { masks: [{ name: a, detectors: [{ name: a, pattern: "IT" }], where: [reply] }] }'],
    ["a field", 'policy: { masks: [{ name: a, fields: ["IT"], where: [reply] }] }'],
    ["what becomes of bodies", 'policy: { undecodable: "IT" }'],
    ["a rule's name", 'policy: { rules: [{ name: "IT", effect: allow }] }'],
    ["a condition", "policy: { rules: [{ name: a, effect: allow, when: 'caller.subject == \"IT\"' }] }"],
    ["a caller", 'policy: { rules: [{ name: a, effect: allow, callers: { repository: "IT" } }] }'],
    ["all rules", 'policy: { rules: "IT" }'],
    ["the whole", 'policy: "IT"'],
    ["what an alias repeats", 'policy: { undecodable: &it "IT", rules: [{ name: *it, effect: allow }] }'],
    ["what stands beside it", 'database: "IT"\npolicy: { rules: [] }'],
  ])("in %s are refused, and nothing is said of what they lead to", (_where, text) => {
    const file = secretFile();
    const answers = [
      "${env:DOGWATCH_ALONE_CANARY}",
      "${env:PATH}",
      "${env:NOT_THERE_AT_ALL}",
      `\${file:${file}}`,
      "${file:/etc/hostname}",
      "${file:/not/there/at/all}",
      "${file:.}",
      "x${env:DOGWATCH_ALONE_CANARY}y",
    ].map((reference) => {
      const problems = problemsOf(text.replaceAll("IT", reference));
      expect(problems.length).toBeGreaterThan(0);
      const told = problems.map(({ line, message, path }) => ({ line, message, path }));
      return JSON.stringify(told).replaceAll(JSON.stringify(reference).slice(1, -1), "IT");
    });
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).not.toContain(canary);
  });
});

test("beside the policy nothing is taken: not what would change who comes in, and not what would be another database", () => {
  for (const key of ["identity", "connections", "database", "limits", "github", "publicUrl", "access", "nonsense"])
    expect(problemsOf(`policy: { rules: [] }\n${key}: x\n`)).toEqual([
      { file: "policy", line: 2, column: 1, path: [key], message: "is no part of a policy; leave it out" },
    ]);
});

test.each(["", "[]", "rules: []", "- policy: {}", "just text", "# nothing"])(
  "what has no policy is told what to write: %j",
  (text) => {
    expect(problemsOf(text)).toMatchObject([{ message: expect.stringContaining("the key policy"), line: 1 }]);
  },
);

test.each([
  `policy: ${"[".repeat(50_000)}`,
  "policy: {",
  "\u0000",
  "---\n---\n",
  "policy:",
  "policy: &a { rules: *a }",
  "policy: { rules: [{ name: a, effect: allow }] }\npolicy: {}",
  `policy: { rules: [{ name: a, effect: allow, when: '${"(".repeat(4_000)}true${")".repeat(4_000)}' }] }`,
])("what is broken is a problem with a place: %#", (text) => {
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThan(0);
  for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
});

test("a name of the surroundings is known, and places are those of the text", () => {
  expect(isConfig(read("policy: { rules: [{ name: a, effect: allow }] }"))).toBe(true);
  expect(problemsOf("\n\npolicy:\n  rules:\n    - name: a\n      effect: alow\n")).toMatchObject([
    { line: 6, column: 15, path: ["policy", "rules", 0, "effect"] },
  ]);
});
