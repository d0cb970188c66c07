/** `dogwatch serve-recording` as a process: what it prints, how it ends, and its exit codes. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runToEnd } from "../../standins/job.ts";
import { callOf, session, writeLines } from "./files.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-serve-test-"));
  file = writeLines(join(folder, "export.jsonl"), [
    callOf(1, { operation: "v1.AuthenticationApi.Validate", path: "/api/v1/validate" }),
    callOf(3, { path: "/api/v1/monitor" }),
  ]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const env = { PATH: process.env["PATH"], HOME: tmpdir() };
const command = (...args: string[]): readonly string[] => [join(root, "server/main.ts"), "serve-recording", ...args];

type Printed = { readonly first: string; readonly rest: string; readonly code: number | null };

/** Until its first whole line, then `meanwhile`, then a signal, then its end. */
async function serve(
  args: readonly string[],
  signal: NodeJS.Signals,
  meanwhile: (first: string) => Promise<void>,
): Promise<Printed> {
  const child = spawn(process.execPath, command(...args), { env, stdio: ["ignore", "pipe", "ignore"] });
  const closed = once(child, "close");
  let out = "";
  const begun = Promise.withResolvers<void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.includes("\n")) begun.resolve();
  });
  child.once("close", () => begun.resolve());
  await begun.promise;
  const [first = ""] = out.split("\n");
  await meanwhile(first);
  child.kill(signal);
  const [code] = (await closed) as [number | null];
  return { first, rest: out.slice(first.length + 1), code };
}

test("says where it is and what to set, and at the end what was never asked for", { timeout: 60_000 }, async () => {
  const { first, rest, code } = await serve([file], "SIGTERM", async (line) => {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? "";
    expect((await fetch(`${url}/api/v1/validate`)).status).toBe(200);
  });
  expect(first).toMatch(new RegExp(`^session ${session}: 2 calls, served at http://127.0.0.1:\\d+ until Ctrl-C`));
  expect(rest).toMatch(/^export DD_API_KEY='0{32}'\n/);
  expect(rest).toMatch(/^export DATADOG_HOST='http:\/\/127\.0\.0\.1:\d+'$/m);
  expect(rest).toMatch(
    /1 request, all answered\n1 of 2 recorded calls never asked for:\n {2}call 3 .*GET \/api\/v1\/monitor\n$/,
  );
  expect(code).toBe(0);
});

test("--json prints where it is as one line, and the report as the last one", { timeout: 60_000 }, async () => {
  const { first, rest, code } = await serve([file, "--json"], "SIGINT", async (line) => {
    const { url } = JSON.parse(line) as { url: string };
    expect((await fetch(`${url}/api/v1/dashboard`)).status).toBe(403);
  });
  expect(JSON.parse(first)).toMatchObject({ calls: 2, gaps: [2], environment: { DD_SITE: "datadoghq.com" } });
  expect(JSON.parse(rest)).toMatchObject({
    requests: 1,
    answered: 0,
    unanswered: [{ code: "not_recorded", n: 3 }],
    unasked: [{ n: 1 }, { n: 3 }],
  });
  expect(code).toBe(1);
});

test.each<[string, number, RegExp, readonly string[]]>([
  ["what is no recording", 2, /the recording cannot be read/, ["no-such-file"]],
  ["a session without a gateway", 2, /no gateway: name it with --gateway URL/, [session]],
  ["a gateway that is not there", 3, /cannot be reached/, [session, "--gateway", "http://127.0.0.1:9"]],
  ["an option that is none", 2, /unknown option '--nope'/, ["x", "--nope"]],
])("%s ends with %d", { timeout: 60_000 }, async (_what, code, says, args) => {
  const ran = await runToEnd(process.execPath, command(...args), { ...env, DOGWATCH_TOKEN: "t" });
  expect(ran).toMatchObject({ code, out: expect.stringMatching(says) });
});
