/** Forty and more kinds of wrong policy files: each is answered with its place, what is wrong and the nearest right thing, and changes nothing. */

import { describe, expect, test } from "vitest";
import { isConfig, loadConfig } from "../../server/config/load.ts";
import { watchConfig } from "../../server/config/watch.ts";
import type { Problem } from "../../server/model/config.ts";
import { examinerOf } from "../../server/rulebook.ts";
import { writeFileSync } from "node:fs";
import { env, fileWith, good, problems } from "./example.ts";

const examine = examinerOf();

/** The good file without its rule, and this one in its place (from line 11, column 5). */
const withRule = (lines: string): string => `${good.slice(0, good.indexOf("    - name: agents"))}${lines}\n`;
const flow = (more: string): string => withRule(`    - { name: r, effect: allow, ${more} }`);
const deep = (levels: number): string => `${"(".repeat(levels)}true${")".repeat(levels)}`;

const kinds: readonly (readonly [kind: string, text: string, problem: string | RegExp])[] = [
  // Words
  ["an unknown key of a rule", flow("whn: 'true'"), "11:33 policy.rules.0.whn: unknown key; did you mean when?"],
  [
    "a key of another place",
    flow("site: datadoghq.com"),
    "11:33 policy.rules.0.site: unknown key here; site belongs to connections[]",
  ],
  [
    "an unknown effect",
    withRule("    - { name: r, effect: allowed }"),
    '11:26 policy.rules.0.effect: "allowed" is not one of allow, approve, deny; did you mean allow?',
  ],
  [
    "an unknown phase",
    flow("phase: respnse"),
    '11:40 policy.rules.0.phase: "respnse" is not one of request, response; did you mean response?',
  ],
  [
    "an unknown field",
    flow("when: operation.acess == 'read'"),
    "11:49 policy.rules.0.when: unknown name operation.acess; did you mean access?",
  ],
  [
    "an unknown variable",
    flow("when: caler.team == 'x'"),
    "11:39 policy.rules.0.when: unknown name caler; did you mean caller?",
  ],
  [
    "an unknown function",
    flow("when: request.path.startWith('/')"),
    "11:39 policy.rules.0.when: unknown function startWith(); did you mean startsWith?",
  ],
  [
    "an unknown access class in a condition",
    flow("when: operation.access == 'raed'"),
    '11:59 policy.rules.0.when: operation.access is never "raed"; did you mean "read"?',
  ],
  [
    "an unknown operation in a condition",
    flow("when: operation.name == 'DeleteMonitr'"),
    '11:57 policy.rules.0.when: operation.name is never "DeleteMonitr"; did you mean "DeleteMonitor"?',
  ],
  [
    "an unknown issuer in a condition",
    flow("when: caller.issuer_name == 'gihub'"),
    '11:61 policy.rules.0.when: caller.issuer_name is never "gihub"; did you mean "github"?',
  ],
  [
    "an unknown connection",
    flow("when: connection.name == 'pord'"),
    '11:58 policy.rules.0.when: connection.name is never "pord"; did you mean "prod"?',
  ],
  [
    "an unknown operation",
    flow("operations: [DeleteMonitr]"),
    '11:46 policy.rules.0.operations.0.name.0: no operation is called "DeleteMonitr"; did you mean "DeleteMonitor"?',
  ],
  [
    "a mistyped class among operations",
    flow("operations: raed"),
    '11:45 policy.rules.0.operations.0.name.0: no operation is called "raed"; did you mean "read"?',
  ],
  [
    "an unknown API",
    flow("operations: [read, MonitorApi]"),
    '11:52 policy.rules.0.operations.1.api.0: no API is called "MonitorApi"; did you mean "MonitorsApi"?',
  ],
  [
    "an unknown id",
    flow("operations: [v1.MonitorsApi.DeleteMonitr]"),
    `11:46 policy.rules.0.operations.0.id.0: no operation's id is called "v1.MonitorsApi.DeleteMonitr"; did you mean "v1.MonitorsApi.DeleteMonitor"?`,
  ],
  [
    "a pattern that nothing is like",
    flow("operations: ['Delte*']"),
    /^11:46 policy\.rules\.0\.operations\.0\.name\.0: no operation is like "Delte\*"/,
  ],
  [
    "an unknown key of operations",
    flow("operations: { acess: read }"),
    "11:47 policy.rules.0.operations.0.acess: unknown key; did you mean access?",
  ],
  [
    "an unknown class in a map",
    flow("operations: { access: raed }"),
    '11:55 policy.rules.0.operations.0.access.0: "raed" is not one of read, write, destructive, submit, unknown; did you mean read?',
  ],
  [
    "an unknown key of callers",
    flow("callers: { repo: acme/x }"),
    /^11:44 policy\.rules\.0\.callers\.0\.repo: unknown key; known here are issuer, subject, repository/,
  ],
  [
    "an unknown issuer",
    flow("callers: { issuer: gihub }"),
    '11:52 policy.rules.0.callers.0.issuer.0: no issuer is called "gihub"; did you mean "github"?',
  ],
  // Types
  [
    "a condition that is no text",
    flow("when: true"),
    "11:39 policy.rules.0.when: must be text, and this is true or false (put it in quotes to make it text)",
  ],
  [
    "a condition that is neither true nor false",
    flow("when: operation.name"),
    "11:39 policy.rules.0.when: must be true or false, and this is a string",
  ],
  [
    "a number compared with a text",
    flow("when: request.params.monitor_id == 17"),
    /^11:39 policy\.rules\.0\.when: types do not fit: string == int; ids and parameters are text/,
  ],
  [
    "a number as a repository",
    flow("callers: { repository: 5678 }"),
    "11:56 policy.rules.0.callers.0.repository.0: must be text: put it in quotes",
  ],
  [
    "a list where a map is meant",
    flow("callers: acme/x"),
    "11:42 policy.rules.0.callers.0: must be a map of keys, like { repository: acme/* }",
  ],
  [
    "rules that are no list",
    good.replace(/ {4}- name: agents[\s\S]*$/, "    agents: {}\n"),
    "11:5 policy.rules: must be a list, and this is a map of keys",
  ],
  ["an empty list", flow("operations: []"), "11:45 policy.rules.0.operations: is an empty list"],
  [
    "an empty map",
    flow("callers: {}"),
    /^11:42 policy\.rules\.0\.callers\.0: must have at least one of issuer, subject/,
  ],
  ["a rule without a name", withRule("    - { effect: allow }"), "11:7 policy.rules.0.name: is required"],
  ["a rule without an effect", withRule("    - { name: r }"), "11:7 policy.rules.0.effect: is required"],
  [
    "two rules of one name",
    `${good}    - { name: agents-may-read, effect: deny }\n`,
    "14:15 policy.rules.1.name: agents-may-read is used twice; every name must be its own",
  ],
  // Expressions
  [
    "an unclosed quote in a condition",
    flow("when: 'operation.name == \"x'"),
    /^11:\d+ policy\.rules\.0\.when: .*(unterminated|string)/i,
  ],
  ["an unclosed bracket", flow("when: 'operation.name in [\"a\"'"), /^11:\d+ policy\.rules\.0\.when: expected/i],
  [
    "a condition that stops short",
    flow("when: operation.known &&"),
    "11:57 policy.rules.0.when: unexpected token: EOF",
  ],
  [
    "a bad regex",
    flow("when: \"request.path.re('(')\""),
    /^11:\d+ policy\.rules\.0\.when: not a regular expression of RE2: .*missing closing \)/,
  ],
  [
    "a lookahead, which RE2 does not have",
    flow("when: \"request.path.re('a(?=b)')\""),
    /not a regular expression of RE2/,
  ],
  [
    "a regex made from other values",
    flow("when: request.path.re(request.method)"),
    /^11:55 policy\.rules\.0\.when: re\(\) takes a pattern written in the policy/,
  ],
  ["matches(), which could hang", flow("when: request.path.matches('x')"), /matches\(\) is not available/],
  [
    "a condition that is too deep",
    flow(`when: '${deep(60)}'`),
    /policy\.rules\.0\.when: is too large: more than 50 levels/,
  ],
  [
    "a condition of too many parts",
    withRule(`    - { name: r, effect: allow, when: '1 in [${Array.from({ length: 1_200 }, () => "1").join(",")}]' }`),
    "11:2046 policy.rules.0.when: is too large: more than 1000 entries in a list; make two rules of it",
  ],
  [
    "a condition of too many characters",
    flow(`when: 'operation.name == "${"x".repeat(10_000)}"'`),
    "11:39 policy.rules.0.when: is longer than 10000 characters",
  ],
  [
    "a reference in a condition",
    flow("when: 'caller.team == \"${env:OPS}\"'"),
    "11:39 policy.rules.0.when: ${…} is not replaced in conditions: write the value itself",
  ],
  [
    "a reference in a rule",
    flow("callers: { repository: '${env:OPS}' }"),
    "11:56 policy.rules.0.callers.repository: ${…} is not replaced in rules: write the value itself",
  ],
  // Times and limits
  [
    "a bad duration",
    withRule("    - { name: r, effect: approve, expires: 30 minutes }"),
    /^11:44 policy\.rules\.0\.expires: must be a duration: .* like 30m/,
  ],
  [
    "an unknown day",
    flow("during: { days: mon-fry }"),
    "11:49 policy.rules.0.during.0.days.0: must be days of mon, tue, wed, thu, fri, sat, sun, like mon-fri; did you mean fri?",
  ],
  [
    "hours that are none",
    flow("during: { hours: 9-17 }"),
    "11:50 policy.rules.0.during.0.hours: must be two times of day, like 09:00-17:00",
  ],
  [
    "a zone that is none",
    flow("during: { days: mon, zone: Europe/Berln }"),
    "11:60 policy.rules.0.during.0.zone: is no time zone; did you mean Europe/Berlin?",
  ],
  [
    "a day that is none",
    flow("outside: { from: 2026-02-30 }"),
    "11:50 policy.rules.0.outside.0.from: is no day of the calendar",
  ],
  [
    "a time that ends before it begins",
    flow("outside: { from: 2026-12-20, until: 2026-12-01 }"),
    "11:42 policy.rules.0.outside.0: ends before it begins",
  ],
  [
    "a limit without a time",
    flow("limit: 20"),
    /^11:40 policy\.rules\.0\.limit: must be a number of calls and a time, like 20\/hour/,
  ],
  [
    "a limit of an unknown time",
    flow("limit: 20/huor"),
    '11:40 policy.rules.0.limit: "huor" is not one of second, minute, hour, day, session; did you mean 20/hour?',
  ],
  ["a limit of nothing", flow("limit: 0/hour"), /^11:40 policy\.rules\.0\.limit: must let at least one call pass/],
  [
    "a limit on a deny",
    withRule("    - { name: r, effect: deny, limit: 20/hour }"),
    /^11:32 policy\.rules\.0\.limit: belongs to rules with effect: allow/,
  ],
  [
    "a rule on answers that allows",
    flow("phase: response"),
    /^11:26 policy\.rules\.0\.effect: a rule on responses can only deny/,
  ],
  [
    "response in a rule on requests",
    flow("when: response.status == 200"),
    "11:39 policy.rules.0.when: response is there for rules with phase: response only",
  ],
  [
    "the request's body in a rule on answers",
    withRule("    - { name: r, effect: deny, phase: response, when: request.body.x == 1 }"),
    /^11:\d+ policy\.rules\.0\.when: request\.body is gone when the answer comes/,
  ],
  ["an observing allow", flow("observe: true"), /^11:42 policy\.rules\.0\.observe: is for deny and approve rules/],
  // YAML
  ["an unclosed quote", flow("when: 'true"), /^\d+:\d+ not valid YAML: Missing closing 'quote/],
  ["a key written twice", flow("when: 'true', when: 'false'"), "11:47 the key when is written twice; keep one of them"],
  ["a tab", withRule("\t- { name: r, effect: allow }"), /^1[01]:\d+ not valid YAML/],
  ["bad indentation", withRule("    - name: r\n     effect: allow"), /^1[12]:\d+ not valid YAML/],
  ["an alias without an anchor", flow("when: *cond"), "11:39 the alias *cond has no anchor"],
  [
    "cyclic anchors",
    withRule("    - &r { name: r, effect: allow, callers: [*r] }"),
    "11:46 the alias *r stands inside what it repeats",
  ],
  [
    "anchors that multiply",
    `x: &a [${"y,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: [${"*b,".repeat(50)}]\n${good}`,
    "1:1 repeats its aliases too often",
  ],
  ["deep nesting", `${good}x: ${"[".repeat(10_000)}`, /^\d+:\d+ (is nested too deeply|not valid YAML)/],
  [
    "nesting that is closed again",
    `${good}x: ${"[".repeat(3_000)}${"]".repeat(3_000)}\n`,
    /^14:\d+ is nested too deeply/,
  ],
  ["nesting that YAML can read", `${good}x: ${"[".repeat(300)}${"]".repeat(300)}\n`, "1:1 is nested too deeply"],
  ["two documents", `${good}---\n${good}`, /^\d+:\d+ not valid YAML/],
  ["10 MB", `${good}#${"x".repeat(10_000_000)}`, "1:1 is larger than 1 MiB"],
  ["bytes that are no text", `${good}policy2: "\0"\n`, /^\d+:\d+ /],
  ["an unknown tag", flow("when: !regex x"), /^11:39 not valid YAML: Unresolved tag/],
];

