/** The keys that are made at the first start: whole or not there, whatever becomes of who makes them. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { readOrMake } from "../server/keyFile.ts";

const words = { need: "seals need a key", instead: "name one" };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

test("made once, for its owner only", () => {
  const file = join(folder, "keys/sign");
  expect(readOrMake({ file, make: () => "one\n", ...words })).toBe("one\n");
  expect(readOrMake({ file, make: () => "another\n", ...words })).toBe("one\n");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "keys"))).toEqual(["sign"]);
});

test("a start that ends while it writes leaves no half of a key that later ones would take", () => {
  const file = join(folder, "keys/sign");
  const module = join(import.meta.dirname, "../server/keyFile.ts");
  const program = `
    import { readOrMake } from ${JSON.stringify(module)};
    readOrMake({ file: ${JSON.stringify(file)}, make: () => "half\\n", need: "", instead: "" });`;
  // No file may become longer than nothing.
  const limited = ["-c", 'ulimit -f 0 && exec "$@"', "sh", process.execPath, "--input-type=module", "-e", program];
  expect(spawnSync("sh", limited, { encoding: "utf8" })).not.toMatchObject({ status: 0 });
  expect(readOrMake({ file, make: () => "whole\n", ...words })).toBe("whole\n");
});
