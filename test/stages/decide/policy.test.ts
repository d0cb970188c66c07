/** What is refused when a policy is compiled: typos, functions that could hang, and rules that could never match. */

import { describe, expect, test } from "vitest";
import { decide } from "../../../server/stages/decide/decide.ts";
import { flattenCaller } from "../../../server/model/caller.ts";
import { compileCondition, compilePolicy, isPolicy } from "../../../server/stages/decide/policy.ts";
import { factsOf, policyOf, rule } from "./example.ts";

const complaints = (when: string, vocabulary = {}): string[] => {
  const compiled = compilePolicy(
    { rules: [rule("fine", "allow", "true"), rule("it", "deny", when)], observe: false },
    vocabulary,
  );
  return isPolicy(compiled)
    ? []
    : compiled.map(({ path, offset, message }) => `${path.join(".")}+${offset} ${message}`);
};

test.for<[string, string]>([
  ['operation.acess == "read"', "policy.rules.1.when+10 unknown name operation.acess; did you mean access?"],
  ["has(request.bdy)", "policy.rules.1.when+12 unknown name request.bdy; did you mean body?"],
  ["requst.method == 'GET'", "policy.rules.1.when+0 unknown name requst; did you mean request?"],
  ['request.path.startWith("/")', "policy.rules.1.when+0 unknown function startWith(); did you mean startsWith?"],
  [
    'operation.access == "distructive"',
    'policy.rules.1.when+20 operation.access is never "distructive"; did you mean "destructive"?',
  ],
  [
    'operation.access in ["read", "wirte"]',
    'policy.rules.1.when+29 operation.access is never "wirte"; did you mean "write"?',
  ],
  ['"reads" != operation.access', 'policy.rules.1.when+0 operation.access is never "reads"; did you mean "read"?'],
  [
    'connection.kind == "production"',
    'policy.rules.1.when+19 connection.kind is never "production"; it is one of live, sandbox',
  ],
  [
    "request.params.monitor_id == 4212",
    "policy.rules.1.when+0 types do not fit: string == int; ids and parameters are text, write them in quotes",
  ],
  [
    "request.params.monitor_id in [4212]",
    "policy.rules.1.when+0 types do not fit: string in list<int>; ids and parameters are text, write them in quotes",
  ],
  ["operation.name", "policy.rules.1.when+0 must be true or false, and this is a string"],
  ["operation.known &&", "policy.rules.1.when+18 unexpected token: EOF"],
  [
    'request.path.re("(")',
    "policy.rules.1.when+16 not a regular expression of RE2: error parsing regexp: missing closing ): `(`",
  ],
  [
    "request.path.re(request.method)",
    "policy.rules.1.when+16 re() takes a pattern written in the policy, not one made from other values",
  ],
])("%s is refused with its place and the fix", ([when, complaint]) => {
  expect(complaints(when)).toEqual([complaint]);
});

describe("matches() is refused wherever it stands, because its running time has no bound", () => {
  test.for([
    'request.path.matches("(a+)+$")',
    '"x".matches(request.path)',
    'caller.groups.exists(g, g.matches("x"))',
    'caller.groups.map(g, g.matches("x"), g).size() > 0',
    'caller.groups.filter(g, g.matches("x")).size() > 0',
    'cel.bind(m, request.path.matches("x"), m)',
    'has(request.body.x) ? request.path.matches("x") : false',
    '[request.path.matches("x")][0]',
    '{"a": request.path.matches("x")}["a"]',
    '!(request.path.matches("x"))',
    'request.body[request.path.matches("x") ? "a" : "b"] == 1',
  ])("%s", (when) => {
    expect(complaints(when)).toEqual([expect.stringContaining("matches() is not available")]);
  });

  test("a field of that name is no function", () => {
    expect(complaints("request.body.matches == 1")).toEqual([]);
  });
});

test("re() answers where a backtracking engine would not come to an end", () => {
  const policy = policyOf([rule("it", "deny", 'request.path.re("^(a+)+$")')]);
  const decision = decide(policy, factsOf({ request: { ...factsOf().request, path: `${"a".repeat(5_000)}b` } }));
  expect(decision).toMatchObject({ effect: "deny", rules: [] });
});

test("re() finds anywhere, as CEL's matches() does", () => {
  const policy = policyOf([rule("it", "allow", 'request.path.re("v[12]/monitor")')]);
  expect(decide(policy, factsOf())).toMatchObject({ effect: "allow" });
});

test("words that only the configuration knows are checked when it is given", () => {
  const vocabulary = {
    "connection.name": ["prod", "sandbox"],
    "operation.name": Array.from({ length: 100 }, (_, i) => `GetThing${i}`),
  };
  expect(complaints('connection.name == "pord"', vocabulary)).toEqual([
    'policy.rules.1.when+19 connection.name is never "pord"; did you mean "prod"?',
  ]);
  expect(complaints('operation.name == "Frobnicate"', vocabulary)).toEqual([
    'policy.rules.1.when+18 operation.name is never "Frobnicate"; no such name is known',
  ]);
  expect(complaints('operation.name == "GetThing7"', vocabulary)).toEqual([]);
});

test("all rules are looked at, so that one run shows everything", () => {
  const compiled = compilePolicy({ rules: [rule("a", "deny", "nope"), rule("b", "deny", "nada")], observe: false });
  expect(compiled).toHaveLength(2);
});

test("the digest changes with everything that decides, and with nothing else", () => {
  const rules = [rule("a", "deny", "true"), rule("b", "allow", "true")];
  const digest = policyOf(rules).digest;
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(policyOf(rules.toReversed()).digest).toBe(digest);
  expect(policyOf(rules, { observe: true }).digest).not.toBe(digest);
  expect(policyOf([rule("a", "deny", "false"), rule("b", "allow", "true")]).digest).not.toBe(digest);
  expect(policyOf([rule("a", "approve", "true"), rule("b", "allow", "true")]).digest).not.toBe(digest);
});

describe("allow of issuers and connections", () => {
  const verdict = (text: string) => {
    const condition = compileCondition(text);
    if (Array.isArray(condition)) throw new Error(condition[0]?.message);
    return condition.evaluate(flattenCaller(factsOf().caller));
  };

  test("true lets the caller in, false says which condition", () => {
    expect(verdict('caller.repository_owner_id == "1234"')).toBe(true);
    expect(verdict('caller.repository_owner_id == "9"')).toEqual({
      reason: 'caller.repository_owner_id == "9" is false',
    });
  });

  test("an error lets nobody in", () => {
    expect(verdict('caller.repository_owner == "acme"')).toEqual({
      reason: 'caller.repository_owner == "acme" could not be evaluated (not there: caller.repository_owner)',
    });
    expect(verdict("caller.run_attempt")).toMatchObject({ reason: expect.stringContaining("neither true nor false") });
  });

  test("it sees the caller only", () => {
    expect(compileCondition('request.method == "GET"')).toEqual([
      { message: "unknown name request; known are caller", offset: 0 },
    ]);
  });
});
