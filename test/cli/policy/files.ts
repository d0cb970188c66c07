/** A folder with a policy and its tests in it, and the commands about them as somebody would run them there. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { testPolicy } from "../../../server/cli/policy/test.ts";
import type { Answer } from "../../../server/cli/answer.ts";

export const now = new Date("2026-05-04T12:00:00Z");

export const policyBlock = `policy:
  rules:
    - name: agents-may-read
      effect: allow
      when: operation.access == "read"
    - name: careful-thresholds
      effect: allow
      when: operation.name == "CreateMonitor" && request.body.options.thresholds.critical < 50
    - name: one-monitor
      effect: allow
      when: operation.name == "CreateMonitor" && request.body.id == 9007199254740993
    - name: no-deletes
      effect: deny
      operations: destructive
    - name: a-few-downtimes
      effect: allow
      operations: CreateDowntime
      during: { days: mon-fri, hours: 09:00-17:00 }
      limit: 20/hour
`;

export const configuration = `publicUrl: https://dogwatch.example.com
database: \${env:DATABASE_URL}
identity:
  issuers:
    - { name: github, issuer: "https://token.actions.githubusercontent.com", allow: 'caller.repository_owner_id == "1234"' }
connections:
  - { name: prod, kind: live, site: datadoghq.com, apiKey: "\${env:DD_API_KEY}", appKey: "\${file:/run/secrets/app-key}" }
  - { name: staging, kind: live, site: datadoghq.eu, apiKey: "\${env:DD_EU_API_KEY}", appKey: "\${env:DD_EU_APP_KEY}" }
`;

export const table = `callers:
  shop: { subject: "repo:acme/shop:ref:refs/heads/main", repository: acme/shop, repository_id: "42", repository_owner_id: "1234" }
connection: prod
tests:
`;

export type Folder = { readonly path: string; write(name: string, text: string): string };

export const folder = (): Folder => {
  const path = mkdtempSync(join(tmpdir(), "dogwatch-policy-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write: (name, text) => {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
  };
};

/** Runs tests (the lines under `tests:`) beside the policy; paths in the output are relative to the folder. */
export const runTable = async (tests: string, { whole = table + tests, json = false } = {}): Promise<Answer> => {
  const files = folder();
  files.write("dogwatch.yaml", configuration + policyBlock);
  const file = files.write("dogwatch.test.yaml", whole);
  const { exitCode, output } = await testPolicy({ file, json, env: {}, now });
  return { exitCode, output: output.replaceAll(`${files.path}/`, "") };
};
