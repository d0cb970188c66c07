/** A small configuration that is right, and a folder to put variations of it into. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { formatProblem, isConfig, loadConfig, type Examine } from "../../server/config/load.ts";
import type { Config } from "../../server/model/config.ts";

export const good = `publicUrl: https://dogwatch.example.com
identity:
  issuers:
    - name: github
      issuer: https://token.actions.githubusercontent.com
      allow: caller.repository_owner_id == "1234"
connections:
  - { name: prod, kind: live, site: datadoghq.com, apiKey: "\${env:DD_API_KEY}", appKey: "\${env:DD_APP_KEY}" }
policy:
  rules:
    - name: agents-may-read
      effect: allow
      when: operation.access == "read"
`;

export const env = {
  DD_API_KEY: "api-key-value",
  DD_APP_KEY: "app-key-value",
  EMPTY: "",
  OPS: "ops-token-of-thirty-two-letters!",
};

export const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), "dogwatch-config-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const fileWith = (text: string): string => {
  const file = join(folder(), "dogwatch.yaml");
  writeFileSync(file, text);
  return file;
};

export const load = (text: string, examine?: Examine): Config => {
  const loaded = loadConfig(fileWith(text), env, examine);
  if (!isConfig(loaded)) throw new Error(loaded.map(formatProblem).join("\n"));
  return loaded;
};

/** `5:13 policy.rules.0.when: …` for every problem. */
export const problems = (text: string, examine?: Examine): string[] => {
  const file = fileWith(text);
  const loaded = loadConfig(file, env, examine);
  return isConfig(loaded) ? [] : loaded.map((problem) => formatProblem(problem).slice(file.length + 1));
};
