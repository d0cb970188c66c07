/** Asks the policy about a call; its body is held and decoded only if a rule cannot be settled without it. */

import { type Refusal, isRefusal, refuse } from "../../errors.ts";
import type { Operation } from "../../model/operation.ts";
import type { Release } from "../../stages/decide/budget.ts";
import { codeOf, decide, needsBody } from "../../stages/decide/decide.ts";
import type { Facts } from "../../stages/decide/facts.ts";
import { decodeBody } from "../../stages/decide/inspect.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { type RequestBody, bodyOf, readUpTo } from "../../stages/forward/requestBody.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import type { Call, Judged } from "./parts.ts";

/** `refusal` is null when the call may be forwarded; `release` gives back the memory that its held body takes. */
export type Judgement = { readonly judged: Judged; readonly refusal: Refusal | null; readonly release: Release };

type Verdict = Omit<Judgement, "release">;

/** Throws `RequestAborted` when the caller goes away before its body is there. */
export async function judge(call: Call, operation: Operation): Promise<Judgement> {
  const facts = factsOf(call, operation);
  const body = await readUpTo(inlineLimit, bodyOf(call.incoming.request));
  const decided = decide(call.parts.policy(), facts);
  if (!needsBody(decided)) return { ...settle(call, { operation, decision: decided, body }), release: nothingHeld };

  const release = call.parts.budget.reserve(memoryFor(call, body));
  if (isRefusal(release)) return { ...refused(call, operation, { body, refusal: release }), release: nothingHeld };
  try {
    return { ...(await inspect(call, { operation, facts, body })), release };
  } catch (error) {
    release();
    throw error;
  }
}

const nothingHeld: Release = () => undefined;

/** Decides again, with the body. */
async function inspect(
  call: Call,
  { operation, facts, body }: { readonly operation: Operation; readonly facts: Facts; readonly body: RequestBody },
): Promise<Verdict> {
  const limits = call.parts.limits();
  const whole = await readUpTo(limits.inspect, body);
  const decoded =
    whole.rest === null ? await decodeBody(whole.prefix, facts.request.headers, limits) : tooLarge(limits.inspect);
  if (isRefusal(decoded)) return refused(call, operation, { body: whole, refusal: decoded });
  const again = decide(call.parts.policy(), { ...facts, body: decoded });
  if (needsBody(again)) throw new Error("the policy asked for a body it had been given");
  return settle(call, { operation, decision: again, body: whole });
}

/** Bytes: as it came and decoded. What is compressed, or not all here yet, may grow to the limit. */
const memoryFor = (call: Call, body: RequestBody): number =>
  body.rest === null && headerOf(call.presented.headers, "content-encoding") === null
    ? 2 * body.prefix.length
    : call.parts.limits().inspect;

/** A call that was refused before, or instead of, asking the policy. */
export const unjudged = (
  call: Call,
  operation: Operation,
  why: { readonly body: RequestBody; readonly reason: string },
): Judged => ({
  operation,
  decision: { effect: "deny", rules: [], reason: why.reason, policy: call.parts.policy().digest },
  decided_at: call.parts.now(),
  body: why.body,
});

const refused = (
  call: Call,
  operation: Operation,
  why: { readonly body: RequestBody; readonly refusal: Refusal },
): Verdict => ({
  judged: unjudged(call, operation, { body: why.body, reason: why.refusal.message }),
  refusal: why.refusal,
});

function settle(call: Call, known: Omit<Judged, "decided_at">): Verdict {
  const code = codeOf(known.decision, known.operation);
  return {
    judged: { ...known, decided_at: call.parts.now() },
    refusal: code === null ? null : refuse(code, known.decision.reason),
  };
}

const factsOf = (call: Call, operation: Operation): Facts => ({
  caller: call.grant.caller,
  connection: call.connection,
  operation,
  request: {
    method: operation.method,
    path: call.presented.path,
    query: call.presented.query,
    headers: call.presented.headers,
  },
});

const tooLarge = (limit: number): Refusal =>
  refuse("body_too_large", `a rule has to read this body, and it is larger than ${limit} bytes (limits.inspect)`);
