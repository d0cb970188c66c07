/** The README alone: what it has a stranger type and write is done here as it stands, but for the addresses that cannot be reached. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { createSandbox } from "../server/datadog/sandbox/sandbox.ts";
import { startGitHub } from "../server/demo/github/standin.ts";
import { Runner } from "../server/demo/runner.ts";
import { Newcomer } from "./demo/newcomer.ts";
import { freePort } from "./standins/freePort.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text = ""]) => text);

const [configuration = "", workflow = ""] = blocks("yaml");
const keys = {
  DD_API_KEY: "api-key-of-the-readme",
  DD_APP_KEY: "app-key-of-the-readme",
  DOGWATCH_OPS_TOKEN: "f".repeat(64),
};

/** Who does what the README says. */
const doneBy: Record<string, string> = {
  "npm start": "test/demo/start.test.ts",
  "npm start -- --answer approve": "test/demo/start.test.ts",
  "npm test": "scripts/soak.mjs",
  "npm ci": "scripts/soak.mjs",
  "npx dogwatch check dogwatch.yaml": "test/readme.test.ts",
  "npx dogwatch serve --config dogwatch.yaml": "test/readme.test.ts",
  "npx @datadog/datadog-ci junit upload --service checkout reports/": "test/readme.test.ts",
  "dogwatch run -- COMMAND": "test/action/run.test.ts",
};

test("every command of the README is run by a test", () => {
  const typed = blocks("sh").flatMap((block) => block.split("\n"));
  const run = [...readme.matchAll(/^ *- run: (.*)$/gm)].map(([, command = ""]) => command);
  const mentioned = [...readme.matchAll(/`((?:npm|npx|dogwatch) [^`]+)`/g)].map(([, command = ""]) => command);
  const commands = [...typed, ...run, ...mentioned]
    .map((line) => line.replace(/\s+#.*/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("export "));
  expect([...new Set(commands)].toSorted()).toEqual(Object.keys(doneBy).toSorted());
});

test("its configuration, its commands and its workflow lead to a recorded session", { timeout: 120_000 }, async () => {
  const [github, sandbox, port] = await Promise.all([
    startGitHub({ clock: () => new Date() }),
    createSandbox({ clock: () => new Date(), keys: { apiKey: keys.DD_API_KEY, appKey: keys.DD_APP_KEY } }).listen(),
    freePort(),
  ]);
  onTestFinished(async () => void (await Promise.all([github.close(), sandbox.close()])));
  const here = new Newcomer();
  onTestFinished(() => here.leave());
  const url = `http://127.0.0.1:${port}`;

  // Step 1. What is replaced is what this machine does not have: a name with TLS, GitHub, Datadog.
  const written = configuration
    .replace("https://dogwatch.example.com", url)
    .replace("127.0.0.1:8080", `127.0.0.1:${port}`)
    .replace("https://token.actions.githubusercontent.com", `${github.issuer}\n      kind: github`)
    .replace("site: datadoghq.com", `site: datadoghq.com, endpoint: "${sandbox.url}"`);
  writeFileSync(join(here.folder, "dogwatch.yaml"), written);
  const checked = await here.run("npx dogwatch check dogwatch.yaml", keys).ended;
  expect(checked.output).toContain("dogwatch.yaml is good: 1 issuer, 1 connection, 2 rules");
  const serving = here.run("npx dogwatch serve --config dogwatch.yaml", keys);
  await serving.says(/"msg":"listening"/);
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);

  // Step 2.
  const { steps } = jobOf(workflow);
  mkdirSync(join(here.folder, "reports"));
  writeFileSync(
    join(here.folder, "reports/junit.xml"),
    '<?xml version="1.0"?><testsuites><testsuite name="s" tests="1"><testcase classname="c" name="t" time="0.1"/></testsuite></testsuites>',
  );
  const job = { repository: "acme/checkout", repository_id: "70", repository_owner_id: "1234", run_id: "9" };
  const log: string[] = [];
  const runner = await Runner.start({
    workspace: here.folder,
    temp: join(here.folder, "temp"),
    trackingId: `readme-${process.pid}`,
    env: { ...github.grant(job), GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "self-hosted", HOME: here.folder },
    print: (line) => log.push(line),
  });
  onTestFinished(() => runner.close());
  const [, dogwatch, upload] = steps;
  expect(dogwatch?.uses).toMatch(/\/dogwatch@v1$/);
  const action = await runner.uses(here.folder, { ...dogwatch?.with, "gateway-url": url });
  expect(action.code, log.join("\n")).toBe(0);
  const command = `${upload?.run} --skip-git-metadata-upload`;
  expect(await runner.run(["sh", "-c", command]), log.join("\n")).toBe(0);
  expect(await action.post()).toBe(0);

  // Step 3.
  const [, page = ""] = /href="([^"]+\/sessions\/[^"]+)"/.exec(runner.summary) ?? [];
  expect(page).toContain(`${url}/sessions/`);
  const session = await read(page.replace(url, `${url}/v1`));
  expect(session).toMatchObject({ state: "closed", connection: "prod", denied: 0 });
  expect(session["calls"]).toBeGreaterThan(0);
  expect(log.join("\n") + runner.summary).not.toContain(keys.DD_API_KEY);

  serving.interrupt();
  expect((await serving.ended).output).not.toContain(keys.DD_API_KEY);
});

type Step = { readonly uses?: string; readonly with?: Record<string, string>; readonly run?: string };

const jobOf = (text: string): { steps: Step[] } =>
  Object.values((parse(text) as { jobs: Record<string, { steps: Step[] }> }).jobs)[0] ?? { steps: [] };

async function read(url: string): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${keys.DOGWATCH_OPS_TOKEN}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}
