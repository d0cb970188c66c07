/** Rules on answers against a plain model: they only deny, what cannot be evaluated counts, and observing withholds nothing. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decideAnswer } from "../../../server/stages/decide/answer.ts";
import type { AnswerFacts, Body } from "../../../server/stages/decide/facts.ts";
import { deleteMonitor, factsOf, policyOf, rule } from "./example.ts";

const answerOf = (more: Partial<AnswerFacts["response"]> = {}, facts = factsOf()): AnswerFacts => ({
  ...facts,
  response: { status: 200, headers: [["Content-Type", "application/json"]], ...more },
});

const onAnswer = (name: string, when: string, observe = false) =>
  rule(name, "deny", when, { phase: "response", observe });

const terms = [
  { when: "response.status == 200", means: true },
  { when: "response.status >= 500", means: false },
  { when: 'response.headers["content-type"] == "application/json"', means: true },
  { when: 'response.headers["x-none"] == "x"', means: "error" },
  { when: "response.body.big == 9007199254740993", means: true },
  { when: "response.body.missing == 1", means: "error" },
  { when: "has(response.body.missing)", means: false },
  { when: 'operation.name == "UpdateMonitor" && response.status == 200', means: true },
  { when: 'request.params.monitor_id == "17" && caller.groups.size() == 0', means: false },
] as const;

const body: Body = { value: new Map([["big", 9007199254740993n]]) };

test("decisions are those of the model", () => {
  const rules = fc.array(fc.tuple(fc.constantFrom(...terms), fc.boolean()), { maxLength: 5 });
  fc.assert(
    fc.property(rules, fc.boolean(), (list, observe) => {
      const sources = list.map(([{ when }, observes], i) => onAnswer(`r${i}`, when, observes));
      const counted = list.flatMap(([{ means }, observes], i) =>
        means === false ? [] : [{ name: `r${i}`, observes }],
      );
      const earnest = !observe && counted.some(({ observes }) => !observes);
      const decision = decideAnswer(policyOf(sources, { observe }), answerOf({ body }));
      expect(decision).toMatchObject({ effect: counted.length === 0 ? "allow" : earnest ? "deny" : "observe" });
      expect("rules" in decision && decision.rules.map(({ name }) => name)).toEqual(counted.map(({ name }) => name));
    }),
    { numRuns: 500 },
  );
});

test("the body is asked for only when it matters", () => {
  const asks = (when: string) => "needs" in decideAnswer(policyOf([onAnswer("it", when)]), answerOf());
  expect(asks("response.status == 500 && response.body.x == 1")).toBe(false);
  expect(asks("response.body.x == 1 && response.status == 500")).toBe(false);
  expect(asks("response.status == 200 && response.body.x == 1")).toBe(true);
  expect(asks('operation.name == "DeleteMonitor" && response.body.x == 1')).toBe(false);
});

test("a body that cannot be understood withholds the answer, and the reason says why", () => {
  const policy = policyOf([onAnswer("it", "response.body.x == 1")]);
  expect(decideAnswer(policy, answerOf({ body: { unevaluable: "it is not valid gzip" } }))).toMatchObject({
    effect: "deny",
    reason:
      "the answer to UpdateMonitor is withheld by rule it; rule it could not be evaluated (response.body: it is not valid gzip) and counts as matched",
  });
});

test("observing covers the answers of every operation: what was destroyed is destroyed", () => {
  const policy = policyOf([onAnswer("it", "true", true)]);
  expect(decideAnswer(policy, answerOf({}, factsOf({ operation: deleteMonitor })))).toMatchObject({
    effect: "observe",
  });
});

test("rules on calls have no say about answers, nor the other way round", () => {
  const policy = policyOf([rule("call", "deny", "true"), onAnswer("answer", "true")]);
  expect(policy.rules.map(({ name }) => name)).toEqual(["call"]);
  expect(policy.answerRules.map(({ name }) => name)).toEqual(["answer"]);
});
