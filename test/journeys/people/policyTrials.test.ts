/** An edited policy tried on recordings: who may, what a hostile text gets, and that nothing of it ever comes into force. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PolicyBacktestJson } from "../../../server/contract.ts";
import type { Browser } from "../../standins/browser.ts";
import { all } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import {
  adminToken,
  eventually,
  home,
  openJob,
  type PeopleScene,
  sendCall,
  signInWithToken,
  startPeople,
  viewerToken,
} from "./scene.ts";

const canary = "canary-7f3a91c2e5d84b60";
let scene: PeopleScene;
let folder: string;
let job: string;

beforeAll(async () => {
  process.env["DOGWATCH_TEST_CANARY"] = canary;
  folder = mkdtempSync(join(tmpdir(), "dogwatch-trial-"));
  writeFileSync(join(folder, "secret"), canary);
  // Each is a process that has to start first: on a slow machine that alone may take as long as a whole trial.
  scene = await startPeople({ trialPatience: { reading: 100_000, whole: 110_000 } });
  const session = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
  job = session.session_id;
  for (let i = 0; i < 3; i++)
    await sendCall(scene.url, session, { method: "GET", path: "/api/v1/monitor/4212", body: undefined });
});
afterAll(async () => {
  delete process.env["DOGWATCH_TEST_CANARY"];
  rmSync(folder, { recursive: true });
  await scene.close();
});

type Sent = { readonly token?: string; readonly browser?: Browser; readonly headers?: Record<string, string> };

const post = (text: string, { token, browser, headers = {} }: Sent, signal?: AbortSignal): Promise<Response> =>
  fetch(`${scene.url}/v1/policies/backtest`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(browser !== undefined && { cookie: browser.header(home) }),
      ...headers,
    },
    body: JSON.stringify({ text }),
    signal: signal ?? null,
  });

const tried = async (text: string, token = auditorToken): Promise<PolicyBacktestJson> => {
  const answer = await post(text, { token });
  expect(answer.status).toBe(200);
  return (await answer.json()) as PolicyBacktestJson;
};

/** Whoever comes second is sent away, whoever that is. */
const until = (send: () => Promise<Response>): Promise<Response> =>
  eventually(async () => {
    const answer = await send();
    return answer.status === 429 ? null : answer;
  });

const policy = (...rules: readonly string[]): string =>
  `policy:\n  rules:\n${rules.map((rule) => `    - ${rule}\n`).join("")}`;
