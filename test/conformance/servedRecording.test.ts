/** Yesterday's incident: what the official client did through a gateway, it does again offline, and a changed agent is told what it changed. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportSessions } from "../../server/cli/evidence/export.ts";
import { loadRecording } from "../../server/cli/serveRecording/load.ts";
import { createSandbox, type ListeningSandbox } from "../../server/datadog/sandbox/sandbox.ts";
import { type Finished, runToEnd } from "../standins/job.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const agent = [process.execPath, join(root, "test/clients/incident.mjs")] as const;

let sandbox: ListeningSandbox;
let world: World;
let folder: string;
let session: string;
/** What the agent saw through the gateway. */
let live: readonly string[];
const file = (name: string): string => join(folder, name);
const asAuditor = (): NodeJS.ProcessEnv => ({ DOGWATCH_GATEWAY: world.url, DOGWATCH_TOKEN: auditorToken });

beforeAll(async () => {
  sandbox = await createSandbox({ clock: () => new Date() }).listen();
  folder = mkdtempSync(join(tmpdir(), "dogwatch-served-"));
  world = await startWorld(() => "hang up", {
    instead: { endpoint: sandbox.url },
    more: "  masks:\n    - { name: personal, detect: [personal], where: [recording] }",
  });
  const opened = await world.openSession();
  session = opened.session_id;
  const { access_token: token } = opened;
  const env = { PATH: process.env["PATH"], DATADOG_HOST: world.url, DD_API_KEY: token, DD_APP_KEY: token };
  const [program, ...args] = agent;
  const ran = await runToEnd(program, args, env);
  if (ran.code !== 0) throw new Error(ran.out);
  live = ran.out.trimEnd().split("\n");
  await world.endedCalls(session);
  for (const [name, how] of [
    ["calls.jsonl", { format: "jsonl" as const }],
    ["proof.jsonl", { proof: true as const }],
  ] as const)
    await exportSessions([session], { ...how, out: file(name) }, asAuditor());
}, 120_000);

