/** One scene a folder, whatever became of the one before. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FolderTaken, claimFolder } from "../../server/demo/claim.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-claim-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

test("refuses a second one, and says where the first one is", async () => {
  const claim = await claimFolder(folder);
  claim.tell("http://127.0.0.1:8080");
  const second = claimFolder(folder, 100);
  await expect(second).rejects.toThrow(FolderTaken);
  await expect(second).rejects.toThrow(`http://127.0.0.1:8080 (process ${process.pid})`);
});

test("lets the next one in as soon as the one before is done", async () => {
  const claim = await claimFolder(folder);
  const next = claimFolder(folder);
  claim.release();
  (await next).release();
  expect(existsSync(join(folder, "running.json"))).toBe(false);
});

test("waits for one that ends, however long that takes, and for no other", async () => {
  const claim = await claimFolder(folder);
  claim.tell("http://127.0.0.1:8080");
  claim.end();
  const next = claimFolder(folder, 0);
  // A turn and more of those that look.
  expect(await Promise.race([next.then(String, String), sleep(500, "waits")])).toBe("waits");
  claim.release();
  (await next).release();
});

test("of many at once one gets it", async () => {
  const all = await Promise.allSettled([1, 2, 3, 4].map(() => claimFolder(folder, 100)));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("of two that find a claim of nobody one gets it, however late the other is", async () => {
  writeFileSync(join(folder, "running.json"), JSON.stringify({ pid: 4_194_305, since: "1", url: null }));
  const module = join(import.meta.dirname, "../../server/demo/claim.ts");
  // It has seen that the claim is nobody's, and does something about it only when the other has one of its own.
  const late = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const { rmSync, renameSync } = fs;
    const wait = (act, file, rest) => {
      if (file.endsWith("running.json")) {
        console.log("late");
        while (!fs.existsSync("go-on")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
      return act(file, ...rest);
    };
    fs.rmSync = (file, ...rest) => wait(rmSync, file, rest);
    fs.renameSync = (file, ...rest) => wait(renameSync, file, rest);
    syncBuiltinESMExports();
    const { claimFolder } = await import(${JSON.stringify(module)});
    await claimFolder(".", 100).then(() => console.log("claimed"), (error) => console.log(error.constructor.name));`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", late], { cwd: folder });
  let said = "";
  other.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(other.stdout, "data");
  const claim = await claimFolder(folder);
  writeFileSync(join(folder, "go-on"), "");
  await once(other, "close");
  expect(said).toBe("late\nFolderTaken\n");
  claim.release();
});

test.each([
  ["of a process that was killed", { pid: 4_194_305, since: "1", url: null }],
  ["of another process's number", { pid: process.pid, since: "1", url: null }],
  ["that was cut short", null],
])("takes no notice of a claim %s", async (_name, left) => {
  writeFileSync(join(folder, "running.json"), left === null ? '{"pid": 1' : JSON.stringify(left));
  (await claimFolder(folder)).release();
});

test("takes no notice of a process that has ended and was not collected", async ({ skip }) => {
  skip(!existsSync("/proc/self/stat"), "there is no /proc");
  // The shell becomes a program that never asks for its child's end.
  const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line);
  const stat = (): string => readFileSync(`/proc/${pid}/stat`, "latin1");
  await expect.poll(stat, { timeout: 30_000 }).toMatch(/\) Z /);
  const since = stat().split(") ")[1]?.split(" ")[19] ?? null;
  writeFileSync(join(folder, "running.json"), JSON.stringify({ pid, since, url: null }));
  (await claimFolder(folder)).release();
});
