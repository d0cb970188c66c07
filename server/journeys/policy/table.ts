/** Table tests of a policy: requests that nobody sends, each with the decision that its author expects. */

import type { Outcome, Trial, TrialCall } from "./trial.ts";

/** What a test may say of the outcome; what it leaves out it does not mind. */
export type Expectation = {
  readonly effect: Outcome["effect"];
  /** Exactly the rules with the effect that won, in any order. */
  readonly rules?: readonly string[];
  /** Text that occurs in the reason. */
  readonly reason?: string;
  /** Id or name of the operation that the request is. */
  readonly operation?: string;
};

export type PolicyTest = {
  readonly name: string;
  readonly call: TrialCall;
  readonly body: Buffer | null;
  readonly expect: Expectation;
};

export type TestResult = {
  readonly outcome: Outcome;
  /** What differs; empty: the test passed. */
  readonly differences: readonly Difference[];
};

export type Difference = {
  readonly of: keyof Expectation;
  readonly expected: string;
  readonly got: string;
};

export async function runTest(trial: Trial, { call, body, expect }: PolicyTest): Promise<TestResult> {
  const decided = trial.decide(call);
  const outcome = "needs" in decided ? await trial.decideWithBody(call, body) : decided;
  return { outcome, differences: [...differences(expect, outcome)] };
}

function* differences(expect: Expectation, outcome: Outcome): Generator<Difference> {
  if (expect.effect !== outcome.effect) yield { of: "effect", expected: expect.effect, got: outcome.effect };
  if (expect.rules !== undefined && !sameNames(expect.rules, outcome.rules))
    yield { of: "rules", expected: listed(expect.rules), got: listed(outcome.rules) };
  if (expect.reason !== undefined && !outcome.reason.includes(expect.reason))
    yield { of: "reason", expected: `… ${expect.reason} …`, got: outcome.reason };
  const { operation } = outcome;
  if (expect.operation !== undefined && expect.operation !== operation?.id && expect.operation !== operation?.name)
    yield { of: "operation", expected: expect.operation, got: operation?.id ?? "none" };
}

const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && new Set([...one, ...other]).size === new Set(one).size;

const listed = (names: readonly string[]): string => (names.length === 0 ? "none" : names.toSorted().join(", "));
