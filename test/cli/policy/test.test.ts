/** `dogwatch policy test`: what the policy says of requests that nobody sends, and what is wrong with a table of them. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { testPolicy } from "../../../server/cli/policy/test.ts";
import { configuration, folder, now, policyBlock, runTable, table } from "./files.ts";

const passes = { exitCode: 0, output: "1 passed, 0 failed\n" };

describe("a test passes", () => {
  test.each([
    ["in one line", "{ name: a, request: GET /api/v1/monitor/7?group_states=all, expect: allow }"],
    [
      "with a host of its own",
      "{ name: a, request: 'POST https://http-intake.logs.datadoghq.com/api/v2/logs', expect: { effect: deny, operation: SubmitLog } }",
    ],
    [
      "with rules, a reason and an operation",
      "{ name: a, request: DELETE /api/v1/monitor/7, expect: { effect: deny, rules: [no-deletes], reason: by rule no-deletes, operation: v1.MonitorsApi.DeleteMonitor } }",
    ],
    [
      "with a body that a rule reads",
      "{ name: a, request: { method: POST, path: /api/v1/monitor, body: { options: { thresholds: { critical: 10 } } } }, expect: { effect: allow, rules: [careful-thresholds] } }",
    ],
    [
      "with a number beyond 2^53",
      "{ name: a, request: { method: POST, path: /api/v1/monitor, body: { id: 9007199254740993 } }, expect: { effect: allow, rules: [one-monitor] } }",
    ],
    [
      "with the number beside it",
      "{ name: a, request: { method: POST, path: /api/v1/monitor, body: { id: 9007199254740992 } }, expect: deny }",
    ],
    [
      "with a body as text, key twice",
      `{ name: a, request: { method: POST, path: /api/v1/monitor, body: '{"id":9007199254740993,"id":1}' }, expect: deny }`,
    ],
    [
      "with a query as a map",
      "{ name: a, request: { path: /api/v1/monitor, query: { tags: [a, 'b&c'], page: 1 } }, expect: allow }",
    ],
    ["at a time", "{ name: a, at: '2026-05-04T10:00:00Z', request: POST /api/v1/downtime, expect: allow }"],
    ["at another time", "{ name: a, at: '2026-05-03T10:00:00Z', request: POST /api/v1/downtime, expect: deny }"],
    [
      "with a limit that is used up",
      "{ name: a, spent: [a-few-downtimes], request: POST /api/v1/downtime, expect: deny }",
    ],
    [
      "whose path is refused before any policy",
      "{ name: a, request: GET /api/v1/monitor/../dashboard, expect: refuse }",
    ],
    [
      "on a host of another site",
      "{ name: a, connection: staging, request: 'GET https://api.datadoghq.com/api/v1/monitor', expect: refuse }",
    ],
    [
      "of a caller who could not open a session",
      "{ name: a, caller: { repository_owner_id: '99' }, request: GET /api/v1/monitor, expect: { effect: refuse, reason: may not open a session } }",
    ],
  ])("%s", async (_what, written) => {
    expect(await runTable(`  - ${written}\n`)).toEqual(passes);
  });

  test("without the secrets of its configuration", async () => {
    const files = folder();
    files.write("dogwatch.yaml", configuration + policyBlock);
    const file = files.write(
      "dogwatch.test.yaml",
      `${table}  - { name: a, request: GET /api/v1/monitor, expect: allow }\n`,
    );
    expect(await testPolicy({ file, env: {}, now })).toEqual(passes);
    expect(await testPolicy({ file: `${files.path}/dogwatch.yaml`, env: {}, now })).toEqual(passes);
  });

  test("against a policy without a configuration around it", async () => {
    const files = folder();
    files.write("dogwatch.yaml", `${configuration}policy: { rules: [] }\n`);
    files.write("new.yaml", policyBlock);
    const file = files.write("new.test.yaml", `${table}  - { name: a, request: GET /api/v1/monitor, expect: allow }\n`);
    expect(await testPolicy({ file, env: {}, now })).toEqual(passes);
  });
});

test("a failure says where, what was asked, what was expected and what came", async () => {
  expect(
    await runTable(
      "  - { name: agents read, request: GET /api/v1/monitor, expect: allow }\n" +
        "  - name: a monitor goes\n    request: DELETE /api/v1/monitor/7?force=true\n    expect: { effect: allow, rules: [agents-may-read] }\n",
    ),
  ).toEqual({
    exitCode: 1,
    output: `dogwatch.test.yaml:6:5 a monitor goes
    DELETE /api/v1/monitor/7?force=true is v1.MonitorsApi.DeleteMonitor (destructive), by repo:acme/shop:ref:refs/heads/main on prod
  - expected effect: allow
  + got      effect: deny
  - expected rules: agents-may-read
  + got      rules: no-deletes
    because: DeleteMonitor is denied by rule no-deletes

1 passed, 1 failed
`,
  });
});

test("a failure as JSON", async () => {
  const { exitCode, output } = await runTable("  - { name: b, request: DELETE /api/v1/monitor/7, expect: allow }\n", {
    json: true,
  });
  expect(exitCode).toBe(1);
  expect(JSON.parse(output)).toMatchObject({
    policy: expect.stringMatching(/^[0-9a-f]{64}$/),
    passed: 0,
    failed: 1,
    tests: [
      {
        name: "b",
        file: "dogwatch.test.yaml",
        line: 5,
        column: 5,
        passed: false,
        effect: "deny",
        rules: ["no-deletes"],
        operation: "v1.MonitorsApi.DeleteMonitor",
        differences: [{ of: "effect", expected: "allow", got: "deny" }],
      },
    ],
  });
});

describe("a table that cannot be used: exit code 2, the place and the fix", () => {
  const good = "{ name: a, request: GET /api/v1/monitor, expect: allow }";
  test.each([
    [
      "unknown key",
      "{ name: a, request: GET /x, expect: allow, expcets: deny }",
      "5:48 tests.0.expcets: unknown key; did you mean expect?",
    ],
    [
      "unknown effect",
      good.replace("allow", "alow"),
      '5:54 tests.0.expect.effect: "alow" is not one of allow, approve, deny, observe, refuse; did you mean allow?',
    ],
    [
      "unknown rule",
      good.replace("expect: allow", "expect: { effect: allow, rules: [agents-may-raed] }"),
      "5:79 tests.0.expect.rules.0: there is no agents-may-raed; did you mean agents-may-read?",
    ],
    [
      "unknown caller",
      good.replace("{", "{ caller: shp,"),
      "5:15 tests.0.caller: there is no caller shp; did you mean shop?",
    ],
    [
      "unknown connection",
      good.replace("{", "{ connection: prd,"),
      "5:19 tests.0.connection: there is no prd; did you mean prod?",
    ],
    [
      "unknown issuer",
      good.replace("{", "{ caller: { issuer_name: gitub },"),
      "5:15 tests.0.caller: there is no issuer gitub; did you mean github?",
    ],
    [
      "number for an id",
      good.replace("{", "{ caller: { repository_id: 42 },"),
      `5:32 tests.0.caller.repository_id: is text in GitHub's tokens: write "42"`,
    ],
    [
      "no path",
      good.replace("GET /api", "GET api"),
      "5:25 tests.0.request: must be like GET /api/v1/monitor, or a map of method, path, query, headers and body",
    ],
    ["no time", good.replace("{", "{ at: yesterday,"), "5:11 tests.0.at: must be a time like 2026-12-24T18:00:00Z"],
    ["no expectation", "{ name: a, request: GET /x }", "5:5 tests.0.expect: is required"],
  ])("%s", async (_what, written, message) => {
    expect(await runTable(`  - ${written}\n`)).toEqual({
      exitCode: 2,
      output: `dogwatch.test.yaml:${message}\n1 problem\n`,
    });
  });

  test("broken YAML", async () => {
    const { exitCode, output } = await runTable("", { whole: 'tests:\n  - name: "a\n' });
    expect(exitCode).toBe(2);
    expect(output).toMatch(/^dogwatch\.test\.yaml:\d+:\d+ not valid YAML: /);
  });

  test("no tests beside the policy", async () => {
    const files = folder();
    files.write("dogwatch.yaml", configuration + policyBlock);
    expect(await testPolicy({ file: `${files.path}/dogwatch.yaml`, env: {}, now })).toEqual({
      exitCode: 2,
      output: `there are no tests beside ${files.path}/dogwatch.yaml: write them in ${files.path}/dogwatch.test.yaml\n`,
    });
  });

  test("a policy with an error, at its own line", async () => {
    const files = folder();
    files.write("dogwatch.yaml", configuration);
    files.write(
      "new.yaml",
      "policy:\n  rules:\n    - { name: a, effect: allow, when: 'operation.acess == \"read\"' }\n",
    );
    const file = files.write("new.test.yaml", `${table}  - ${good}\n`);
    const { exitCode, output } = await testPolicy({ file, env: {}, now });
    expect(exitCode).toBe(2);
    expect(output).toBe(
      `${files.path}/new.yaml:3:50 policy.rules.0.when: unknown name operation.acess; did you mean access?\n1 problem\n`,
    );
  });

  test("a policy alone, and no configuration anywhere", async () => {
    const files = folder();
    files.write("new.yaml", policyBlock);
    const file = files.write("new.test.yaml", `${table}  - ${good}\n`);
    const { exitCode, output } = await testPolicy({ file, env: {}, now });
    expect(exitCode).toBe(2);
    expect(output).toContain("name the configuration it belongs to with --config FILE");
  });
});

test("the example in docs/policy-testing.md is a table that can be used", async () => {
  const [, example = ""] =
    /```yaml\n(callers:[\s\S]*?)```/.exec(
      readFileSync(new URL("../../../docs/policy-testing.md", import.meta.url), "utf8"),
    ) ?? [];
  const { output, exitCode } = await runTable("", {
    whole: example
      .replace("no-monitor-deletes", "no-deletes")
      .replace("expect: deny", "expect: { effect: deny, rules: [] }"),
  });
  expect({ output, exitCode }).toEqual({ output: "4 passed, 0 failed\n", exitCode: 0 });
});
