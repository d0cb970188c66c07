/** What `npm run soak` starts ends with it, and its clone goes. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
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
  // A process that becomes another program has no command line for a moment; these do nothing else.
  program("again", 'exec "$0"');
  program("npm", `for one in 1 2 3 4 5 6 7 8 9 10; do again & done; kill -${signal} $PPID; exec again`);
  const tmp = join(here.root, "tmp");
  mkdirSync(tmp);
  const soak = here.run(["scripts/soak.mjs", "clean-clone", "clean-clone-tests"], {
    env: { PATH: `${join(here.root, "bin")}:${process.env["PATH"]}`, TMPDIR: tmp },
  });
  onTestFinished(() => processesIn(tmp).forEach((pid) => process.kill(pid, "SIGKILL")));
  const { code: ended, output } = await soak;
  expect(ended, output).toBe(code);
  expect(output).not.toContain("clean-clone-tests:");
  expect(processesIn(tmp)).toEqual([]);
  expect(readdirSync(tmp)).toEqual([]);
});

/** By the folder they work in; also those whose folder is deleted. */
function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          readlinkSync(`/proc/${pid}/cwd`).startsWith(folder) &&
          !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z")
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
