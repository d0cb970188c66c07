/** `npm start` and `npm test` install what the lock file names, once, and again when it changed or was cut short. */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkout } from "./checkout.ts";

const lock = (version: string): string =>
  JSON.stringify({
    packages: { "": {}, "node_modules/a": { version }, "node_modules/mac": { version: "1.0.0", optional: true } },
  });

/** Stands in for npm: notes how it was called, and installs what the lock file names. */
const npm = `
import { appendFileSync, existsSync, mkdirSync, writeFileSync, readFileSync, rmSync } from "node:fs";
appendFileSync("npm-was-called", JSON.stringify({ args: process.argv.slice(2), env: process.env }) + "\\n");
if (process.env.NPM_FAILS) process.exit(1);
if (process.env.NPM_WAITS) {
  console.error("npm is process " + process.pid);
  while (!existsSync("npm-may-go-on")) await new Promise((resolve) => setTimeout(resolve, 20));
}
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules");
const { "": _root, "node_modules/mac": _mac, ...packages } = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
`;

function checkout(): Checkout & {
  /** Resolves when this file is there. */
  has(file: string): Promise<unknown>;
  calls(): { args: string[]; env: Record<string, string> }[];
  install(env?: Record<string, string>, kill?: { word: string; signal: NodeJS.Signals }): ReturnType<Checkout["run"]>;
} {
  const made = new Checkout();
  made.write("package-lock.json", lock("1.0.0"));
  const execpath = made.write("npm.mjs", npm);
  return Object.assign(made, {
    has: (file: string) => expect.poll(() => existsSync(join(made.root, file)), { timeout: 20_000 }).toBe(true),
    calls: () => {
      const file = join(made.root, "npm-was-called");
      if (!existsSync(file)) return [];
      return readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { args: string[]; env: Record<string, string> });
    },
    install: (env: Record<string, string> = {}, kill?: { word: string; signal: NodeJS.Signals }) =>
      made.run(["scripts/install.mjs"], {
        env: { npm_execpath: execpath, npm_node_execpath: process.execPath, ...env },
        ...(kill === undefined ? {} : { kill }),
      }),
  });
}

describe("scripts/install.mjs", () => {
  test("installs once", async () => {
    const here = checkout();
    expect(await here.install()).toMatchObject({ code: 0 });
    expect(await here.install()).toMatchObject({ code: 0, output: "" });
    expect(here.calls()).toHaveLength(1);
    expect(here.calls()[0]?.args.slice(0, 3)).toEqual(["ci", "--include=dev", "--include=optional"]);
  });

  test("installs again when the lock file has changed", async () => {
    const here = checkout();
    await here.install();
    here.write("package-lock.json", lock("2.0.0"));
    await here.install();
    expect(here.calls()).toHaveLength(2);
  });

  test("installs development packages too where the environment says production", async () => {
    const here = checkout();
    await here.install({
      NODE_ENV: "production",
      npm_config_omit: "dev",
      npm_config_ignore_scripts: "true",
      npm_lifecycle_event: "start",
      npm_config_registry: "https://mirror.example",
    });
    const env = here.calls()[0]?.env ?? {};
    expect(Object.keys(env).filter((name) => /NODE_ENV|omit|ignore_scripts|lifecycle/.test(name))).toEqual([]);
    expect(env["npm_config_registry"]).toBe("https://mirror.example");
  });

  test("leaves alone what somebody's own npm ci has installed", async () => {
    const here = checkout();
    here.write(
      "node_modules/.package-lock.json",
      JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } }),
    );
    expect(await here.install()).toMatchObject({ code: 0, output: "" });
    expect(here.calls()).toEqual([]);
  });

  test("starts with what somebody else has installed, where it may not write", async () => {
    const here = checkout();
    here.write(
      "node_modules/.package-lock.json",
      JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } }),
    );
    // Nobody, not even root, can write a file where a folder is.
    mkdirSync(join(here.root, "node_modules/.installed"));
    expect(await here.install()).toMatchObject({ code: 0, output: "" });
    expect(here.calls()).toEqual([]);
  });

  test("replaces what an older lock file, or half an install, has left", async () => {
    const here = checkout();
    here.write(
      "node_modules/.package-lock.json",
      JSON.stringify({ packages: { "node_modules/a": { version: "0.9.0" } } }),
    );
    await here.install();
    expect(here.calls()).toHaveLength(1);
  });

  test("says that the install failed, and tries again the next time", async () => {
    const here = checkout();
    const failed = await here.install({ NPM_FAILS: "1" });
    expect(failed.code).toBe(1);
    expect(failed.output).toContain("the install failed; npm's reason is above");
    expect(await here.install()).toMatchObject({ code: 0 });
    expect(here.calls()).toHaveLength(2);
  });

  test("two at once install once", async () => {
    const here = checkout();
    const both = await Promise.all([here.install(), here.install()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(here.calls()).toHaveLength(1);
  });

  test("does not wait for an install that was killed", async () => {
    const here = checkout();
    // No process has this id: Linux's largest is 4194304.
    here.write(".installing", "4194305");
    expect(await here.install()).toMatchObject({ code: 0 });
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "stopped by %s it leaves no npm behind that goes on",
    async (signal) => {
      const here = checkout();
      const stopped = await here.install({ NPM_WAITS: "1" }, { word: "npm is process", signal });
      expect(stopped).toMatchObject({
        code: 1,
        output: expect.stringContaining(`the install was stopped by ${signal}`),
      });
      const npm = Number(/npm is process (\d+)/.exec(stopped.output)?.[1]);
      expect(isAlive(npm)).toBe(false);
      expect(await here.install()).toMatchObject({ code: 0 });
    },
  );

  test("of two that find a killed install one goes on with it, however late the other is", async () => {
    const here = checkout();
    here.write(".installing", "4194305");
    // The second one has seen that the owner is gone, and does something about it only when the first one has taken its place.
    const late = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const { error } = console;
      console.error = (words) => {
        if (words.includes("waiting for")) fs.writeFileSync("the-other-waits", "");
        error(words);
      };
      for (const name of ["rmSync", "renameSync"]) {
        const act = fs[name];
        fs[name] = (...args) => {
          fs.writeFileSync("the-other-is-late", "");
          while (!fs.existsSync("the-other-may-go-on")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
          return act(...args);
        };
      }
      syncBuiltinESMExports();`;
    const second = here.install({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(late)}` });
    await here.has("the-other-is-late");
    const first = here.install({ NPM_WAITS: "1" });
    await here.has("npm-was-called");
    here.write("the-other-may-go-on", "");
    await Promise.race([second, here.has("the-other-waits")]);
    here.write("npm-may-go-on", "");
    expect((await Promise.all([first, second])).map(({ code }) => code)).toEqual([0, 0]);
    expect(here.calls()).toHaveLength(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
