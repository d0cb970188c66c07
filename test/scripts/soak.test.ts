/** What `npm run soak` starts ends with it, and its clone goes. */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Checkout } from "./checkout.ts";

test.each([
  ["INT", 130],
  ["TERM", 143],
  ["HUP", 129],
] as const)("interrupted by SIG%s, it leaves neither processes nor files", async (signal, code) => {
  const here = new Checkout();
  const program = (name: string, text: string): void =>
    chmodSync(here.write(`bin/${name}`, `#!/bin/sh\n${text}\n`), 0o755);
  program("git", 'for folder; do :; done; mkdir "$folder"');
  program("npm", `echo $$ > ${here.root}/npm-is; kill -${signal} $PPID; exec sleep 300`);
  mkdirSync(join(here.root, "tmp"));
  const soak = here.run(["scripts/soak.mjs", "clean-clone", "clean-clone-tests"], {
    env: { PATH: `${join(here.root, "bin")}:${process.env["PATH"]}`, TMPDIR: join(here.root, "tmp") },
  });
  const npm = (): number => Number(readFileSync(join(here.root, "npm-is"), "utf8"));
  onTestFinished(() => void (isAlive(npm()) && process.kill(npm(), "SIGKILL")));
  const { code: ended, output } = await soak;
  expect(ended, output).toBe(code);
  expect(output).not.toContain("clean-clone-tests:");
  expect(isAlive(npm())).toBe(false);
  expect(readdirSync(join(here.root, "tmp"))).toEqual([]);
});

/** A process that has ended may not have been collected yet. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, "latin1").includes(") Z");
}
