/** The meaning of a policy: the strongest rule wins, errors fall on the safe side, and every decision says why. */

import { describe, expect, test } from "vitest";
import type { Decision } from "../../../server/model/decision.ts";
import { codeOf, decide, needsBody } from "../../../server/stages/decide/decide.ts";
import type { Facts } from "../../../server/stages/decide/facts.ts";
import type { Policy } from "../../../server/stages/decide/policy.ts";
import { deleteMonitor, factsOf, policyOf, rule, unknownOperation, updateMonitor } from "./example.ts";

const decided = (policy: Policy, facts: Facts): Decision => {
  const decision = decide(policy, facts);
  if (needsBody(decision)) throw new Error("the body was asked for");
  return decision;
};

const outcome = (when: string, facts: Facts = factsOf()) =>
  ["deny", "allow"].map(
    (effect) => decided(policyOf([rule("it", effect as "deny" | "allow", when)]), facts).rules.length,
  );
const holds = [1, 1];
const fails = [0, 0];
/** A deny counts as matched, an allow does not. */
const errs = [1, 0];

describe("which rule wins", () => {
  const rules = [rule("reads", "allow", "true"), rule("asks", "approve", "true"), rule("never", "deny", "true")];

  test("deny beats approve, approve beats allow", () => {
    expect(decided(policyOf(rules), factsOf()).effect).toBe("deny");
    expect(decided(policyOf(rules.slice(0, 2)), factsOf()).effect).toBe("approve");
    expect(decided(policyOf(rules.slice(0, 1)), factsOf()).effect).toBe("allow");
  });

  test("the order of the rules changes nothing, not even the policy's digest", () => {
    expect(decided(policyOf(rules.toReversed()), factsOf())).toEqual(decided(policyOf(rules), factsOf()));
  });

  test("every rule that matched is named with its condition, strongest first", () => {
    expect(decided(policyOf(rules), factsOf()).rules).toEqual([
      { name: "never", effect: "deny", reason: "true" },
      { name: "asks", effect: "approve", reason: "true" },
      { name: "reads", effect: "allow", reason: "true" },
    ]);
  });

  test("nothing matched is denied, and an empty policy denies everything", () => {
    const decision = decided(policyOf([]), factsOf());
    expect(decision).toMatchObject({ effect: "deny", rules: [], reason: "UpdateMonitor is denied: no rule allows it" });
    expect(codeOf(decision, updateMonitor)).toBe("denied");
  });

  test("an unknown operation that nothing allows has its own code", () => {
    const decision = decided(policyOf([]), factsOf({ operation: unknownOperation }));
    expect(codeOf(decision, unknownOperation)).toBe("operation_unknown");
    expect(decision.reason).toBe("an operation unknown to Dogwatch is denied: no rule allows it");
  });

  test("an unknown operation that a rule denies is denied, and one that a rule allows passes", () => {
    const facts = factsOf({ operation: unknownOperation });
    expect(codeOf(decided(policyOf([rule("no", "deny", "!operation.known")]), facts), unknownOperation)).toBe("denied");
    expect(
      codeOf(decided(policyOf([rule("yes", "allow", 'operation.access == "unknown"')]), facts), unknownOperation),
    ).toBeNull();
  });

  test("an approve decision is refused with approval_required", () => {
    const decision = decided(policyOf([rule("ask", "approve", "true")]), factsOf());
    expect(codeOf(decision, updateMonitor)).toBe("approval_required");
    expect(decision.reason).toBe("UpdateMonitor needs an approval by rule ask");
  });

  test("the rule is named in the sentence that the agent reads", () => {
    const policy = policyOf([
      rule(
        "no-monitor-deletes",
        "deny",
        'operation.name == "DeleteMonitor" && !(request.params.monitor_id in ["4212"])',
      ),
    ]);
    expect(decided(policy, factsOf({ operation: deleteMonitor })).reason).toBe(
      "DeleteMonitor is denied by rule no-monitor-deletes",
    );
    const excepted = { ...deleteMonitor, params: { monitor_id: "4212" } };
    expect(decided(policy, factsOf({ operation: excepted })).reason).toBe("DeleteMonitor is denied: no rule allows it");
  });
});

