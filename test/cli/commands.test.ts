/** Every command that scripts and documents may name is there, and its help shows how it is used. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../server/main.ts");

const commands = [
  "serve",
  "check",
  "run",
  "search",
  "show",
  "export",
  "verify",
  "replay",
  "serve-recording",
  "undo",
  "reveal",
  "hold",
  "release",
  "approvals list",
  "approvals show",
  "policy test",
  "policy backtest",
  "policy suggest",
  "github setup",
  "connections",
  "demo",
];

test.each(commands)("dogwatch %s --help ends with 0 and has an example", async (command) => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...command.split(" "), "--help"]);
  expect(stdout).toContain(`Usage: dogwatch ${command} `);
  expect(stdout).toMatch(/\nExamples?:\n {2}\S/);
});
