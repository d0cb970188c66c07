/** Limits: which rule a call draws on, against a plain model, and what is said when nothing is left. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RuleSource } from "../../../server/model/config.ts";
import type { Decision } from "../../../server/model/decision.ts";
import { decide, needsBody } from "../../../server/stages/decide/decide.ts";
import { allowanceOf } from "../../../server/stages/decide/limit.ts";
import { factsOf, policyOf, rule } from "./example.ts";

const limited = (name: string, count: number, more: Partial<RuleSource> = {}): RuleSource =>
  rule(name, "allow", "true", { limit: { count, per: "session" }, ...more });

/** As the journey does it, with a purse in memory. */
const passOne = (rules: readonly RuleSource[], left: Map<string, number>, observe = false): Decision => {
  const policy = policyOf(rules, { observe });
  const spent = new Set<string>();
  for (;;) {
    const decision = decide(policy, factsOf({ spent }));
    if (needsBody(decision)) throw new Error("no rule here reads the body");
    const allowance = allowanceOf(policy, decision);
    if (allowance === null) return decision;
    const have = left.get(allowance.rule) ?? allowance.limit.count;
    if (have > 0) {
      left.set(allowance.rule, have - 1);
      return decision;
    }
    spent.add(allowance.rule);
  }
};

describe("a rule with a limit", () => {
  test("allows as often as it says, then no more, and the message says so", () => {
    const left = new Map<string, number>();
    const rules = [limited("three", 3)];
    expect([1, 2, 3, 4].map(() => passOne(rules, left).effect)).toEqual(["allow", "allow", "allow", "deny"]);
    expect(passOne(rules, left)).toMatchObject({
      near: [{ name: "three", clause: "limit: 3/session is used up" }],
      reason:
        "UpdateMonitor is denied: no rule allows it; nearest is rule three, which would allow it but for limit: 3/session is used up",
    });
  });

  test("takes nothing when another rule allows the call anyway, or when the call is refused", () => {
    const left = new Map<string, number>();
    passOne([limited("a", 1), rule("always", "allow", "true")], left);
    passOne([limited("a", 1), rule("never", "deny", "true")], left);
    passOne([limited("a", 1), rule("ask", "approve", "true")], left);
    passOne([limited("a", 1, { when: "false" })], left);
    expect(left.size).toBe(0);
  });

  test("counts also while a deny only observes", () => {
    const left = new Map<string, number>();
    const rules = [limited("a", 1), rule("trial", "deny", "true", { observe: true })];
    expect(passOne(rules, left).effect).toBe("observe");
    expect(left).toEqual(new Map([["a", 0]]));
  });

  test("every call takes one from one rule at most, and passes as long as any has something left", () => {
    const rules = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 1, max: 4 })), {
      selector: ([name]) => name,
      minLength: 1,
    });
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 15 }), (list, calls) => {
        const left = new Map<string, number>();
        const sources = list.map(([name, count]) => limited(name, count));
        const effects = Array.from({ length: calls }, () => passOne(sources, left).effect);
        const inAll = list.reduce((sum, [, count]) => sum + count, 0);
        expect(effects.filter((effect) => effect === "allow")).toHaveLength(Math.min(calls, inAll));
        expect(effects.slice(0, inAll)).not.toContain("deny");
      }),
      { numRuns: 200 },
    );
  });
});

describe("rules that are near", () => {
  const near = (...rules: RuleSource[]) => {
    const decision = decide(policyOf(rules), factsOf());
    return needsBody(decision) ? [] : (decision.near ?? []).map(({ name, clause }) => `${name}: ${clause}`);
  };

  test("are those that lack one clause, the nearest first", () => {
    expect(
      near(
        rule("two-wrong", "allow", 'operation.access == "read" && connection.kind == "sandbox" && operation.known'),
        rule("one-of-two", "allow", 'operation.known && connection.kind == "sandbox"'),
        rule("one-of-three", "allow", 'operation.known && connection.kind == "live" && request.method == "GET"'),
        rule("nothing-fits", "allow", 'request.method == "GET"'),
        rule("denies", "deny", 'operation.known && request.method == "GET"'),
      ),
    ).toEqual(['one-of-three: request.method == "GET"', 'one-of-two: connection.kind == "sandbox"']);
  });

  test("say why a clause could not be evaluated, and which shorthand did not fit", () => {
    expect(near(rule("team", "allow", 'operation.known && caller.team == "sre"'))).toEqual([
      'team: caller.team == "sre" (not there: caller.team)',
    ]);
    expect(
      near(
        rule("repo", "allow", "operation.known", {
          callers: [{ repository: ["acme/*"] }],
          operations: [{ access: ["write"] }],
        }),
      ),
    ).toEqual(["repo: callers: repository acme/*"]);
  });

  test("are three at most, and none when the call passes or is denied in earnest", () => {
    const almost = (name: string) => rule(name, "allow", 'operation.known && request.method == "GET"');
    expect(near(...["a", "b", "c", "d", "e"].map(almost))).toHaveLength(3);
    expect(near(almost("a"), rule("yes", "allow", "true"))).toEqual([]);
    expect(near(almost("a"), rule("no", "deny", "true"))).toEqual([]);
  });

  test("a deny that ended in an error says so", () => {
    const decision = decide(policyOf([rule("odd", "deny", 'caller.team == "sre"')]), factsOf());
    expect(decision).toMatchObject({
      effect: "deny",
      rules: [{ name: "odd", reason: "could not be evaluated, so it counts (not there: caller.team)" }],
      reason:
        "UpdateMonitor is denied by rule odd; rule odd could not be evaluated (not there: caller.team) and counts as matched",
    });
  });
});
