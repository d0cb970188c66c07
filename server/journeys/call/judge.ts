/** Asks the policy about a call; its body is held and decoded only if a rule cannot be settled without it. */

import { type Refusal, isRefusal, refuse } from "../../errors.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import { codeOf, decide, needsBody } from "../../stages/decide/decide.ts";
import type { Facts } from "../../stages/decide/facts.ts";
import { decodeBody } from "../../stages/decide/inspect.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { type RequestBody, bodyOf, readUpTo } from "../../stages/forward/requestBody.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import type { Call, Judged } from "./parts.ts";

/** `refusal` is null when the call may be forwarded. */
export type Judgement = { readonly judged: Judged; readonly refusal: Refusal | null };

/** Throws `RequestAborted` when the caller goes away before its body is there. */
export async function judge(call: Call, operation: Operation): Promise<Judgement> {
  const policy = call.parts.policy();
  const facts = factsOf(call, operation);
  const body = await readUpTo(inlineLimit, bodyOf(call.incoming.request));
  const decided = decide(policy, facts);
  if (!needsBody(decided)) return settle(call, { operation, decision: decided, body });

  const release = call.parts.budget.reserve(memoryFor(call, body));
  if (isRefusal(release))
    return { judged: unjudged(call, operation, { body, reason: release.message }), refusal: release };
  return inspect(call, { operation, facts, body }).finally(release);
}

/** Decides again, with the body. */
async function inspect(
  call: Call,
  { operation, facts, body }: { readonly operation: Operation; readonly facts: Facts; readonly body: RequestBody },
): Promise<Judgement> {
  const policy = call.parts.policy();
  const whole = await readUpTo(call.parts.limits.inspect, body);
  const decoded =
    whole.rest === null
      ? await decodeBody(whole.prefix, facts.request.headers, call.parts.limits)
      : tooLarge(call.parts.limits.inspect);
  if (isRefusal(decoded))
    return { judged: unjudged(call, operation, { body: whole, reason: decoded.message }), refusal: decoded };
  const again = decide(policy, { ...facts, body: decoded });
  if (needsBody(again)) throw new Error("the policy asked for a body it had been given");
  return settle(call, { operation, decision: again, body: whole });
}

/** Bytes: as it came and decoded. What is compressed, or not all here yet, may grow to the limit. */
const memoryFor = (call: Call, body: RequestBody): number =>
  body.rest === null && headerOf(call.presented.headers, "content-encoding") === null
    ? 2 * body.prefix.length
    : call.parts.limits.inspect;

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

function settle(call: Call, known: Omit<Judged, "decided_at">): Judgement {
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
  now: call.parts.now(),
});

const tooLarge = (limit: number): Refusal =>
  refuse("body_too_large", `a rule has to read this body, and it is larger than ${limit} bytes (limits.inspect)`);
