/** `dogwatch policy suggest`: the least policy that allows what was recorded, as people read it. */

import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backtestPolicy } from "../../../server/cli/policy/backtest.ts";
import { suggestPolicy, type SuggestRequest } from "../../../server/cli/policy/suggest.ts";
import { check } from "../../../server/cli/check.ts";
import { examinerOf } from "../../../server/rulebook.ts";
import { creation, deletion, denial, type Recorder, refused, startRecorder } from "../../journeys/policy/recorded.ts";
import { configuration, folder } from "./files.ts";

let recorder: Recorder;
let shop: string;
let odd: string;

beforeAll(async () => {
  recorder = await startRecorder();
  shop = await recorder.session("acme/shop");
  odd = await recorder.session('acme/"x"\n- {evil}\u2028', "staging");
  for (let i = 0; i < 3; i++) await recorder.call(shop);
  await recorder.call(shop, { operation: "v1.MonitorsApi.ListMonitors", path: "/api/v1/monitor", query: "" });
  await recorder.call(shop, creation({ name: "a" }));
  await recorder.call(shop, deletion(1));
  await recorder.call(shop, { ...deletion(2), decision: denial }, refused);
  await recorder.call(shop, { operation: "unknown", access: "unknown", path: '/api/v9/new/"thing', query: "" });
  await recorder.call(shop, {
    operation: "unknown",
    access: "unknown",
    method: "DELETE",
    path: "/api/v9/new",
    query: "",
  });
  await recorder.call(odd, { host: "api.datadoghq.eu" });
});
afterAll(() => recorder.close());

const run = (request: SuggestRequest) =>
  suggestPolicy({ database: recorder.database.connectionString, ...request }, { env: {}, now: new Date() });

const env = { DATABASE_URL: "postgres://x/y", DD_API_KEY: "a", DD_EU_API_KEY: "b", DD_EU_APP_KEY: "c" };

/** The suggestion inside a configuration, as `dogwatch check` finds it. */
const checked = (suggestion: string) => {
  const files = folder();
  const file = files.write("dogwatch.yaml", configuration.replace("${file:/run/secrets/app-key}", "d") + suggestion);
  return { file, ...check({ file, env, examine: examinerOf() }) };
};

test("every rule and operation comes with the number of calls behind it; what destroys asks; what was refused is left out", async () => {
  const { exitCode, output } = await run({ session: [`https://dogwatch.example.com/sessions/${shop}`] });
  expect(exitCode).toBe(0);
  expect(
    output.replace(/from \S+ to \S+\./, "from THEN to NOW.").replaceAll(shop, "ID"),
  ).toBe(`# The least policy that allows what was recorded: 9 calls in 1 session (--session https://dogwatch.example.com/sessions/ID),
# from THEN to NOW.
# Read it before you use it: what happened is not always what should be allowed.
policy:
  rules:
    # acme/shop reads on prod: 4 calls, 2 operations.
    - name: acme-shop-on-prod-reads
      effect: allow
      when: >-
        caller.issuer_name == "github" && caller.repository_id == "42" && connection.name == "prod"
      operations:
        - v1.MonitorsApi.GetMonitor # 3 calls
        - v1.MonitorsApi.ListMonitors # 1 call
    # acme/shop writes on prod: 1 call, 1 operation.
    - name: acme-shop-on-prod-writes
      effect: allow
      when: >-
        caller.issuer_name == "github" && caller.repository_id == "42" && connection.name == "prod"
      operations:
        - v1.MonitorsApi.CreateMonitor # 1 call
    # acme/shop destroys on prod: 1 call, 1 operation.
    # It destroys, so a person is asked; --include-destructive suggests allow.
    - name: ask-acme-shop-on-prod-destroys
      effect: approve
      when: >-
        caller.issuer_name == "github" && caller.repository_id == "42" && connection.name == "prod"
      operations:
        - v1.MonitorsApi.DeleteMonitor # 1 call
    # acme/shop calls what the catalogue does not know on prod: 1 call, 1 operation.
    - name: acme-shop-on-prod-unknown-paths
      effect: allow
      when: |-
        caller.issuer_name == "github" && caller.repository_id == "42" && connection.name == "prod" && !operation.known
        && operation.method + " " + operation.path in [
          "GET /api/v9/new/\\"thing", // 1 call
        ]
    # acme/shop calls what the catalogue does not know on prod: 1 call, 1 operation.
    # It destroys, so a person is asked; --include-destructive suggests allow.
    - name: ask-acme-shop-on-prod-unknown-paths
      effect: approve
      when: |-
        caller.issuer_name == "github" && caller.repository_id == "42" && connection.name == "prod" && !operation.known
        && operation.method + " " + operation.path in [
          "DELETE /api/v9/new", // 1 call
        ]
# Left out, because it was refused then:
#   v1.MonitorsApi.DeleteMonitor by acme/shop on prod: 1 call
`);
});

test("dogwatch check accepts it, and it decides the calls as they were decided", async () => {
  const { output } = await run({ since: "1d", includeDestructive: true });
  const { exitCode, file } = checked(output);
  expect(exitCode).toBe(0);
  const again = await backtestPolicy(
    { file, database: recorder.database.connectionString, json: true },
    { env, now: new Date() },
    () => undefined,
  );
  // What was denied, by no rule, is now allowed with the other deletions of that kind.
  expect(JSON.parse(again.output)).toMatchObject({
    calls: 10,
    groups: [{ operation: "v1.MonitorsApi.DeleteMonitor", before: "deny", after: "allow", count: 1 }],
  });
});

test("names that others chose cannot end a comment or a text", async () => {
  const { output } = await run({ session: [odd] });
  expect(output).not.toMatch(/[^\n\x20-\x7e]/);
  expect(output).toContain('# acme/"x"?- {evil}? reads on staging: 1 call, 1 operation.');
  expect(checked(output).exitCode).toBe(0);
});

test("one operation too many for a rule begins another", async () => {
  const session = await recorder.session("acme/pay");
  const { entries } = (await import("../../../server/datadog/catalogue.ts")).buildCatalogue();
  const reads = entries.filter(({ access }) => access === "read").slice(0, 410);
  await Promise.all(
    reads.map(({ id, method, path }) => recorder.call(session, { operation: id, method, path, query: "" })),
  );
  const { output } = await run({ repo: ["43"] });
  expect(output).toContain("# acme/pay reads on prod: 400 calls, 400 operations.");
  expect(output).toContain("# acme/pay reads on prod: 10 calls, 10 operations.");
  expect(checked(output).exitCode).toBe(0);
});

describe("wrong usage", () => {
  test("it has to be said which calls", async () => {
    expect(await run({})).toEqual({
      exitCode: 2,
      output: "say which calls: --session ID, --repo OWNER/NAME, or --since 7d\n",
    });
  });

  test("nothing recorded that fits", async () => {
    expect(await run({ repo: ["acme/none"] })).toEqual({
      exitCode: 2,
      output: "no recorded call fits --repo acme/none\n",
    });
  });

  test("no configuration", async () => {
    const { output, exitCode } = await run({ since: "1d", database: undefined, config: "/nowhere.yaml" });
    expect(exitCode).toBe(2);
    expect(output).toContain("/nowhere.yaml is not there");
  });

  test("a configuration with an error", async () => {
    const files = folder();
    const file = files.write("dogwatch.yaml", configuration);
    writeFileSync(file, configuration.replace("kind: live", "kind: alive"));
    const { output, exitCode } = await run({ since: "1d", database: undefined, config: file });
    expect(exitCode).toBe(2);
    expect(output).toContain("did you mean live?");
  });
});
