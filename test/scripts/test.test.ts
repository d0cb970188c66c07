/** `npm test` sums up every check and every test, and says so in its last line and its exit code. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Checkout } from "./checkout.ts";

type Tally = { passed: number; failed: number; skipped: { test: string; reason: string }[]; broken: string[] };

const good: Tally = { passed: 3, failed: 0, skipped: [], broken: [] };

function checkout(tally: Tally | null, vitestExit: number): Checkout {
  const made = new Checkout();
  for (const name of ["biome", "oxlint", "tsc", "knip"]) made.program(name, "exit 0");
  for (const name of ["bundle", "pages", "catalogue", "schema"]) made.write(`scripts/${name}.ts`, "");
  made.write("scripts/lock.mjs", "");
  made.program(
    "vitest",
    `${tally === null ? "" : `echo '${JSON.stringify(tally)}' > "$DOGWATCH_TALLY"`}\nexit ${vitestExit}`,
  );
  return made;
}

const lastLine = (output: string): string | undefined => output.trimEnd().split("\n").at(-1);

test("counts every check and every test", async () => {
  const ended = await checkout(good, 0).run(["scripts/test.mjs"]);
  expect(lastLine(ended.output)).toBe("13 passed, 0 failed, 0 skipped");
  expect(ended.code).toBe(0);
});

test("fails when one check fails, shows what it said, and still runs the tests", async () => {
  const here = checkout(good, 0);
  here.program("tsc", "echo 'server/main.ts(1,1): error TS1005'\nexit 2");
  const ended = await here.run(["scripts/test.mjs"]);
  expect(ended.output).toContain("server/main.ts(1,1): error TS1005");
  expect(lastLine(ended.output)).toBe("11 passed, 2 failed, 0 skipped");
  expect(ended.code).toBe(1);
});

test("says why a test was skipped", async () => {
  const skipped = [{ test: "test/a.test.ts: a", reason: "no recordings beside the checkout" }];
  const ended = await checkout({ ...good, skipped }, 0).run(["scripts/test.mjs"]);
  expect(ended.output).toContain("test/a.test.ts: a\n    because: no recordings beside the checkout");
  expect(lastLine(ended.output)).toBe("13 passed, 0 failed, 1 skipped");
  expect(ended.code).toBe(0);
});

test("fails when the tests end badly without a failed test", async () => {
  const ended = await checkout(good, 1).run(["scripts/test.mjs"]);
  expect(lastLine(ended.output)).toBe("13 passed, 1 failed, 0 skipped");
  expect(ended.code).toBe(1);
});

test("fails when the tests leave no count behind", async () => {
  const ended = await checkout(null, 0).run(["scripts/test.mjs"]);
  expect(lastLine(ended.output)).toBe("10 passed, 1 failed, 0 skipped");
  expect(ended.code).toBe(1);
});

test("fails when no test ran at all", async () => {
  const ended = await checkout({ ...good, passed: 0 }, 0).run(["scripts/test.mjs"]);
  expect(ended.code).toBe(1);
});

test("runs only the named tests when some are named", async () => {
  const here = checkout(good, 0);
  here.program("biome", "exit 1");
  const ended = await here.run(["scripts/test.mjs", "test/store"]);
  expect(lastLine(ended.output)).toBe("3 passed, 0 failed, 0 skipped");
});

test("keeps what the machine has set for real work from the tests", async () => {
  const here = checkout(good, 0);
  here.program("vitest", `env > "${here.root}/env"\necho '${JSON.stringify(good)}' > "$DOGWATCH_TALLY"`);
  const kept = { HOME: "/home/x", LANG: "C" };
  const ended = await here.run(["scripts/test.mjs", "x"], {
    env: {
      ...kept,
      DD_API_KEY: "real",
      GITHUB_ENV: "/f",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
      https_proxy: "http://p",
      DATABASE_URL: "postgres://real",
    },
  });
  expect(ended.code).toBe(0);
  const names = readFileSync(`${here.root}/env`, "utf8")
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names).toContain("HOME");
  expect(names.filter((name) => /DD_|GITHUB_|ACTIONS_|proxy|DATABASE_URL/i.test(name ?? ""))).toEqual([]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("interrupted by %s, it leaves nothing running", async (signal, code) => {
  const here = checkout(good, 0);
  here.program("vitest", `echo "pid $$"\nsleep 300`);
  const ended = await here.run(["scripts/test.mjs", "x"], { kill: { word: "pid ", signal } });
  expect(ended.code).toBe(code);
  const pid = Number(/pid (\d+)/.exec(ended.output)?.[1]);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
