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
import { appendFileSync, mkdirSync, writeFileSync, readFileSync, rmSync } from "node:fs";
appendFileSync("npm-was-called", JSON.stringify({ args: process.argv.slice(2), env: process.env }) + "\\n");
if (process.env.NPM_FAILS) process.exit(1);
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules");
const { "": _root, "node_modules/mac": _mac, ...packages } = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
`;

function checkout(): Checkout & {
  calls(): { args: string[]; env: Record<string, string> }[];
  install(env?: Record<string, string>): ReturnType<Checkout["run"]>;
} {
  const made = new Checkout();
  made.write("package-lock.json", lock("1.0.0"));
  const execpath = made.write("npm.mjs", npm);
  return Object.assign(made, {
    calls: () => {
      const file = join(made.root, "npm-was-called");
      if (!existsSync(file)) return [];
      return readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { args: string[]; env: Record<string, string> });
    },
    install: (env = {}) =>
      made.run(["scripts/install.mjs"], {
        env: { npm_execpath: execpath, npm_node_execpath: process.execPath, ...env },
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
});