describe("rules that end in an error", () => {
  test("a missing claim: an allow does not match, a deny and an approve count as matched", () => {
    expect(outcome('caller.team == "sre"')).toEqual(errs);
    const asks = decided(policyOf([rule("ask", "approve", 'caller.team == "sre"')]), factsOf());
    expect(asks.effect).toBe("approve");
  });

  test("the decision names the rule and the place in it, never a value of the request", () => {
    const policy = policyOf([
      rule("odd", "deny", "int(request.query.secret) > 1"),
      rule("team", "allow", 'caller.team == "sre"'),
    ]);
    const decision = decided(policy, factsOf({ request: { ...factsOf().request, query: "secret=hunter2" } }));
    expect(decision.reason).toBe(
      "UpdateMonitor is denied by rule odd; rule odd could not be evaluated (int conversion error: int(request.query.secret)) and counts as matched; " +
        "rule team could not be evaluated (not there: caller.team) and does not match",
    );
    expect(decision.rules.map(({ name }) => name)).toEqual(["odd"]);
    expect(JSON.stringify(decision)).not.toContain("hunter2");
  });

  test.for([
    'false && caller.nope == "x"',
    'caller.nope == "x" && false',
    '!(true || caller.nope == "x")',
    '!(caller.nope == "x" || true)',
    '(caller.nope == "x" && false) || false',
    "caller.groups.exists(g, g == caller.nope) && false",
  ])("an error that cannot matter does not: %s is false", (when) => {
    expect(outcome(when)).toEqual(fails);
  });

  test.for([
    'true && caller.nope == "x"',
    'caller.nope == "x" && true',
    'caller.nope == "x" || false',
    'false || caller.nope == "x"',
    '!(caller.nope == "x")',
    "caller.nope ? true : true",
    "caller.run_attempt",
    '"x" > caller.run_attempt',
    'caller.groups[7] == "x"',
  ])("an error that matters does: %s", (when) => {
    expect(outcome(when)).toEqual(errs);
  });

  test("names of JavaScript's prototypes are no claims, parameters or headers", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"]) {
      expect(outcome(`caller["${name}"] == "x"`)).toEqual(errs);
      expect(outcome(`"${name}" in caller`)).toEqual(fails);
      expect(outcome(`"${name}" in request.params`)).toEqual(fails);
      expect(outcome(`request.headers["${name}"] == "x"`)).toEqual(errs);
    }
  });

  test("a claim cannot stand in for the issuer, the subject or the groups", () => {
    const caller = {
      ...factsOf().caller,
      claims: { issuer: "evil", subject: "evil", groups: ["admins"], issuer_name: "evil" },
    };
    expect(
      outcome(
        'caller.issuer == "evil" || caller.subject == "evil" || "admins" in caller.groups || caller.issuer_name == "evil"',
        factsOf({ caller }),
      ),
    ).toEqual(fails);
  });

  test("a claim named __proto__ or constructor is a claim like any other", () => {
    const claims: Record<string, unknown> = JSON.parse('{"__proto__": {"admin": "yes"}, "constructor": "x"}');
    const facts = factsOf({ caller: { ...factsOf().caller, claims } });
    expect(outcome('caller.admin == "yes"', facts)).toEqual(errs);
    expect(outcome('caller["constructor"] == "x"', facts)).toEqual(holds);
  });
});

describe("what conditions see", () => {
  test("claims that are whole numbers compare with whole numbers", () => {
    expect(outcome("caller.run_attempt == 2")).toEqual(holds);
    expect(outcome("caller.run_attempt in [1, 2]")).toEqual(holds);
    expect(outcome("caller.run_attempt > 1")).toEqual(holds);
  });

  test("a claim that JavaScript rounded equals nothing", () => {
    const claims = { big: Number("9007199254740993") };
    const facts = factsOf({ caller: { ...factsOf().caller, claims } });
    expect(outcome("caller.big == 9007199254740992", facts)).toEqual(errs);
    expect(outcome("caller.big != 9007199254740993", facts)).toEqual(errs);
  });

  test("headers by lower-case name, query decoded once", () => {
    const request = {
      ...factsOf().request,
      query: "filter%5Bx%5D=a%2520b+c&empty",
      headers: [["X-Env", "Prod"]] as const,
    };
    expect(outcome('request.headers["x-env"] == "Prod"', factsOf({ request }))).toEqual(holds);
    expect(
      outcome('request.query["filter[x]"] == "a%20b c" && request.query.empty == ""', factsOf({ request })),
    ).toEqual(holds);
  });

  test("a parameter or header sent twice has no value: neither answer of a rule can be forced with it", () => {
    const request = {
      ...factsOf().request,
      query: "force=true&force=false",
      headers: [
        ["X-A", "1"],
        ["x-a", "2"],
      ] as const,
    };
    for (const when of [
      'request.query.force == "false"',
      'request.query.force != "true"',
      'request.headers["x-a"] == "1"',
      "has(request.query.force)",
    ])
      expect(outcome(when, factsOf({ request }))).toEqual(errs);
  });

  test("everything the contract names can be read", () => {
    const names = [
      "connection.name",
      "connection.kind",
      "connection.site",
      "request.method",
      "request.path",
      ...["id", "name", "api", "version", "access", "method", "path"].map((field) => `operation.${field}`),
    ];
    for (const name of names) expect(outcome(`size(${name}) > 0`)).toEqual(holds);
    expect(outcome("operation.known")).toEqual(holds);
    expect(() => outcome('connection.apiKey == ""')).toThrow("unknown name connection.apiKey");
  });
});

