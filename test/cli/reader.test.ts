/** Commands whose reader hangs up, as `| head -1` does, whose output has no room, or that are told to end while they write a file. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { callOf, session, writeLines } from "./serveRecording/files.ts";

const main = fileURLToPath(new URL("../../server/main.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-reader-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const start = (words: readonly string[], stdout: "pipe" | number = "pipe"): ChildProcess => {
  const env = { PATH: process.env["PATH"], DOGWATCH_TOKEN: "a-token" };
  const child = spawn(process.execPath, [main, ...words], { cwd: folder, env, stdio: ["ignore", stdout, "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
};

const ended = (child: ChildProcess): Promise<{ readonly code: number | null; readonly err: string }> => {
  let err = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, err })));
};

/** A gateway whose exports begin, and go on when they are told to. */
const startExporting = async (): Promise<{ readonly url: string; readonly begun: ServerResponse[] }> => {
  const begun: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    response.write("the first line\n");
    begun.push(response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begun };
};

const exporting = (url: string, ...more: string[]): string[] => [
  "export",
  session,
  "--proof",
  "--gateway",
  url,
  ...more,
];

test("a command ends as SIGPIPE ends others, without a word", async () => {
  const child = start(["--help"]);
  child.stdout?.destroy();
  expect(await ended(child)).toEqual({ code: 141, err: "" });
});

test("an export ends when nobody reads on", async () => {
  const { url, begun } = await startExporting();
  const child = start(exporting(url));
  const end = ended(child);
  child.stdout?.once("data", () => {
    child.stdout?.destroy();
    begun[0]?.end("the second line\n");
  });
  expect(await end).toEqual({ code: 141, err: "" });
});

test("what serves until it is told to ends with its reader", async () => {
  const child = start(["serve-recording", writeLines(join(folder, "incident.jsonl"), [callOf(1, {})])]);
  child.stdout?.destroy();
  expect(await ended(child)).toEqual({ code: 0, err: "" });
});

test("an output without room is said so", async ({ skip }) => {
  skip(!existsSync("/dev/full"), "no disk that is full");
  expect(await ended(start(["--help"], openSync("/dev/full", "w")))).toEqual({
    code: 1,
    err: "dogwatch: standard output cannot be written (ENOSPC)\n",
  });
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "an export into a file that gets a %s leaves what was there, and no half of another",
  async (signal, code) => {
    const { url, begun } = await startExporting();
    const out = join(folder, "incident.jsonl");
    writeFileSync(out, "an earlier one\n");
    const child = start(exporting(url, "--out", out));
    const end = ended(child);
    await expect.poll(() => readdirSync(folder).length, { timeout: 60_000 }).toBe(2);
    child.kill(signal);
    expect(await end).toEqual({ code, err: "" });
    begun[0]?.destroy();
    expect(readdirSync(folder)).toEqual(["incident.jsonl"]);
    expect(readFileSync(out, "utf8")).toBe("an earlier one\n");
  },
);

test("of two exports into one file each is whole when it is there", async () => {
  const { url, begun } = await startExporting();
  const out = join(folder, "incident.jsonl");
  const both = [start(exporting(url, "--out", out)), start(exporting(url, "--out", out))].map(ended);
  await expect.poll(() => begun.length, { timeout: 60_000 }).toBe(2);
  begun[0]?.end("of one\n");
  await Promise.race(both);
  expect(readFileSync(out, "utf8")).toBe("the first line\nof one\n");
  begun[1]?.end("of the other, which is longer\n");
  expect((await Promise.all(both)).map(({ code }) => code)).toEqual([0, 0]);
  expect(readFileSync(out, "utf8")).toBe("the first line\nof the other, which is longer\n");
  expect(readdirSync(folder)).toEqual(["incident.jsonl"]);
});
