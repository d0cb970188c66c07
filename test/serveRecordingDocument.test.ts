/** docs/serve-recording.md: its commands and its workflow are run here as they stand, and its lists are those of the code. */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { exportSessions } from "../server/cli/evidence/export.ts";
import { createSandbox } from "../server/datadog/sandbox/sandbox.ts";
import { timeNames } from "../server/journeys/recorded/times.ts";
import { runToEnd } from "./standins/job.ts";
import { auditorToken, startWorld } from "./standins/world.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const document = readFileSync(join(root, "docs/serve-recording.md"), "utf8");
const blocks = (language: string): string[] =>
  [...document.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text = ""]) => text);

const typed = blocks("sh")
  .flatMap((block) => block.split("\n"))
  .map((line) => line.replace(/\s+#.*/, "").trim())
  .filter((line) => line !== "");
const workflow = parse(blocks("yaml")[0] ?? "") as { jobs: Record<string, { steps: { run?: string }[] }> };
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []));

/** Who does what it says; installing is done where a checkout is cloned. */
const doneBy: Record<string, string> = {
  "dogwatch export SESSION --format jsonl --out incident.jsonl": "below",
  "dogwatch serve-recording incident.jsonl -- node agent.mjs": "below",
  "dogwatch serve-recording incident.jsonl --port 8126":
    "test/cli/serveRecording/serve.test.ts, on a port that is free",
  "dogwatch serve-recording incident.jsonl --json -- npm test": "below",
  "npm ci": "scripts/soak.mjs",
  "node dogwatch/scripts/dogwatch.mjs serve-recording incident.jsonl -- node agent.mjs": "below",
};

test("every command of it is run by a test", () => {
  expect([...new Set([...typed, ...steps])].toSorted()).toEqual(Object.keys(doneBy).toSorted());
});

test("it names every time that may differ, and no other", () => {
  const [, listed = ""] = /lists between included: (.*?)\. A time is/.exec(document) ?? [];
  expect(new Set([...listed.matchAll(/`([^`]+)`/g)].map(([, name]) => name))).toEqual(timeNames);
});

describe("in a repository of its own", { timeout: 120_000 }, () => {
  let folder: string;
  let session: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dogwatch-served-document-"));
    symlinkSync(root, join(folder, "dogwatch"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    cpSync(join(root, "test/clients/incident.mjs"), join(folder, "agent.mjs"));
    const sandbox = await createSandbox({ clock: () => new Date() }).listen();
    const world = await startWorld(() => "hang up", { instead: { endpoint: sandbox.url } });
    try {
      const opened = await world.openSession();
      session = opened.session_id;
      const keys = { DD_API_KEY: opened.access_token, DD_APP_KEY: opened.access_token };
      await runToEnd(process.execPath, [join(folder, "agent.mjs")], { DATADOG_HOST: world.url, ...keys });
      await world.endedCalls(session);
      const out = join(folder, "incident.jsonl");
      await exportSessions(
        [session],
        { format: "jsonl", out },
        { DOGWATCH_GATEWAY: world.url, DOGWATCH_TOKEN: auditorToken },
      );
    } finally {
      await world.close();
      await sandbox.close();
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As a shell runs it in that repository; `dogwatch` is its own, and `npm test` its agent. */
  const run = (command: string, env: NodeJS.ProcessEnv = {}) => {
    const line = command
      .replace(/^dogwatch /, "node dogwatch/scripts/dogwatch.mjs ")
      .replace(/npm test$/, "node agent.mjs");
    return runToEnd("sh", ["-c", `cd ${folder} && ${line}`], { PATH: process.env["PATH"], HOME: folder, ...env });
  };

  const withoutIds = (text: string): string =>
    text.replaceAll(/monitor\/\d+/g, "monitor/ID").replaceAll(/session [0-9a-f-]{36}/g, "session ID");

  test("the workflow's step passes, and fails where the agent was changed", async () => {
    const step = steps.at(-1) ?? "";
    const same = await run(step);
    expect(same.code, same.out).toBe(0);
    expect(same.out).toContain(`session ${session}: 11 requests, all answered`);
    const changed = await run(step, { THRESHOLD: "99" });
    expect(changed.code, changed.out).toBe(1);
    const [, example = ""] = /^```\n(session [\s\S]*?)```/m.exec(document) ?? [];
    const ran = changed.out.slice(changed.out.lastIndexOf("\nsession ") + 1);
    expect(withoutIds(ran)).toBe(withoutIds(example));
  });

  test("the commands do what is said beside them", async () => {
    const [, around = "", , asJson = ""] = typed;
    expect((await run(around)).code).toBe(0);
    const { out, code } = await run(asJson);
    expect(code, out).toBe(0);
    const reports = out.split("\n").filter((line) => line.startsWith('{"recording":'));
    expect(JSON.parse(reports[0] ?? "{}")).toMatchObject({ requests: 11, unanswered: [], unasked: [] });
  });
});
