/** The section that names the App: put in, changed, and nothing else of the file touched. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type GitHubSection, withGitHubSection } from "../../server/config/githubSection.ts";

const section: GitHubSection = {
  apiUrl: undefined,
  appId: "12345",
  privateKey: "${file:data/github/private-key.pem}",
  webhookSecret: "${file:data/github/webhook-secret}",
  clientId: "Iv23liabc",
  clientSecret: "${file:data/github/client-secret}",
  issues: undefined,
};

const yaml = `github:
  appId: 12345
  privateKey: \${file:data/github/private-key.pem}
  webhookSecret: \${file:data/github/webhook-secret}
  clientId: Iv23liabc
  clientSecret: \${file:data/github/client-secret}
`;

test("it is put at the end, and every character before it stays", () => {
  const text = readFileSync("deploy/dogwatch.example.yaml", "utf8");
  expect(withGitHubSection(text, section, "The App.").text).toBe(`${text.trimEnd()}\n\n# The App.\n${yaml}`);
});

test.each([
  ["an empty file", "", `# The App.\n${yaml}`],
  ["block text at the end", "a: |\n  x\n\n\n", `a: |\n  x\n\n# The App.\n${yaml}`],
  ["anchors", "a: &x { b: 1 }\nc: *x", `a: &x { b: 1 }\nc: *x\n\n# The App.\n${yaml}`],
  ["a section without a value", "github:\na: 1 # one\n", `${yaml}\na: 1 # one\n`],
])("%s", (_what, before, after) => {
  expect(withGitHubSection(before, section, "The App.").text).toBe(after);
});

test("an old section keeps its comments and its other keys, and stays where it is", () => {
  const before = `a: 1   # one
github: # ours
  # the one of May
  appId: 99
  issues: true # for nightly runs
  apiUrl: https://ghe.example.com/api/v3
  privateKey: \${env:KEY}
  webhookSecret: \${env:SECRET}
b: {  c: 2 }
`;
  const { text } = withGitHubSection(before, section, "unused");
  expect(text?.startsWith("a: 1   # one\ngithub:\n")).toBe(true);
  expect(text?.endsWith("\nb: {  c: 2 }\n")).toBe(true);
  for (const kept of ["# ours", "# the one of May", "issues: true # for nightly runs"]) expect(text).toContain(kept);
  expect(parse(text ?? "")).toEqual({
    a: 1,
    b: { c: 2 },
    github: {
      appId: 12_345,
      issues: true,
      privateKey: section.privateKey,
      webhookSecret: section.webhookSecret,
      clientId: "Iv23liabc",
      clientSecret: section.clientSecret,
    },
  });
});

test("a section in one line becomes lines", () => {
  const { text } = withGitHubSection("github: { appId: 1, issues: true }\nb: 2\n", section, "unused");
  expect(parse(text ?? "")).toMatchObject({ b: 2, github: { appId: 12_345, issues: true } });
});

test("another server than github.com is named, and a number that no number holds stays digits", () => {
  const { text } = withGitHubSection(
    "",
    { ...section, apiUrl: "https://ghe.example.com/api/v3", appId: "90071992547409931", issues: true },
    "The App.",
  );
  expect(parse(text ?? "")).toMatchObject({
    github: { apiUrl: "https://ghe.example.com/api/v3", appId: "90071992547409931", issues: true },
  });
});

test.each([
  ["a map in one line", "{ publicUrl: a }\n"],
  ["two documents", "a: 1\n---\nb: 2\n"],
  ["an end mark", "a: 1\n...\n"],
  ["a list", "- a\n"],
  ["no YAML", "a: [\n"],
  ["a key that is there twice", "a: 1\na: 2\n"],
  ["a section that others repeat", "github: &g { appId: 1 }\nb: *g\n"],
])("%s is left alone, and what to put in is given", (_what, before) => {
  const changed = withGitHubSection(before, section, "The App.");
  expect(changed.text).toBeNull();
  expect(changed.yaml).toContain("appId: 12345");
});
