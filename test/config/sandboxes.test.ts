/** A sandbox that is a live connection by another name is refused at start, with its place: whatever spelling hides it. */

import { describe, expect, test } from "vitest";
import { formatProblem, isConfig, parseConfig } from "../../server/config/load.ts";
import { examinerOf } from "../../server/rulebook.ts";
import { env, good } from "./example.ts";

type Written = {
  readonly site?: string;
  readonly endpoint?: string;
  readonly keys?: readonly [api: string, app: string];
};

const line = (name: string, kind: string, { site = "datadoghq.com", endpoint, keys = ["k", "a"] }: Written): string =>
  `  - { name: ${name}, kind: ${kind}, site: ${site}, ${endpoint === undefined ? "" : `endpoint: "${endpoint}", `}apiKey: "${keys[0]}", appKey: "${keys[1]}" }`;

const problemsOf = (live: Written, sandbox: Written): readonly string[] => {
  const text = good.replace(
    /  - \{ name: prod.*/,
    [line("prod", "live", { keys: ["live-api", "live-app"], ...live }), line("lab", "sandbox", sandbox)].join("\n"),
  );
  const parsed = parseConfig(text, { file: "dogwatch.yaml", env }, () => []);
  return isConfig(parsed) ? [] : parsed.map(formatProblem);
};

const here = "http://127.0.0.1:9090";

describe("keys", () => {
  test.each([
    [
      "the same API key",
      ["live-api", "a"],
      /^dogwatch\.yaml:9:\d+ connections\.1\.apiKey: is that of connection prod too, which is live/,
    ],
    [
      "the same application key",
      ["k", "live-app"],
      /^dogwatch\.yaml:9:\d+ connections\.1\.appKey: is that of connection prod too/,
    ],
  ] as const)("%s", (_, keys, message) => {
    for (const endpoint of [here, undefined]) {
      const problems = problemsOf({}, { keys, ...(endpoint !== undefined && { endpoint }) });
      expect(problems).toEqual([expect.stringMatching(message)]);
      expect(problems.join("\n")).not.toMatch(/live-ap[ip]/);
    }
  });
});

describe("the address", () => {
  test.each([
    ["the same", "https://dd.example.com", "https://dd.example.com"],
    ["capitals", "https://dd.example.com", "https://DD.Example.COM"],
    ["a dot at the end", "https://dd.example.com", "https://dd.example.com."],
    ["the default port", "https://dd.example.com", "https://dd.example.com:443/"],
    ["another letter for the same", "https://bücher.example", "https://xn--bcher-kva.example"],
    ["localhost for its number", here, "http://localhost:9090"],
    ["localhost in IPv6", here, "http://[::1]:9090"],
    ["another number of this machine", here, "http://127.8.9.1:9090"],
    ["a short number", here, "http://127.1:9090"],
    ["a hexadecimal number", here, "http://0x7f000001:9090"],
    ["an octal number", here, "http://0177.0.0.1:9090"],
    ["a whole number", here, "http://2130706433:9090"],
    ["IPv4 in IPv6", "https://192.0.2.7", "https://[::ffff:192.0.2.7]"],
    ["IPv4 in hexadecimal IPv6", "https://192.0.2.7", "https://[::ffff:c000:207]"],
    ["long IPv6", "https://[2001:db8::1]", "https://[2001:0db8:0:0:0:0:0:1]:443"],
    ["a name of this machine", here, "https://a.localhost:9090"],
    ["all of this machine", here, "https://0.0.0.0:9090"],
    ["the other scheme at the same port", "https://127.0.0.1:9090", here],
  ])("%s", (_, live, sandbox) => {
    const message = expect.stringMatching(
      /^dogwatch\.yaml:9:\d+ connections\.1\.endpoint: leads to where connection prod goes, which is live/,
    );
    expect(problemsOf({ endpoint: live }, { endpoint: sandbox })).toEqual([message]);
    expect(problemsOf({ endpoint: sandbox }, { endpoint: live })).toEqual([message]);
  });

  test("an endpoint that is Datadog itself, where the live connection goes without one", () => {
    for (const endpoint of [
      "https://api.datadoghq.com",
      "https://API.DATADOGHQ.COM.:443",
      "https://http-intake.logs.datadoghq.com",
    ])
      expect(problemsOf({}, { endpoint, site: "datadoghq.eu" })).toEqual([
        expect.stringMatching(/connections\.1\.endpoint/),
      ]);
  });
});

test("what is apart may be used", () => {
  expect(problemsOf({}, { endpoint: here })).toEqual([]);
  expect(problemsOf({ endpoint: here }, { endpoint: "http://127.0.0.1:9091" })).toEqual([]);
  expect(problemsOf({}, { site: "datadoghq.eu" })).toEqual([]);
  // Another organization on the same site: its keys are its own.
  expect(problemsOf({}, {})).toEqual([]);
  expect(problemsOf({ site: "datadoghq.eu" }, { endpoint: "https://api.datadoghq.com" })).toEqual([]);
});

test("fields that differ from replay to replay are those of operations that there are", () => {
  const examine = examinerOf();
  const problemsWith = (yaml: string): readonly string[] => {
    const parsed = parseConfig(`${good}${yaml}`, { file: "dogwatch.yaml", env }, examine);
    return isConfig(parsed) ? [] : parsed.map(formatProblem);
  };
  expect(
    problemsWith(
      "replay: { volatile: { GetMonitor: [priority, 'options.silenced'], v1.MonitorsApi.ListMonitors: ['[].priority'] } }\n",
    ),
  ).toEqual([]);
  expect(problemsWith("replay: { volatile: { GetMonitr: [priority] } }\n")).toEqual([
    expect.stringMatching(/^dogwatch\.yaml:14:\d+ replay\.volatile\.GetMonitr: there is no operation GetMonitr/),
  ]);
  expect(problemsWith("replay: { volatile: { GetMonitor: ['$.priority[0]'] } }\n")[0]).toMatch(
    /replay\.volatile\.GetMonitor\.0: must be a field/,
  );
});
