/** `dogwatch policy …` as a process: exit codes, what goes to which stream, and help with examples. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { configuration, folder, policyBlock, table } from "./files.ts";

const main = fileURLToPath(new URL("../../../server/main.ts", import.meta.url));

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

const dogwatch = (cwd: string, ...words: string[]): Promise<Ran> => ran(start(cwd, words));

const start = (cwd: string, words: readonly string[]) =>
  spawn(process.execPath, [main, "policy", ...words], { cwd, stdio: ["ignore", "pipe", "pipe"] });

const ran = (child: ReturnType<typeof start>): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...said }));
  });

const here = () => {
  const files = folder();
  files.write("dogwatch.yaml", configuration.replace(/^database.*\n/m, "dataDir: data\n") + policyBlock);
  files.write("dogwatch.test.yaml", `${table}  - { name: a, request: GET /api/v1/monitor, expect: allow }\n`);
  files.write(
    "failing.test.yaml",
    `policy: dogwatch.yaml\n${table}  - { name: a, request: GET /api/v1/monitor, expect: deny }\n`,
  );
  return files.path;
};

test("test: 0 when all pass, 1 when one does not, 2 when there is no such file", async () => {
  const cwd = here();
  const [good, bad, none] = await Promise.all([
    dogwatch(cwd, "test"),
    dogwatch(cwd, "test", "failing.test.yaml", "--json"),
    dogwatch(cwd, "test", "other.test.yaml"),
  ]);
  expect(good).toEqual({ code: 0, out: "1 passed, 0 failed\n", err: "" });
  expect(bad).toMatchObject({ code: 1, err: "" });
  expect(JSON.parse(bad.out)).toMatchObject({ failed: 1 });
  expect(none).toMatchObject({ code: 2, out: "" });
  expect(none.err).toContain("other.test.yaml is not there");
});

test("backtest and suggest: 3 when there are no recordings to be reached, 2 when used wrongly", async () => {
  const cwd = here();
  const [embedded, unreachable, usage] = await Promise.all([
    dogwatch(cwd, "suggest", "--since", "7d"),
    dogwatch(cwd, "backtest", "dogwatch.yaml", "--database", "postgres://x@127.0.0.1:1/x"),
    dogwatch(cwd, "backtest"),
  ]);
  expect(embedded).toMatchObject({ code: 3, out: "" });
  expect(embedded.err).toContain("there are no recordings");
  expect(unreachable).toMatchObject({ code: 3, out: "" });
  expect(unreachable.err).toMatch(/^the database cannot be reached: /);
  expect(usage).toMatchObject({ code: 2, out: "" });
});

/** A folder in which a gateway was killed before it had recorded anything. */
const begun = () => {
  const cwd = here();
  mkdirSync(join(cwd, "data/postgres"), { recursive: true });
  const pidFile = join(cwd, "data/postgres/cluster/postmaster.pid");
  onTestFinished(() => {
    if (existsSync(pidFile)) process.kill(Number.parseInt(readFileSync(pidFile, "utf8"), 10), "SIGQUIT");
  });
  return { cwd, pidFile };
};

test("suggest ends the database that it has started where there is nothing in it", async () => {
  const { cwd, pidFile } = begun();
  const ended = await dogwatch(cwd, "suggest", "--since", "7d");
  expect(ended).toMatchObject({
    code: 3,
    out: "",
    err: expect.stringContaining("there are no recordings in this folder"),
  });
  expect(existsSync(pidFile)).toBe(false);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("suggest that gets a %s ends the database that it has started", async (signal, code) => {
  const { cwd, pidFile } = begun();
  const child = start(cwd, ["suggest", "--since", "7d"]);
  const ended = ran(child);
  await expect.poll(() => existsSync(pidFile), { timeout: 60_000, interval: 5 }).toBe(true);
  child.kill(signal);
  expect(await ended).toMatchObject({ code, out: "" });
  expect(existsSync(pidFile)).toBe(false);
});

describe("--help has an example and the exit codes", () => {
  test.each(["test", "backtest", "suggest"])("of %s", async (command) => {
    const { code, out } = await dogwatch(here(), command, "--help");
    expect(code).toBe(0);
    expect(out).toContain(`dogwatch policy ${command} `);
    expect(out).toContain("Exit codes: 0 done");
  });
});