describe("when the body is asked for", () => {
  const reads = 'request.body.query == "x"';
  const asks = (when: string, facts = factsOf()) => needsBody(decide(policyOf([rule("it", "deny", when)]), facts));

  test("not when no rule reads it", () => {
    expect(asks('operation.access == "read"')).toBe(false);
  });

  test.for([
    `operation.name == "CreateMonitor" && ${reads}`,
    `${reads} && operation.name == "CreateMonitor"`,
    `${reads} || true`,
    `true || ${reads}`,
  ])("not when the rest settles it: %s", (when) => {
    expect(asks(when)).toBe(false);
  });

  test.for([
    reads,
    `operation.name == "UpdateMonitor" && ${reads}`,
    `${reads} && operation.name == "UpdateMonitor"`,
    "has(request.body.query)",
    '"query" in request.body',
    // Whichever of two errors comes out, the body might still make this false.
    `${reads} && caller.nope == "x"`,
    `caller.nope == "x" && ${reads}`,
    "caller.groups.exists(g, request.body.name == g)",
    "cel.bind(b, request.body, b.x == 1)",
  ])("when it may matter: %s", (when) => {
    expect(asks(when)).toBe(true);
  });

  test("once it is there, the rule is settled by it", () => {
    const body = (query: string) => factsOf({ body: { value: new Map([["query", query]]) } });
    expect(outcome(reads, body("x"))).toEqual(holds);
    expect(outcome(reads, body("y"))).toEqual(fails);
    expect(outcome("request.body == null", factsOf({ body: { value: null } }))).toEqual(holds);
  });

  test("a body that cannot be understood makes the rule end in an error, and the reason says why", () => {
    const facts = factsOf({ body: { unevaluable: "it is not valid gzip" } });
    expect(outcome(reads, facts)).toEqual(errs);
    expect(outcome("has(request.body.query)", facts)).toEqual(errs);
    expect(outcome(`false && ${reads}`, facts)).toEqual(fails);
    expect(decided(policyOf([rule("it", "deny", reads)]), facts).reason).toContain(
      "request.body: it is not valid gzip",
    );
  });

  test("NDJSON is a list for intakes, and nothing a rule can rely on elsewhere", () => {
    const body = { value: [new Map([["query", "x"]])], ndjson: true } as const;
    expect(outcome("has(request.body.query)", factsOf({ body }))).toEqual(errs);
    expect(
      outcome('request.body[0].query == "x"', factsOf({ body, operation: { ...updateMonitor, access: "submit" } })),
    ).toEqual(holds);
  });
});

describe("observe", () => {
  const allow = rule("writes", "allow", 'operation.access in ["write", "destructive"]');
  const shadow = (when: string) => rule("trial", "deny", when, { observe: true });
  const effectOf = (policy: Policy, facts = factsOf()) => decided(policy, facts).effect;

  test("a rule that only observes lets pass, and the decision says what it would have done", () => {
    const decision = decided(policyOf([allow, shadow("true")]), factsOf());
    expect(decision.effect).toBe("observe");
    expect(decision.rules.map(({ name }) => name)).toEqual(["trial", "writes"]);
    expect(decision.reason).toBe(
      "UpdateMonitor would be denied by rule trial, and is forwarded because that is only observed",
    );
    expect(codeOf(decision, updateMonitor)).toBeNull();
  });

  test("it forwards what would be denied, also when nothing else allows it", () => {
    expect(effectOf(policyOf([shadow("true")]))).toBe("observe");
    expect(effectOf(policyOf([shadow("false")]))).toBe("deny");
  });

  test("a rule in earnest still wins", () => {
    expect(effectOf(policyOf([shadow("true"), rule("never", "deny", "true")]))).toBe("deny");
    expect(effectOf(policyOf([shadow("true"), rule("ask", "approve", "true"), allow]))).toBe("approve");
  });

  test("it never covers what destroys, unless the rule names the class", () => {
    const facts = factsOf({ operation: deleteMonitor });
    expect(effectOf(policyOf([allow, shadow("true")]), facts)).toBe("deny");
    expect(effectOf(policyOf([allow, shadow('operation.access == "destructive"')]), facts)).toBe("observe");
    expect(effectOf(policyOf([], { observe: true }), facts)).toBe("deny");
    expect(
      effectOf(policyOf([rule("never", "deny", 'operation.access == "destructive"')], { observe: true }), facts),
    ).toBe("deny");
  });

  test("a DELETE that nobody knows is taken for destructive", () => {
    expect(
      effectOf(policyOf([], { observe: true }), factsOf({ operation: { ...unknownOperation, method: "DELETE" } })),
    ).toBe("deny");
    expect(effectOf(policyOf([], { observe: true }), factsOf({ operation: unknownOperation }))).toBe("observe");
  });

  test("a rule that observes and cannot be evaluated neither forwards nor refuses", () => {
    expect(effectOf(policyOf([shadow('caller.nope == "x"')]))).toBe("deny");
    expect(effectOf(policyOf([shadow('caller.nope == "x"'), allow]))).toBe("observe");
  });

  test("policy.observe forwards and records; what is allowed anyway stays allowed", () => {
    expect(decided(policyOf([], { observe: true }), factsOf()).reason).toBe(
      "UpdateMonitor would be denied because no rule allows it, and is forwarded because that is only observed",
    );
    expect(effectOf(policyOf([rule("never", "deny", "true")], { observe: true }))).toBe("observe");
    expect(effectOf(policyOf([allow], { observe: true }))).toBe("allow");
  });
});