afterAll(async () => {
  await world?.close();
  await sandbox?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as a process; standard output and errors together. */
const serve = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runToEnd(process.execPath, [join(root, "server/main.ts"), "serve-recording", ...args], {
    PATH: process.env["PATH"],
    HOME: folder,
    ...env,
  });

/** Of one operation. */
const lineOf = (lines: readonly string[], operation: string): { refused?: number; errors?: string[] } => {
  const line = lines.find((line) => line.startsWith(`{"operation":${JSON.stringify(operation)},`));
  return (JSON.parse(line ?? "{}") as { value: { refused?: number; errors?: string[] } }).value;
};
const saidBy = ({ out }: Finished): string[] => out.split("\n").filter((line) => line.startsWith('{"operation":'));
/** Masks took addresses out of the recording: where there was one there is a token, and nothing else is another. */
const masked = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replaceAll(/dwm_email_[\w-]+@masked\.invalid|\w+@example\.com/g, "(an address)"));

describe("the same agent", { timeout: 120_000 }, () => {
  test.each([
    ["an export of calls", "calls.jsonl", {}],
    ["an export with its proof", "proof.jsonl", {}],
    ["an export of calls, which it knows by its site only", "calls.jsonl", { DIRECT: "yes" }],
  ])("sees the same, from %s", async (_, name, env) => {
    const ran = await serve([file(name), "--", ...agent], env);
    expect(masked(saidBy(ran))).toEqual(masked(live));
    expect(ran.code, ran.out).toBe(0);
    expect(ran.out).toContain(`session ${session}: 11 requests, all answered`);
    expect(ran.out).toContain("0 of 11 recorded calls never asked for\n");
  });

  test("sees the same from a session that a gateway is asked for", async () => {
    const ran = await serve([session, "--json", "--", ...agent], asAuditor());
    expect(masked(saidBy(ran))).toEqual(masked(live));
    const report = JSON.parse(ran.out.trimEnd().split("\n").at(-1) ?? "") as object;
    expect(report).toMatchObject({ calls: 11, requests: 11, answered: 11, unanswered: [], unasked: [] });
    expect(ran.code).toBe(0);
  });
});

describe("a changed agent", { timeout: 120_000 }, () => {
  test("is told the closest recorded call and the field that differs", async () => {
    const ran = await serve([file("calls.jsonl"), "--", ...agent], { THRESHOLD: "99" });
    const lines = saidBy(ran);
    // Up to there it is yesterday's.
    expect(masked(lines.slice(0, 7))).toEqual(masked(live.slice(0, 7)));
    const raised = lineOf(lines, "raise");
    expect(raised.refused).toBe(403);
    expect(raised.errors?.[0]).toMatch(
      /was not recorded; the closest is call 8 \(v1\.MonitorsApi\.UpdateMonitor\): body\.options\.thresholds\.critical: recorded 95, sent 99; body\.query: recorded ".* > 95", sent ".* > 99"$/,
    );
    // What it wrote was not taken, so the monitor is as it was.
    expect(lineOf(lines, "look again")).toEqual(lineOf(lines, "look"));
    expect(ran.code).toBe(1);
  });

  test("that asks less gets what it asks for, and is told what it did not", async () => {
    const ran = await serve([file("calls.jsonl"), "--", ...agent], { VERIFY: "no" });
    expect(saidBy(ran)).toHaveLength(10);
    expect(ran.code, ran.out).toBe(0);
    expect(ran.out).toMatch(/1 of 11 recorded calls never asked for:\n {2}call 9 {2}v1\.MonitorsApi\.GetMonitor/);
  });

  test("with --strict is held to the very times, with --loose only to structure", async () => {
    const strict = await serve([file("calls.jsonl"), "--strict", "--", ...agent]);
    expect(lineOf(saidBy(strict), "query").errors?.[0]).toMatch(
      /call 4 .*: query\.from: recorded "\d+", sent "\d+"; query\.to/,
    );
    const loose = await serve([file("calls.jsonl"), "--loose", "--", ...agent], { THRESHOLD: "99" });
    expect(loose.code, loose.out).toBe(0);
  });
});

describe("an export with its proof", () => {
  type Line = { kind: string; n?: number; side?: string; bytes?: string; last?: boolean; lines?: number };
  const lines = (): Line[] =>
    readFileSync(file("proof.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  const altered = (all: readonly Line[]): string => {
    const whole = all.map((line) => (line.kind === "end" ? { ...line, lines: all.length } : line));
    writeFileSync(file("altered.jsonl"), whole.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return file("altered.jsonl");
  };
  const isAnswer = ({ kind, n, side }: Line): boolean => kind === "body" && n === 1 && side === "response";
  const firstAnswer = async (source: string): Promise<string> => {
    const { calls, close } = await loadRecording(source, {}, {});
    try {
      return (await calls[0]?.response?.body?.read())?.toString() ?? "";
    } finally {
      await close();
    }
  };

  test("puts a body together from its pieces", async () => {
    const whole = await firstAnswer(file("proof.jsonl"));
    const pieces = lines().flatMap((line) => {
      if (!isAnswer(line)) return [line];
      const bytes = Buffer.from(line.bytes ?? "", "base64");
      const [one, two] = [bytes.subarray(0, 3), bytes.subarray(3)].map((piece) => piece.toString("base64"));
      return [
        { ...line, bytes: one ?? "", last: false },
        { ...line, bytes: two ?? "", last: true },
      ];
    });
    expect(await firstAnswer(altered(pieces))).toBe(whole);
    expect(JSON.parse(whole)).toEqual({ valid: true });
  });

  test("that was cut, or put together by somebody else, is served not at all, or not that answer", async () => {
    const all = lines();
    await expect(firstAnswer(altered(all.slice(0, -1)))).rejects.toThrow("its end is missing, so the file was cut");
    writeFileSync(
      file("short.jsonl"),
      all
        .filter((line) => !isAnswer(line))
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    );
    await expect(firstAnswer(file("short.jsonl"))).rejects.toThrow(/says that there are \d+ lines, and there are/);
    const at = all.findIndex(isAnswer);
    await expect(firstAnswer(altered([...all.slice(0, -1), all[at] as Line, ...all.slice(-1)]))).rejects.toThrow(
      "a body that belongs to no call before it",
    );
    const other = all.map((line) => (isAnswer(line) ? { ...line, bytes: Buffer.from("{}").toString("base64") } : line));
    await expect(firstAnswer(altered(other))).rejects.toThrow("dogwatch verify says what was altered");
  });
});

test("an agent that fails by itself ends with its own exit code", { timeout: 60_000 }, async () => {
  expect((await serve([file("calls.jsonl"), "--", "sh", "-c", "exit 42"])).code).toBe(42);
});
