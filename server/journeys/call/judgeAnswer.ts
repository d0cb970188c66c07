/** Asks the policy whether an answer may be released; its body is held and decoded only if a rule cannot be settled without it. */

import { isRefusal, type Refusal, refuse } from "../../errors.ts";
import { decideAnswer } from "../../stages/decide/answer.ts";
import type { Release } from "../../stages/decide/budget.ts";
import type { AnswerFacts, Body } from "../../stages/decide/facts.ts";
import { decodeBody } from "../../stages/decide/inspect.ts";
import { AnswerBody, BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import type { Answer, Broken } from "../../stages/forward/upstream.ts";
import type { Head } from "../../stages/reply/release.ts";
import type { Forwarded } from "./ending.ts";
import { factsOf } from "./judge.ts";

export type Arrived = {
  readonly head: Head;
  readonly answer: Answer;
  /** Bytes of the body to come; null when the answer does not say. */
  readonly length: number | null;
};

/** The answer may go out; `done` gives back the memory of a body that was held. */
type Released = { readonly answer: Answer; done(): void };

/** A refusal is `response_blocked`. What rules had against the answer is noted in the trace, and so in the receipt. */
export async function judgeAnswer(forwarded: Forwarded, arrived: Arrived): Promise<Released | Refusal | Broken> {
  const { policy } = forwarded.judged;
  if (policy.answerRules.length === 0) return { answer: arrived.answer, done: nothing };
  const facts = answerFactsOf(forwarded, arrived);
  const decided = decideAnswer(policy, facts);
  if (!("needs" in decided)) return settle(forwarded, facts, decided) ?? { answer: arrived.answer, done: nothing };

  const { budget } = forwarded.call.parts;
  const limits = forwarded.call.parts.limits();
  const release = budget.reserve(memoryFor(arrived, limits.inspect));
  if (isRefusal(release)) return withheld(facts, "too many bodies are being inspected at once");
  try {
    const judgement = await inspect(forwarded, { facts, arrived, release });
    if (!("answer" in judgement)) release();
    return judgement;
  } catch (error) {
    release();
    if (error instanceof BrokenAnswer) return error.broken;
    throw error;
  }
}

type Held = { readonly facts: AnswerFacts; readonly arrived: Arrived; readonly release: Release };

/** Decides again, with the body. */
async function inspect(forwarded: Forwarded, { facts, arrived, release }: Held): Promise<Released | Refusal> {
  const limits = forwarded.call.parts.limits();
  const bytes = arrived.length === 0 ? Buffer.alloc(0) : await hold(arrived.answer, limits.inspect);
  const body = bytes === null ? tooLarge(limits.inspect) : await decodeBody(bytes, arrived.head.headers, limits);
  if (bytes === null || isRefusal(body)) return withheld(facts, "a rule has to read its body, and that is too large");
  const decided = decideAnswer(forwarded.judged.policy, withBody(facts, body));
  if ("needs" in decided) throw new Error("the policy asked for a body it had been given");
  const blocked = settle(forwarded, facts, decided);
  return blocked ?? { answer: { ...arrived.answer, body: replay(bytes) }, done: release };
}

/** Null when the answer may be released. */
function settle(
  forwarded: Forwarded,
  facts: AnswerFacts,
  decided: Exclude<ReturnType<typeof decideAnswer>, { needs: string }>,
): Refusal | null {
  if (decided.effect === "allow") return null;
  forwarded.trace.response_decision = decided;
  return decided.effect === "observe" ? null : blocked(facts, decided.reason);
}

const withheld = (facts: AnswerFacts, why: string): Refusal =>
  blocked(facts, `the answer to ${facts.operation.name} is withheld: ${why}`);

/** Whoever gets this must know that the call itself was made. */
const blocked = ({ operation, response }: AnswerFacts, message: string): Refusal =>
  refuse(
    "response_blocked",
    operation.access === "read" ? message : `${message}; the call was made, and Datadog answered ${response.status}`,
  );

const answerFactsOf = ({ call, judged }: Forwarded, { head }: Arrived): AnswerFacts => ({
  ...factsOf(call, judged.operation),
  response: { status: head.status, headers: head.headers },
});

const withBody = (facts: AnswerFacts, body: Body): AnswerFacts => ({ ...facts, response: { ...facts.response, body } });

/** The whole body, null when it is larger than `limit` bytes. Nothing of it has been released. */
async function hold(answer: Answer, limit: number): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let chunks = await answer.body.read(); chunks !== null; chunks = await answer.body.read()) {
    pieces.push(...chunks);
    size += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (size > limit) return null;
  }
  return Buffer.concat(pieces);
}

function replay(bytes: Buffer): AnswerBody {
  const body = new AnswerBody({ pause: nothing, resume: nothing });
  if (bytes.length > 0) body.push(bytes);
  body.end();
  return body;
}

const memoryFor = ({ head, length }: Arrived, limit: number): number =>
  length !== null && headerOf(head.headers, "content-encoding") === null ? Math.min(2 * length, limit) : limit;

const tooLarge = (limit: number): Refusal => refuse("body_too_large", `it is larger than ${limit} bytes`);

const nothing = (): void => undefined;
