/** `dogwatch connections`: what a configuration names, and never its keys. */

import { expect, test } from "vitest";
import { connections } from "../../../server/cli/connections/list.ts";
import { env, fileWith, good } from "../../config/example.ts";

const two = good.replace(
  "policy:",
  `  - { name: tryout, kind: sandbox, site: datadoghq.eu, endpoint: "http://127.0.0.1:9090", allow: 'caller.ref == "refs/heads/main"', apiKey: k, appKey: a }
policy:`,
);

test("lists each connection, its kind, its site, and where its hosts really are", () => {
  expect(connections({ file: fileWith(two), env })).toEqual({
    exitCode: 0,
    output: [
      "prod    live     datadoghq.com  Datadog itself",
      'tryout  sandbox  datadoghq.eu   http://127.0.0.1:9090, for callers with caller.ref == "refs/heads/main"',
      "",
    ].join("\n"),
  });
});

test("as JSON: what is not there is null, and the keys are not", () => {
  const { exitCode, output } = connections({ file: fileWith(two), env, json: true });
  expect(exitCode).toBe(0);
  expect(JSON.parse(output)).toEqual([
    { name: "prod", kind: "live", site: "datadoghq.com", endpoint: null, allow: null },
    {
      name: "tryout",
      kind: "sandbox",
      site: "datadoghq.eu",
      endpoint: "http://127.0.0.1:9090",
      allow: 'caller.ref == "refs/heads/main"',
    },
  ]);
  for (const key of [env.DD_API_KEY, env.DD_APP_KEY]) expect(output).not.toContain(key);
});

test("a configuration that is wrong or not there: exit code 2, and what to mend", () => {
  const file = fileWith(good.replace("live", "alive"));
  expect(connections({ file, env })).toEqual({
    exitCode: 2,
    output: `${file}:8:25 connections.0.kind: "alive" is not one of live, sandbox; did you mean live?\n1 problem\n`,
  });
  expect(connections({ file: "/nowhere/dogwatch.yaml", env })).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining("/nowhere/dogwatch.yaml is not there"),
  });
});
