/** Asks the policy about a call; its body is held and decoded only if a rule cannot be settled without it. */

import { GatewayError, type Refusal, isRefusal, refuse } from "../../errors.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { Release } from "../../stages/decide/budget.ts";
import { codeOf, decide, needsBody } from "../../stages/decide/decide.ts";
import type { Facts } from "../../stages/decide/facts.ts";
import { decodeBody } from "../../stages/decide/inspect.ts";
import { allowanceOf } from "../../stages/decide/limit.ts";
import type { Policy } from "../../stages/decide/policy.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { type RequestBody, bodyOf, readUpTo } from "../../stages/forward/requestBody.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import type { Call, Judged } from "./parts.ts";

/** `refusal` is null when the call may be forwarded; `release` gives back the memory that its held body takes. */
export type Judgement = { readonly judged: Judged; readonly refusal: Refusal | null; readonly release: Release };

type Verdict = Omit<Judgement, "release">;

/** Throws `RequestAborted` when the caller goes away before its body is there. */
export async function judge(call: Call, operation: Operation): Promise<Judgement> {
  const policy = call.parts.policy();
  const facts = factsOf(call, operation);
  const body = await readUpTo(inlineLimit, bodyOf(call.incoming.request));
  const decided = decide(policy, facts);
  if (!needsBody(decided)) return { ...(await settle(call, { policy, facts, body }, decided)), release: nothingHeld };

  const release = call.parts.budget.reserve(memoryFor(call, body));
  if (isRefusal(release)) return { ...refused(call, operation, { body, refusal: release }), release: nothingHeld };
  try {
    return { ...(await inspect(call, { facts, body })), release };
  } catch (error) {
    release();
    throw error;
  }
}

const nothingHeld: Release = () => undefined;

/** Decides again, with the body. */
async function inspect(
  call: Call,
  { facts, body }: { readonly facts: Facts; readonly body: RequestBody },
): Promise<Verdict> {
  const limits = call.parts.limits();
  const whole = await readUpTo(limits.inspect, body);
  const decoded =
    whole.rest === null ? await decodeBody(whole.prefix, facts.request.headers, limits) : tooLarge(limits.inspect);
  if (isRefusal(decoded)) return refused(call, facts.operation, { body: whole, refusal: decoded });
  const policy = call.parts.policy();
  const known = { ...facts, body: decoded };
  return settle(call, { policy, facts: known, body: whole }, decideWhole(policy, known));
}

function decideWhole(policy: Policy, facts: Facts): Decision {
  const decided = decide(policy, facts);
  if (needsBody(decided)) throw new Error("the policy asked for a body it had been given");
  return decided;
}

/** Bytes: as it came and decoded. What is compressed, or not all here yet, may grow to the limit. */
export const memoryFor = (call: Call, body: RequestBody): number =>
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
  policy: call.parts.policy(),
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

type Known = { readonly policy: Policy; readonly facts: Facts; readonly body: RequestBody };

async function settle(call: Call, { policy, facts, body }: Known, decided: Decision): Promise<Verdict> {
  const { operation } = facts;
  try {
    const decision = await drawOnLimits(call, { policy, facts }, decided);
    const code = codeOf(decision, operation);
    return {
      judged: { operation, decision, policy, body, decided_at: call.parts.now() },
      refusal: code === null ? null : refuse(code, decision.reason),
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const reason = "the limit of a rule could not be asked";
    return { judged: unjudged(call, operation, { body, reason }), refusal: refuse(error.code, error.message) };
  }
}

/** A call that only rules with limits allow takes from one of them; from rule to rule, until one has something left. */
async function drawOnLimits(call: Call, { policy, facts }: Omit<Known, "body">, decided: Decision): Promise<Decision> {
  const spent = new Set<string>();
  let decision = decided;
  for (;;) {
    const allowance = allowanceOf(policy, decision);
    if (allowance === null || (await call.parts.take(call.grant.session_id, allowance))) return decision;
    spent.add(allowance.rule);
    decision = decideWhole(policy, { ...facts, spent });
  }
}

export const factsOf = (call: Call, operation: Operation): Facts => ({
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
