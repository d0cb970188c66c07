/** `dogwatch serve`, started by people whose machine is not ready for it: one line says what is wrong and how to mend it. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { isOpenToOthers, nobody } from "../demo/newcomer.ts";
import { freePort } from "../standins/freePort.ts";
import { type Finished, runToEnd } from "../standins/job.ts";
import { scratchFolder } from "../standins/scratch.ts";

const main = fileURLToPath(new URL("../../server/main.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = scratchFolder("dogwatch-serve-");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

/** A file with these lines and a good rest. */
const configuration = (lines: string): string => {
  const file = join(folder, "dogwatch.yaml");
  writeFileSync(
    file,
    `publicUrl: http://127.0.0.1:8080
${lines}
identity:
  issuers: [{ name: github, issuer: "https://token.actions.githubusercontent.com", allow: 'caller.repository_owner_id == "1"' }]
connections: [{ name: prod, kind: live, site: datadoghq.com, apiKey: hunter2-api, appKey: hunter2-app }]
`,
  );
  return file;
};

const served = (lines: string): Promise<Finished> => dogwatch("serve", "--config", configuration(lines));

const dogwatch = (...args: string[]): Promise<Finished> => runToEnd(process.execPath, [main, ...args], process.env);

const expectLine = ({ code, out }: Finished, line: string | RegExp): void => {
  const complaints = out.split("\n").filter((said) => said !== "" && !said.startsWith("{"));
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toMatch(line);
  expect(out).not.toContain("hunter2");
  expect(code).toBe(2);
};

test("no configuration: where to begin", async () => {
  expectLine(
    await dogwatch("serve", "--config", join(folder, "x.yaml")),
    /x\.yaml is not there: .*deploy\/dogwatch\.example\.yaml/,
  );
});

test("a wrong configuration: file, line, column and the fix", async () => {
  expectLine(await served("listne: 127.0.0.1:0"), /dogwatch\.yaml:2:1 listne: unknown key; did you mean listen\?/);
});

test("a port that is taken: which one, and nothing is left running", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const ended = await served(`listen: 127.0.0.1:${port}\ndataDir: ${join(folder, "data")}`);
  expectLine(ended, `dogwatch: 127.0.0.1:${port} is taken by another program: stop that one, or give \`listen\` in`);
  expect(readdirSync(join(folder, "data/postgres/cluster"))).not.toContain("postmaster.pid");
});

test("an address that is not this machine's", async () => {
  const ended = await served(`listen: 203.0.113.9:8080\ndataDir: ${join(folder, "data")}`);
  expectLine(
    ended,
    /dogwatch: 203\.0\.113\.9:8080 is no address of this machine: correct `listen` in .*dogwatch\.yaml/,
  );
});

test("a database that cannot be reached: which key names it, and not its password", async () => {
  const ended = await served("database: postgres://dogwatch:hunter2@127.0.0.1:1/dogwatch");
  expectLine(
    ended,
    /dogwatch: the database cannot be used: connect ECONNREFUSED 127\.0\.0\.1:1\. .*`database` in .*dogwatch\.yaml/,
  );
});

test("a data folder that is a file", async () => {
  writeFileSync(join(folder, "data"), "");
  const ended = await served(`listen: 127.0.0.1:0\ndataDir: ${join(folder, "data")}`);
  expectLine(ended, /dogwatch: .*\/data cannot be used \(EEXIST\): .*`dataDir` in .*dogwatch\.yaml/);
});

test("a data folder that belongs to somebody else", async ({ skip }) => {
  skip(process.getuid?.() !== 0, "only root can be somebody else");
  skip(!isOpenToOthers(), "a plain user cannot come into this checkout");
  mkdirSync(join(folder, "closed"), { mode: 0o755 });
  chmodSync(folder, 0o755);
  const file = configuration(`listen: 127.0.0.1:0\ndataDir: ${join(folder, "closed/data")}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "serve", "--config", file], {
    ...nobody,
    encoding: "utf8",
  });
  expectLine(
    { code: status, signal: null, out: stdout + stderr },
    /dogwatch: .*\/closed\/data cannot be used \(EACCES\): give it to the user who runs Dogwatch/,
  );
});

test.each([["nonsense"], ["serve", "--confg", "x"], ["run", "--", "true"], ["check", "a", "b"]])(
  "wrong usage is exit code 2: dogwatch %s %s",
  async (...args) => {
    const ended = await dogwatch(...args);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(/^error: /);
  },
);

test.each([[], ["serve"], ["check"], ["run"], ["demo"]])("help of dogwatch %s", async (...command) => {
  const ended = await dogwatch(...command, "--help");
  expect(ended.code).toBe(0);
  expect(ended.out).toMatch(/^Usage: dogwatch/);
});

test("a log that finds no room on its disk keeps the gateway neither from serving nor from ending", async ({
  skip,
}) => {
  if (!existsSync("/dev/full")) skip("this system has no /dev/full");
  const port = await freePort();
  const file = configuration(`listen: 127.0.0.1:${port}\ndataDir: ${join(folder, "data")}`);
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  const child = spawn(process.execPath, [main, "serve", "--config", file], { stdio: ["ignore", full, "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const ask = async (): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status ?? 0;
  await expect.poll(ask, { timeout: 60_000 }).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
