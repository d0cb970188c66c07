/** Random policies against a plain model of their meaning: three-valued logic, the strongest effect, default deny. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RuleSource } from "../../../server/model/config.ts";
import { effects } from "../../../server/model/decision.ts";
import { accessClasses } from "../../../server/model/operation.ts";
import { decide, needsBody } from "../../../server/stages/decide/decide.ts";
import { factsOf, policyOf, rule, updateMonitor } from "./example.ts";

/** A condition as text, and what it is: true, false or an error. */
type Term = { readonly text: string; readonly means: boolean | "error" };

const and = (a: Term["means"], b: Term["means"]): Term["means"] =>
  a === false || b === false ? false : a === true && b === true ? true : "error";
const not = (a: Term["means"]): Term["means"] => (a === "error" ? "error" : !a);
const or = (a: Term["means"], b: Term["means"]): Term["means"] => not(and(not(a), not(b)));

const leaf: fc.Arbitrary<Term> = fc.constantFrom<Term>(
  { text: "true", means: true },
  { text: "false", means: false },
  { text: 'operation.access == "write"', means: true },
  { text: 'operation.access in ["read", "destructive"]', means: false },
  { text: 'request.params.monitor_id == "17"', means: true },
  { text: 'caller.nope == "x"', means: "error" },
  { text: 'request.query.twice == "1"', means: "error" },
  { text: "caller.run_attempt > 5", means: false },
  { text: 'caller.groups.exists(g, g == "agents")', means: true },
  { text: "request.body.n == 9007199254740993", means: true },
  { text: "request.body.n == 9007199254740992", means: false },
  { text: "request.body.missing.deep == 1", means: "error" },
  { text: "has(request.body.missing)", means: false },
);

const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(tie("term"), tie("term"))
      .map(([a, b]) => ({ text: `(${a.text} && ${b.text})`, means: and(a.means, b.means) })),
    fc
      .tuple(tie("term"), tie("term"))
      .map(([a, b]) => ({ text: `(${a.text} || ${b.text})`, means: or(a.means, b.means) })),
    tie("term").map((a) => ({ text: `!(${a.text})`, means: not(a.means) })),
    fc.tuple(tie("term"), tie("term"), tie("term")).map(([c, a, b]) => ({
      text: `(${c.text} ? ${a.text} : ${b.text})`,
      means: c.means === "error" ? ("error" as const) : c.means ? a.means : b.means,
    })),
  ),
}));

const ruled = fc
  .array(fc.tuple(term, fc.constantFrom(...effects)), { maxLength: 6 })
  .map((list) =>
    list.map(([when, effect], index) => ({ means: when.means, source: rule(`r${index}`, effect, when.text) })),
  );

const body = { value: new Map<string, unknown>([["n", 9007199254740993n]]) };
const request = { ...factsOf().request, query: "twice=1&twice=2" };
const facts = factsOf({ request, body });

/** The contract, as plainly as it can be written. */
const model = (rules: readonly { readonly means: Term["means"]; readonly source: RuleSource }[]) => {
  const counts = rules.filter(({ means, source }) => (source.effect === "allow" ? means === true : means !== false));
  const effect =
    (["deny", "approve", "allow"] as const).find((one) => counts.some(({ source }) => source.effect === one)) ?? "deny";
  return { effect, names: counts.map(({ source }) => source.name).toSorted() };
};

test("decisions are those of the model", () => {
  fc.assert(
    fc.property(ruled, (rules) => {
      const decision = decide(policyOf(rules.map(({ source }) => source)), facts);
      if (needsBody(decision)) throw new Error("the body was asked for although it is there");
      expect({ effect: decision.effect, names: decision.rules.map(({ name }) => name).toSorted() }).toEqual(
        model(rules),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("the order of the rules never matters", () => {
  const shuffled = ruled.chain((rules) =>
    fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length, maxLength: rules.length })),
  );
  fc.assert(
    fc.property(shuffled, ([rules, others]) => {
      expect(decide(policyOf(others.map(({ source }) => source)), facts)).toEqual(
        decide(policyOf(rules.map(({ source }) => source)), facts),
      );
    }),
    { numRuns: 300 },
  );
});

test("what is decided without the body is what would have been decided with any body", () => {
  const bodies = [
    body,
    { value: null },
    { value: new Map([["missing", new Map([["deep", 1n]])]]) },
    { unevaluable: "it is broken" },
  ];
  fc.assert(
    fc.property(ruled, fc.constantFrom(...bodies), (rules, any) => {
      const policy = policyOf(rules.map(({ source }) => source));
      const without = decide(policy, factsOf({ request }));
      if (needsBody(without)) return;
      const matched = (decision: ReturnType<typeof decide>) =>
        needsBody(decision) ? null : { effect: decision.effect, names: decision.rules.map(({ name }) => name) };
      expect(matched(decide(policy, factsOf({ request, body: any })))).toEqual(matched(without));
    }),
    { numRuns: 1_000 },
  );
});

test("adding an allow never refuses more, adding a deny never forwards more, whatever observes", () => {
  const strict = { deny: 2, approve: 1, observe: 0, allow: 0 } as const;
  const observing = ruled.map((rules) =>
    rules.map(({ source }, index) => (source.effect === "allow" ? source : { ...source, observe: index % 2 === 0 })),
  );
  fc.assert(
    fc.property(observing, fc.constantFrom(...accessClasses), fc.boolean(), (rules, access, observe) => {
      const at = factsOf({ request, body, operation: { ...updateMonitor, access } });
      const strictness = (more: readonly RuleSource[]): number => {
        const decision = decide(policyOf([...rules, ...more], { observe }), at);
        if (needsBody(decision)) throw new Error("the body was asked for although it is there");
        return strict[decision.effect];
      };
      expect(strictness([rule("more", "allow", "true")])).toBeLessThanOrEqual(strictness([]));
      expect(strictness([rule("more", "deny", "true")])).toBeGreaterThanOrEqual(strictness([]));
    }),
    { numRuns: 300 },
  );
});
