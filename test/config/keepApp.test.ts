/** What is stored of a new App: whole or not at all, for one user alone, and never over another one. */

import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppIsThere, hasKeptApp, keepApp, type Keeping, whyNotKept } from "../../server/config/keepApp.ts";
import { isConfig, loadConfig } from "../../server/config/load.ts";
import { Secret } from "../../server/model/connection.ts";
import type { CreatedApp } from "../../server/model/gitHubApp.ts";

const app: CreatedApp = {
  appId: "12345",
  slug: "dogwatch",
  name: "Dogwatch",
  owner: "acme",
  url: "https://github.com/apps/dogwatch",
  apiUrl: "https://api.github.com",
  clientId: "Iv23liabc",
  clientSecret: new Secret("the-client-secret"),
  webhookSecret: new Secret("the-webhook-secret"),
  privateKey: new Secret("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n"),
};

const text = `publicUrl: https://dogwatch.example.com
identity:
  issuers: [{ name: x, issuer: "https://issuer.example", allow: "true" }]
connections:
  - { name: x, kind: live, site: datadoghq.com, apiKey: a, appKey: b }
`;

let folder: string;
let keeping: Keeping;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-keep-"));
  keeping = { file: join(folder, "dogwatch.yaml"), dataDir: join(folder, "data"), env: {}, issues: false };
  writeFileSync(keeping.file, text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("beside the configuration files are named relative to it, elsewhere whole", () => {
  expect(keepApp(app, keeping, "refuse").yaml).toContain("privateKey: ${file:data/github/private-key.pem}");
  const elsewhere = mkdtempSync(join(tmpdir(), "dogwatch-data-"));
  try {
    expect(keepApp(app, { ...keeping, dataDir: elsewhere }, "refuse").yaml).toContain(
      `privateKey: \${file:${elsewhere}/github/private-key.pem}`,
    );
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("the configuration names it, can be used, and nothing half made is left", () => {
  expect(keepApp(app, keeping, "refuse")).toMatchObject({ before: null, unwritten: null });
  const config = loadConfig(keeping.file, {});
  expect(isConfig(config) && config.github).toMatchObject({ appId: "12345", clientId: "Iv23liabc", issues: false });
  expect(readdirSync(folder).toSorted()).toEqual(["data", "dogwatch.yaml"]);
  expect(readdirSync(keeping.dataDir)).toEqual(["github"]);
  expect(JSON.parse(readFileSync(join(keeping.dataDir, "github/app.json"), "utf8"))).toEqual({
    app_id: "12345",
    slug: "dogwatch",
    name: "Dogwatch",
    owner: "acme",
    url: app.url,
    api_url: app.apiUrl,
    client_id: "Iv23liabc",
  });
});

test("another App is refused before anything is touched", () => {
  keepApp(app, keeping, "refuse");
  const before = readFileSync(keeping.file, "utf8");
  expect(hasKeptApp(keeping.dataDir)).toBe(true);
  expect(() => keepApp({ ...app, appId: "2" }, keeping, "refuse")).toThrow(AppIsThere);
  expect(readFileSync(keeping.file, "utf8")).toBe(before);
  expect(readdirSync(keeping.dataDir)).toEqual(["github"]);
});

test("a configuration that could not be used with it is not written", () => {
  writeFileSync(keeping.file, text.replace("kind: live", "kind: lvie"));
  const kept = keepApp(app, keeping, "refuse");
  expect(kept.unwritten).toMatch(/with it .*dogwatch\.yaml could not be used: .*connections\.0\.kind/);
  expect(readFileSync(keeping.file, "utf8")).not.toContain("github");
  expect(existsSync(join(keeping.dataDir, "github/private-key.pem"))).toBe(true);
});

test("a folder that is a file is said beforehand, and nothing is left of the try", () => {
  expect(whyNotKept(keeping.dataDir)).toBeNull();
  expect(readdirSync(keeping.dataDir)).toEqual([]);
  rmSync(keeping.dataDir, { recursive: true });
  writeFileSync(keeping.dataDir, "");
  expect(whyNotKept(keeping.dataDir)).toMatch(/cannot be made/);
});

test.skipIf(process.getuid?.() !== 0)("what root stores belongs to whoever the folder belongs to", () => {
  mkdirSync(keeping.dataDir);
  chownSync(keeping.dataDir, 1234, 1234);
  keepApp(app, keeping, "refuse");
  for (const name of ["github", "github/private-key.pem", "github/client-secret"])
    expect(statSync(join(keeping.dataDir, name)).uid).toBe(1234);
});