test("there are at least forty kinds", () => {
  expect(kinds.length).toBeGreaterThanOrEqual(40);
});

describe("a wrong policy file", () => {
  test.each(kinds)("%s", (_, text, problem) => {
    const [first = ""] = problems(text, examine);
    if (typeof problem === "string") expect(first).toBe(problem);
    else expect(first).toMatch(problem);
    expect(first).toMatch(/^\d+:\d+ ./);
  });

  test("leaves the running configuration as it is, whatever kind it is of", () => {
    const file = fileWith(good);
    const changed: unknown[] = [];
    const refused: (readonly Problem[])[] = [];
    const watch = watchConfig(
      { file, env, examine },
      { changed: (config) => changed.push(config), refused: (found) => refused.push(found) },
      1e9,
    );
    for (const [, text] of kinds) {
      writeFileSync(file, text);
      watch.look();
      watch.look();
    }
    watch.stop();
    expect(changed).toEqual([]);
    expect(refused.length).toBeGreaterThanOrEqual(kinds.length - 1);
    expect(
      refused.every((found) => found.length > 0 && found.every(({ line, column }) => line > 0 && column > 0)),
    ).toBe(true);
  });
});

test("shorthands in all their forms are read", () => {
  const file = fileWith(
    withRule(`    - name: r
      effect: allow
      callers: [{ repository: acme/*, ref: [refs/heads/main, refs/tags/*] }, { groups: sre }]
      operations: [read, MonitorsApi, "Create*", v2.LogsApi.*, { access: write, api: DashboardsApi }]
      during: { days: [mon-wed, fri], hours: 22:00 - 06:00, zone: Europe/Berlin }
      outside: [{ from: 2026-12-20, until: 2027-01-05 }, { days: sat-sun }]
      limit: 20/hour`),
  );
  const config = loadConfig(file, env, examine);
  expect(isConfig(config) && config.policy.rules[0]).toEqual({
    name: "r",
    effect: "allow",
    when: "true",
    phase: "request",
    observe: false,
    callers: [{ repository: ["acme/*"], ref: ["refs/heads/main", "refs/tags/*"] }, { groups: ["sre"] }],
    operations: [
      { access: ["read"] },
      { api: ["MonitorsApi"] },
      { name: ["Create*"] },
      { id: ["v2.LogsApi.*"] },
      { access: ["write"], api: ["DashboardsApi"] },
    ],
    during: [{ days: ["mon", "tue", "wed", "fri"], hours: { from: "22:00", until: "06:00" }, zone: "Europe/Berlin" }],
    outside: [
      { from: "2026-12-20", until: "2027-01-05", zone: "UTC" },
      { days: ["sat", "sun"], zone: "UTC" },
    ],
    limit: { count: 20, per: "hour" },
  });
});