const noReads = policy("{ name: no-reads, effect: deny, operations: read }");
/** Decides nothing before the stars are cold. */
const endless = policy(
  `{ name: endless, effect: deny, when: '${Array.from({ length: 9 }, (_, i) => `[0,1,2,3,4,5,6,7,8,9].all(v${i}, `).join("")}v0 >= 0${")".repeat(9)}' }`,
);

const formOf = async (browser: Browser): Promise<string> => {
  const page = await browser.open(`${home}/sessions`);
  const field = all(page.html, "input").find(({ attributes }) => attributes.get("name") === "form");
  return field?.attributes.get("value") ?? "";
};

describe("what the environment and the disk hold is in no answer", () => {
  test("wherever a text refers to it, and whether it is there or not", async () => {
    const told = async (env: string, file: string): Promise<string> => {
      const { problems, report } = await tried(
        `policy:\n  rules:\n    - { name: "${env}", effect: "${file}", when: 'caller.subject == "${env}"' }\n  masks: [{ name: "${env}", detectors: [{ name: own, pattern: "${file}" }], where: [reply] }]\n`,
      );
      expect(report).toBeNull();
      expect(problems.length).toBeGreaterThan(4);
      return JSON.stringify(problems);
    };
    const there = await told("${env:DOGWATCH_TEST_CANARY}", `\${file:${join(folder, "secret")}}`);
    const notThere = await told("${env:DOGWATCH_TEST_NOTHING}", `\${file:${join(folder, "nothing")}}`);
    expect(there).not.toContain(canary);
    const bare = (text: string): string => text.replaceAll(/\b(CANARY|NOTHING|secret|nothing)\b/g, "X");
    const columns = (text: string): string => bare(text).replaceAll(/"column":\d+/g, "");
    expect(columns(there)).toBe(columns(notThere));
  });

  test("nor are secrets of the configuration", async () => {
    for (const text of [noReads, policy("{ name: one, effect: allow, when: 'connection.apiKey == \"x\"' }")])
      expect(JSON.stringify(await tried(text))).not.toMatch(/real-a|PRIVATE KEY|-token-of-the-tests/);
  });
});

describe("who may not", () => {
  test("nobody: without a token, with a session's, as a viewer, as somebody with a few repositories", async () => {
    const session = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
    const octocat = await scene.as("octocat");
    const headers = { "sec-fetch-site": "same-origin", "dogwatch-form": await formOf(octocat) };
    const answers = await Promise.all([
      post(noReads, {}),
      post(noReads, { token: "nobody's" }),
      post(noReads, { token: session.access_token }),
      post(noReads, { token: viewerToken }),
      post(noReads, { browser: octocat, headers }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 403, 403]);
    for (const answer of answers) expect(await answer.text()).not.toMatch(/no-reads|acme\/app/);
    const page = await octocat.open(`${home}/policy`);
    expect(page.status).toBe(403);
    const sent = await octocat.post(
      `${home}/policy`,
      new URLSearchParams({ form: await formOf(octocat), text: noReads }),
      `${home}/policy`,
    );
    expect(sent.status).toBe(403);
    expect(sent.text).not.toMatch(/no-reads|writes-need-a-human/);
  });

  test("a page of another site, or one without the form token of this sign-in", async () => {
    const browser = scene.browser();
    await signInWithToken(browser, auditorToken);
    const form = await formOf(browser);
    const other = scene.browser();
    await signInWithToken(other, adminToken);
    for (const headers of [
      {},
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "same-origin", "dogwatch-form": await formOf(other) },
      { "sec-fetch-site": "cross-site", "dogwatch-form": form },
      { origin: "https://evil.example", "dogwatch-form": form },
    ])
      expect((await post(noReads, { browser, headers })).status).toBe(403);
    for (const [token, from] of [
      ["", `${home}/policy`],
      [await formOf(other), `${home}/policy`],
      [form, "https://evil.example/"],
      [form, null],
    ] as const)
      expect(
        (await browser.post(`${home}/policy`, new URLSearchParams({ form: token, text: noReads }), from)).status,
      ).toBe(403);
    const headers = { "sec-fetch-site": "same-origin", "dogwatch-form": form };
    expect((await post(noReads, { browser, headers })).status).toBe(200);
  });
});

describe("hostile texts", () => {
  test("ten megabytes are not read", async () => {
    const large = "x".repeat(10 * 1024 * 1024);
    expect((await post(large, { token: auditorToken }).catch(() => ({ status: 413 }))).status).toBe(413);
    expect((await post("x".repeat(300_000), { token: auditorToken })).status).toBe(400);
    const browser = scene.browser();
    await signInWithToken(browser, auditorToken);
    const fields = new URLSearchParams({ form: await formOf(browser), text: "x".repeat(300_000) });
    const answer = await browser.post(`${home}/policy`, fields, `${home}/policy`);
    expect(answer.status).toBe(413);
  });

  test("aliases of aliases are a problem, and a thousand problems are told as a hundred", async () => {
    const letters = "abcdefghij";
    const laughs = letters
      .split("")
      .map((letter, i) =>
        i === 0
          ? "a: &a [x,x,x,x,x,x,x,x,x]"
          : `${letter}: &${letter} [${Array.from({ length: 9 }, () => `*${letters[i - 1]}`).join()}]`,
      );
    const { problems, report } = await tried(`${laughs.join("\n")}\npolicy: { rules: *j }\n`);
    expect(report).toBeNull();
    expect(problems).toEqual([{ line: 1, column: 1, path: "", message: "repeats its aliases too often" }]);
    const many = policy(...Array.from({ length: 1_000 }, (_, i) => `{ name: r${i}, effect: alow }`));
    expect((await tried(many)).problems.length).toBe(100);
  });

  test("one trial at a time for each asker, and it ends when the asker goes away", async () => {
    const gone = new AbortController();
    const first = until(() => post(endless, { token: auditorToken }, gone.signal));
    first.catch(() => undefined);
    await eventually(async () => {
      const second = await post(noReads, { token: auditorToken });
      return second.status === 429 ? second : null;
    });
    // Somebody else's runs beside it; and the gateway goes on with everything else.
    expect((await post(noReads, { token: adminToken })).status).toBe(200);
    const session = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
    const call = await sendCall(scene.url, session, { method: "GET", path: "/api/v1/monitor/1", body: undefined });
    expect(call.status).toBe(200);
    gone.abort();
    await expect(first).rejects.toThrow(/abort/);
    await eventually(async () => ((await post(noReads, { token: auditorToken })).status === 200 ? true : null));
    expect(await scene.audited(/^policy_tried .*whoever asked went away/)).toMatchObject({ who: "tests (auditor)" });
  });
});

test("what would be decided otherwise is told by rule, with links to the calls; and the policy in force stays as it is", async () => {
  const [before] = await scene.endedCalls(job);
  const { problems, report } = await tried(
    policy(
      "{ name: no-reads, effect: deny, operations: read }",
      "{ name: reads, effect: allow, operations: read }",
      "{ name: idle, effect: allow, when: 'caller.repository == \"acme/none\"' }",
    ),
  );
  expect(problems).toEqual([]);
  const [group] = report?.groups.filter(({ operation }) => operation === "v1.MonitorsApi.GetMonitor") ?? [];
  expect(group).toMatchObject({
    before: "allow",
    after: "deny",
    rules_before: ["reads"],
    rules: ["no-reads"],
    caller: "acme/app",
    connection: "prod",
  });
  expect(group?.examples[0]).toEqual({ id: `${job}/1`, url: `${home}/sessions/${job}/calls/1` });
  expect(report?.rules.find(({ name }) => name === "no-reads")).toMatchObject({ before: 0, after: group?.count });
  expect(report?.rules.find(({ name }) => name === "reads")).toMatchObject({ before: group?.count, after: 0 });
  expect(report).toMatchObject({ complete: true, changed: group?.count });
  expect(await scene.audited(/^policy_tried policy text [0-9a-f]{64} \d+ calls of the last 7 days/)).toMatchObject({
    who: "tests (auditor)",
  });
  const session = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
  const call = await sendCall(scene.url, session, { method: "GET", path: "/api/v1/monitor/1", body: undefined });
  expect(call.status).toBe(200);
  const [after] = await scene.endedCalls(session.session_id);
  expect(after?.decision).toMatchObject({ policy: before?.decision.policy, rules: [{ name: "reads" }] });
});

test("a problem has its line and column in the text that was sent", async () => {
  const { problems } = await tried(
    '# mine\npolicy:\n  rules:\n    - name: reads\n      effect: allow\n      when: operation.acess == "read"\n',
  );
  expect(problems).toEqual([
    {
      line: 6,
      column: 23,
      path: "policy.rules.0.when",
      message: expect.stringContaining("did you mean access?"),
    },
  ]);
});
