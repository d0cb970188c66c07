/** The process in which a policy text is tried: whatever the text costs, it ends, and nothing of it is left. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConfig, parseConfig } from "../server/config/load.ts";
import type { Config } from "../server/model/config.ts";
import { PolicyTrials, type PolicyTrialsOptions } from "../server/tryPolicy.ts";
import { configuration } from "./cli/policy/files.ts";
import { creation, deletion, type Recorder, startRecorder } from "./journeys/policy/recorded.ts";

let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
  const shop = await recorder.session("acme/shop");
  await recorder.call(shop, deletion(1));
  await recorder.call(shop, creation({ priority: 5 }));
});
afterAll(() => recorder.close());

const configOf = (): Config => {
  const text = configuration.replace(/"\$\{file:[^"]*"/, "file-key");
  const env = { DATABASE_URL: "postgres://nobody", DD_API_KEY: "a", DD_EU_API_KEY: "b", DD_EU_APP_KEY: "c" };
  const config = parseConfig(`${text}policy: { rules: [] }\n`, { file: "dogwatch.yaml", env }, () => []);
  if (!isConfig(config)) throw new Error(JSON.stringify(config));
  return config;
};

const trials = (options: Partial<PolicyTrialsOptions> = {}): PolicyTrials =>
  new PolicyTrials({
    config: configOf,
    connectionString: recorder.database.connectionString,
    patience: { reading: 120_000, whole: 240_000 },
    ...options,
  });

const since = new Date(Date.now() - 86_400_000);
const alone = () => new AbortController().signal;
const rule = (text: string): string => `policy:\n  rules:\n    - ${text}\n`;

/** So many times ten at each level. */
const nested = (levels: number, inner: string, macro: string): string =>
  `${Array.from({ length: levels }, (_, i) => `[0,1,2,3,4,5,6,7,8,9].${macro}(v${i}, `).join("")}${inner}${")".repeat(levels)}`;

describe("what costs too much", () => {
  test("a condition of exponential cost is broken off, and does not hold up this process meanwhile", async () => {
    const text = rule(`{ name: endless, effect: deny, when: '${nested(9, "v0 >= 0", "all")}' }`);
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    const trial = await trials({ patience: { reading: 120_000, whole: 5_000 } }).tryText({
      who: "a",
      text,
      since,
      signal: alone(),
    });
    clearInterval(timer);
    expect(trial).toEqual({ kind: "stopped", why: "time" });
    expect(turns).toBeGreaterThan(10);
  });

  test("one that makes ever larger lists ends with the memory it may have", async () => {
    const text = rule(`{ name: large, effect: deny, when: 'size(${nested(8, "[v0, v1, v2]", "map")}) > 0' }`);
    const trial = await trials({ memory: 64 }).tryText({ who: "a", text, since, signal: alone() });
    expect(trial).toMatchObject({ kind: "stopped" });
  });

  test("whoever is gone before it begins has nothing begun", async () => {
    const trial = await trials().tryText({ who: "a", text: rule("{}"), since, signal: AbortSignal.abort() });
    expect(trial).toEqual({ kind: "stopped", why: "gone" });
  });

  test("a gateway that ends ends it, and the next one may begin", async () => {
    const some = trials();
    const text = rule(`{ name: endless, effect: deny, when: '${nested(9, "v0 >= 0", "all")}' }`);
    const trial = some.tryText({ who: "a", text, since, signal: alone() });
    expect(await some.tryText({ who: "a", text, since, signal: alone() })).toEqual({ kind: "busy", why: "person" });
    some.stop();
    expect(await trial).toEqual({ kind: "stopped", why: "gone" });
    const next = await some.tryText({ who: "a", text: "policy: {}", since, signal: alone() });
    expect(next).toMatchObject({ kind: "report", report: { calls: 2 } });
  });

  test("no more than two at a time, whoever asks", async () => {
    const some = trials();
    const text = rule(`{ name: endless, effect: deny, when: '${nested(9, "v0 >= 0", "all")}' }`);
    const running = ["a", "b"].map((who) => some.tryText({ who, text, since, signal: alone() }));
    expect(await some.tryText({ who: "c", text, since, signal: alone() })).toEqual({ kind: "busy", why: "gateway" });
    some.stop();
    await Promise.all(running);
  });
});

test("when its time for reading is over it tells what it has, and says that it is not all", async () => {
  const trial = await trials({ patience: { reading: 0, whole: 60_000 } }).tryText({
    who: "a",
    text: "policy: {}",
    since,
    signal: alone(),
  });
  expect(trial).toMatchObject({ kind: "report", report: { complete: false, calls: 0, looked_until: null } });
});

test("without its database nothing is found out, and the message names no address", async () => {
  const trial = await trials({ connectionString: "postgres://dogwatch:secret@127.0.0.1:1/none" }).tryText({
    who: "a",
    text: "policy: {}",
    since,
    signal: alone(),
  });
  expect(trial).toEqual({ kind: "stopped", why: "recordings" });
});

test("bodies are read where a rule looks at them", async () => {
  const text = rule('{ name: low, effect: allow, operations: write, when: "request.body.priority < 3" }');
  const trial = await trials().tryText({ who: "a", text, since, signal: alone() });
  expect(trial).toMatchObject({ kind: "report", report: { calls: 2, changed: 2, unsettled: { count: 0 } } });
});
