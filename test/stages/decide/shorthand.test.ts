/** What `callers`, `operations`, `during` and `outside` mean, and the CEL they stand for. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RuleSource, TimeWindow } from "../../../server/model/config.ts";
import { decide } from "../../../server/stages/decide/decide.ts";
import type { Facts } from "../../../server/stages/decide/facts.ts";
import { compilePolicy, isPolicy } from "../../../server/stages/decide/policy.ts";
import { celOf, expressionOf } from "../../../server/stages/decide/shorthand.ts";
import { RE2JS } from "re2js";
import { deleteMonitor, factsOf, policyOf, rule, unknownOperation } from "./example.ts";

const holds = (more: Partial<RuleSource>, facts: Facts = factsOf(), when = "true"): boolean => {
  const decided = decide(policyOf([rule("it", "allow", when, more)]), facts);
  return "rules" in decided && decided.rules.length === 1;
};
const counts = (more: Partial<RuleSource>, facts: Facts): boolean => {
  const decided = decide(policyOf([rule("it", "deny", "true", more)]), facts);
  return "rules" in decided && decided.rules.length === 1;
};
const calledBy = (claims: Record<string, unknown>, groups: string[] = []): Facts =>
  factsOf({ caller: { ...factsOf().caller, claims, groups } });

describe("the CEL they stand for", () => {
  test.for<[Partial<RuleSource>, string]>([
    [{ operations: [{ access: ["read"] }] }, '(operation.access == "read")'],
    [{ operations: [{ access: ["read"] }, { access: ["submit"] }] }, '(operation.access in ["read", "submit"])'],
    [
      { operations: [{ api: ["MonitorsApi"] }, { name: ["Delete*"] }] },
      String.raw`(operation.api == "MonitorsApi" || operation.name.re("\\A(?:Delete[^/]*)\\z"))`,
    ],
    [
      { operations: [{ api: ["MonitorsApi"], access: ["read"] }] },
      '(operation.access == "read") && (operation.api == "MonitorsApi")',
    ],
    [{ callers: [{ repository: ["acme/app"] }] }, '(has(caller.repository) && caller.repository == "acme/app")'],
    [{ callers: [{ repository: ["5678"] }] }, '(has(caller.repository_id) && caller.repository_id == "5678")'],
    [
      { callers: [{ owner: ["acme", "1234"] }] },
      '((has(caller.repository_owner_id) && caller.repository_owner_id == "1234") || (has(caller.repository_owner) && caller.repository_owner == "acme"))',
    ],
    [{ callers: [{ groups: ["sre", "web"] }] }, '(caller.groups.exists(g, g in ["sre", "web"]))'],
    [{ callers: [{ issuer: ["github"] }] }, '(caller.issuer_name == "github")'],
    [
      { during: [{ days: ["mon", "tue"], hours: { from: "09:00", until: "17:00" }, zone: "UTC" }] },
      '(now.weekday("UTC") in ["mon", "tue"] && now.time("UTC") >= "09:00" && now.time("UTC") < "17:00")',
    ],
    [
      { outside: [{ from: "2026-12-20", until: "2027-01-05", zone: "UTC" }] },
      '(!(now.date("UTC") >= "2026-12-20" && now.date("UTC") <= "2027-01-05"))',
    ],
  ])("%j", ([more, cel]) => {
    expect(celOf(rule("it", "allow", "true", more))).toBe(cel);
  });

  test("all of them and `when` are joined by &&", () => {
    expect(celOf(rule("it", "allow", "request.method == 'GET'", { operations: [{ access: ["read"] }] }))).toBe(
      "(operation.access == \"read\") && (request.method == 'GET')",
    );
    expect(holds({ operations: [{ access: ["write"] }] }, factsOf(), "false")).toBe(false);
    expect(holds({ operations: [{ access: ["read"] }] }, factsOf(), "true")).toBe(false);
  });
});

describe("patterns", () => {
  const fits = (pattern: string, text: string): boolean => RE2JS.compile(expressionOf([pattern])).test(text);

  test.for<[string, string, boolean]>([
    ["acme/*", "acme/app", true],
    ["acme/*", "acme/app/x", false],
    ["acme/**", "acme/app/x", true],
    ["acme/*", "evil/acme/app", false],
    ["acme/*", "acme", false],
    ["acme/app", "acme/app\n", false],
    ["acme/*", "acme/app\nx", true],
    ["refs/heads/release-?", "refs/heads/release-1", true],
    ["refs/heads/release-?", "refs/heads/release-12", false],
    ["refs/heads/release-?", "refs/heads/release-/", false],
    ["*.acme.example", "www.acme.example", true],
    ["*.acme.example", "wwwXacmeXexample", false],
    ["a+b(c)[d]^$|\\", "a+b(c)[d]^$|\\", true],
    ["**", "", true],
    ["*", "unknown", true],
    ["Ünï*", "Ünïcode", true],
  ])("%s and %j: %s", ([pattern, text, expected]) => {
    expect(fits(pattern, text)).toBe(expected);
  });

  test("against a matcher that tries everything", () => {
    const plain = (pattern: string, text: string): boolean => {
      if (pattern === "") return text === "";
      if (pattern.startsWith("**")) {
        const rest = pattern.replace(/^\*\*+/, "");
        return Array.from({ length: text.length + 1 }, (_, i) => i).some((i) => plain(rest, text.slice(i)));
      }
      if (pattern.startsWith("*")) {
        const reach = text.search(/\/|$/);
        return Array.from({ length: reach + 1 }, (_, i) => i).some((i) => plain(pattern.slice(1), text.slice(i)));
      }
      if (text === "") return false;
      return (pattern[0] === "?" ? text[0] !== "/" : pattern[0] === text[0]) && plain(pattern.slice(1), text.slice(1));
    };
    const letters = fc.array(fc.constantFrom("a", "b", "/", ".", "\n"), { maxLength: 8 }).map((all) => all.join(""));
    const pattern = fc
      .array(fc.constantFrom("a", "b", "/", ".", "*", "**", "?"), { minLength: 1, maxLength: 7 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(pattern, letters, (one, text) => {
        expect(fits(one, text)).toBe(plain(one, text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("hundreds of patterns are one condition", () => {
    const names = Array.from({ length: 500 }, (_, i) => `Get${i}*`);
    expect(holds({ operations: [{ name: [...names.slice(1), "Update*"] }] })).toBe(true);
    const callers = Array.from({ length: 200 }, (_, i) => ({ repository: [`acme/r${i}`], ref: ["refs/heads/main"] }));
    expect(holds({ callers }, calledBy({ repository: "acme/r199", ref: "refs/heads/main" }))).toBe(true);
    expect(holds({ callers }, calledBy({ repository: "acme/r200", ref: "refs/heads/main" }))).toBe(false);
  });
});

describe("callers", () => {
  const github = {
    repository: "acme/app",
    repository_id: "5678",
    repository_owner: "acme",
    repository_owner_id: "1234",
    ref: "refs/heads/main",
    environment: "prod",
    workflow_ref: "acme/app/.github/workflows/x.yml@refs/heads/main",
    event_name: "push",
    actor: "ann",
  };

  test.for<[keyof typeof keys, string, string]>([
    ["repository", "acme/*", "acme/application/*"],
    ["repository", "5678", "567"],
    ["owner", "acme", "acm"],
    ["owner", "1234", "123*"],
    ["ref", "refs/heads/*", "refs/tags/*"],
    ["environment", "prod", "Prod"],
    ["workflow", "acme/app/.github/workflows/x.yml@*/*/main", "acme/app/*"],
    ["event", "push", "pull_request"],
    ["actor", "a?n", "a?"],
  ])("%s: %s fits, %s does not", ([key, good, bad]) => {
    expect(holds({ callers: [{ [key]: [good] }] }, calledBy(github))).toBe(true);
    expect(holds({ callers: [{ [key]: [bad] }] }, calledBy(github))).toBe(false);
    expect(holds({ callers: [{ [key]: [bad, good] }] }, calledBy(github))).toBe(true);
    // A claim that is not there fits nothing: neither does it allow, nor does it deny.
    expect(holds({ callers: [{ [key]: [good] }] }, calledBy({}))).toBe(false);
    expect(counts({ callers: [{ [key]: [good] }] }, calledBy({}))).toBe(false);
  });
  const keys = { repository: 1, owner: 1, ref: 1, environment: 1, workflow: 1, event: 1, actor: 1 };

  test("every key of a map must fit; any map of a list is enough", () => {
    const both = [{ repository: ["acme/app"], ref: ["refs/heads/main"] }];
    expect(holds({ callers: both }, calledBy(github))).toBe(true);
    expect(holds({ callers: both }, calledBy({ ...github, ref: "refs/heads/x" }))).toBe(false);
    expect(holds({ callers: [...both, { groups: ["sre"] }] }, calledBy({}, ["sre"]))).toBe(true);
  });

  test("a claim of an odd type allows nothing, and a deny that names it counts", () => {
    expect(holds({ callers: [{ repository: ["acme/*"] }] }, calledBy({ repository: ["acme/app"] }))).toBe(false);
    expect(counts({ callers: [{ repository: ["acme/*"] }] }, calledBy({ repository: ["acme/app"] }))).toBe(true);
  });

  test("any of the caller's groups", () => {
    expect(holds({ callers: [{ groups: ["team-*"] }] }, calledBy({}, ["x", "team-a"]))).toBe(true);
    expect(holds({ callers: [{ groups: ["team-*"] }] }, calledBy({}, []))).toBe(false);
  });
});

describe("operations", () => {
  test("words of a list are alternatives, keys of a map are not", () => {
    expect(holds({ operations: [{ name: ["DeleteMonitor"] }, { access: ["write"] }] })).toBe(true);
    expect(holds({ operations: [{ name: ["DeleteMonitor"], access: ["write"] }] })).toBe(false);
    expect(holds({ operations: [{ id: ["v1.MonitorsApi.*"] }] }, factsOf({ operation: deleteMonitor }))).toBe(true);
    expect(holds({ operations: [{ id: ["v2.**"] }] }, factsOf({ operation: deleteMonitor }))).toBe(false);
  });

  test("an unknown operation is called unknown: the class names it, and so does a lone star", () => {
    const facts = factsOf({ operation: unknownOperation });
    expect(holds({ operations: [{ access: ["unknown"] }] }, facts)).toBe(true);
    expect(holds({ operations: [{ name: ["*"] }] }, facts)).toBe(true);
    expect(
      holds({ operations: [{ name: ["Delete*"] }, { access: ["read", "write", "destructive", "submit"] }] }, facts),
    ).toBe(false);
  });

  test("a shorthand that names the class lets observe cover what destroys", () => {
    const policy = policyOf([rule("it", "deny", "true", { observe: true, operations: [{ access: ["destructive"] }] })]);
    expect(decide(policy, factsOf({ operation: deleteMonitor }))).toMatchObject({ effect: "observe" });
  });
});

describe("times", () => {
  const at = (now: string): Facts => factsOf({ now: new Date(now) });
  const window = (more: Partial<TimeWindow>): TimeWindow => ({ zone: "UTC", ...more });

  test.for<[string, TimeWindow, string, boolean]>([
    ["a weekday", window({ days: ["mon"] }), "2026-05-04T00:00:00Z", true],
    ["another", window({ days: ["mon"] }), "2026-05-05T00:00:00Z", false],
    ["the first minute", window({ hours: { from: "09:00", until: "17:00" } }), "2026-05-04T09:00:00Z", true],
    ["the minute before", window({ hours: { from: "09:00", until: "17:00" } }), "2026-05-04T08:59:59Z", false],
    ["the last minute", window({ hours: { from: "09:00", until: "17:00" } }), "2026-05-04T16:59:59Z", true],
    ["the end", window({ hours: { from: "09:00", until: "17:00" } }), "2026-05-04T17:00:00Z", false],
    ["until midnight", window({ hours: { from: "09:00", until: "24:00" } }), "2026-05-04T23:59:59Z", true],
    [
      "a night, before midnight",
      window({ hours: { from: "22:00", until: "06:00" }, days: ["fri"] }),
      "2026-05-08T23:00:00Z",
      true,
    ],
    [
      "a night, after midnight",
      window({ hours: { from: "22:00", until: "06:00" }, days: ["fri"] }),
      "2026-05-09T05:59:00Z",
      true,
    ],
    [
      "the night before belongs to Thursday",
      window({ hours: { from: "22:00", until: "06:00" }, days: ["fri"] }),
      "2026-05-08T05:00:00Z",
      false,
    ],
    [
      "Sunday's night goes into Monday",
      window({ hours: { from: "22:00", until: "06:00" }, days: ["sun"] }),
      "2026-05-04T01:00:00Z",
      true,
    ],
    ["a zone ahead", window({ days: ["tue"], zone: "Asia/Tokyo" }), "2026-05-04T15:00:00Z", true],
    ["a zone behind", window({ days: ["sun"], zone: "America/New_York" }), "2026-05-04T03:59:59Z", true],
    [
      "summer time",
      window({ hours: { from: "09:00", until: "10:00" }, zone: "Europe/Berlin" }),
      "2026-07-01T07:30:00Z",
      true,
    ],
    [
      "winter time",
      window({ hours: { from: "09:00", until: "10:00" }, zone: "Europe/Berlin" }),
      "2026-12-01T07:30:00Z",
      false,
    ],
    [
      "the hour that the clock skips",
      window({ hours: { from: "02:00", until: "03:00" }, zone: "Europe/Berlin" }),
      "2026-03-29T01:30:00Z",
      false,
    ],
    [
      "the hour that it shows twice, again",
      window({ hours: { from: "02:00", until: "03:00" }, zone: "Europe/Berlin" }),
      "2026-10-25T01:30:00Z",
      true,
    ],
    ["a first day", window({ from: "2026-12-20" }), "2026-12-20T00:00:00Z", true],
    ["the day before it", window({ from: "2026-12-20" }), "2026-12-19T23:59:59Z", false],
    ["a last day, to its end", window({ until: "2027-01-05" }), "2027-01-05T23:59:59Z", true],
    ["the day after it", window({ until: "2027-01-05" }), "2027-01-06T00:00:00Z", false],
    ["until a minute", window({ until: "2027-01-05T08:00" }), "2027-01-05T08:00:00Z", false],
    ["just before that", window({ until: "2027-01-05T08:00" }), "2027-01-05T07:59:59Z", true],
    [
      "from a minute, in its zone",
      window({ from: "2026-12-20T18:00", zone: "Asia/Tokyo" }),
      "2026-12-20T09:00:00Z",
      true,
    ],
  ])("%s", ([, one, now, inside]) => {
    expect(holds({ during: [one] }, at(now))).toBe(inside);
    expect(holds({ outside: [one] }, at(now))).toBe(!inside);
  });

  test("inside any, outside all", () => {
    const windows = [window({ days: ["mon"] }), window({ days: ["wed"] })];
    expect(holds({ during: windows }, at("2026-05-06T00:00:00Z"))).toBe(true);
    expect(holds({ outside: windows }, at("2026-05-06T00:00:00Z"))).toBe(false);
    expect(holds({ outside: windows }, at("2026-05-05T00:00:00Z"))).toBe(true);
  });

  test("now is a time like CEL's", () => {
    const facts = at("2026-05-04T10:30:00Z");
    expect(holds({}, facts, 'now > timestamp("2026-01-01T00:00:00Z") && now.getHours() == 10')).toBe(true);
    expect(holds({}, facts, 'now.hour("Asia/Tokyo") == 19 && now.date("Asia/Tokyo") == "2026-05-04"')).toBe(true);
  });

  test.for<[string, string]>([
    ['now.hour("Europe/Berln") > 1', '"Europe/Berln" is no time zone; did you mean "Europe/Berlin"?'],
    ["now.hour(request.method) > 1", "hour() takes a time zone written in the policy, not one made from other values"],
    [
      'now.getHours("Europe/Berlin") > 1',
      'getHours() takes no time zone here; write now.weekday, date, time or hour("Europe/Berlin")',
    ],
  ])("%s is refused", ([when, message]) => {
    const compiled = compilePolicy({ rules: [rule("it", "deny", when)], observe: false });
    expect(isPolicy(compiled) ? [] : compiled.map((finding) => finding.message)).toEqual([message]);
  });
});
