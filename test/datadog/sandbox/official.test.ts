/** The official client, run as a child process as an agent would, gets on with the sandbox. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";

type Line = {
  readonly operation: string;
  readonly ok: boolean;
  readonly status: number | null;
  readonly error?: string;
};

const runOfficial = (url: string): Promise<readonly Line[]> =>
  new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], DATADOG_HOST: url, DD_API_KEY: "an-api-key", DD_APP_KEY: "an-app-key" };
    const program = join(import.meta.dirname, "../../clients/official.mjs");
    execFile(process.execPath, [program], { env }, (_, stdout) => {
      resolve(
        stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Line),
      );
    });
  });

test("answers every operation of the official client's rounds in a shape that it can read", {
  timeout: 60_000,
}, async () => {
  const keys = { apiKey: "an-api-key", appKey: "an-app-key" };
  const { url, close } = await createSandbox({ clock: () => new Date(), keys }).listen();
  const lines = await runOfficial(url);
  await close();
  expect(lines.filter(({ ok }) => !ok)).toEqual([]);
  const operations = new Set(lines.map(({ operation }) => operation));
  expect(operations.size).toBeGreaterThan(100);
  for (const version of ["v1.", "v2."]) {
    expect([...operations].filter((operation) => operation.startsWith(version)).length).toBeGreaterThan(30);
  }
});
