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
import { type Masking, maskingOf } from "../../stages/mask/masking.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import type { Call, Judged } from "./parts.ts";
import { asItCame, auditTokens, mustBeRead, type Returned, returnTokens, withDestination } from "./returnTokens.ts";

/** `refusal` is null when the call may be forwarded; `release` gives back the memory that its held body takes. */
export type Judgement = { readonly judged: Judged; readonly refusal: Refusal | null; readonly release: Release };

type Verdict = Omit<Judgement, "release">;

/** Throws `RequestAborted` when the caller goes away before its body is there. */
export async function judge(call: Call, operation: Operation): Promise<Judgement> {
  const policy = call.parts.policy();
  const masking = maskingFor(call, operation);
  const facts = factsOf(call, operation);
  const body = await readUpTo(inlineLimit, bodyOf(call.incoming.request));
  const decided = decide(policy, facts);
  const considered = { policy, masking, facts, body };
  // What is refused whatever its body holds is not read any further.
  if (!needsBody(decided) && decided.effect === "deny")
    return { ...(await settle(call, { ...considered, returned: asItCame(body) }, decided)), release: nothingHeld };

  const holds = needsBody(decided) || mustBeRead({ operation, masking }, body);
  const release = holds ? call.parts.budget.reserve(memoryFor(call, body)) : nothingHeld;
  if (isRefusal(release)) return { ...refused(call, operation, { body, refusal: release }), release: nothingHeld };
  try {
    return { ...(await consider(call, considered, decided)), release };
  } catch (error) {
    release();
    throw error;
  }
}

const nothingHeld: Release = () => undefined;

type Considered = {
  readonly policy: Policy;
  readonly masking: Masking;
  readonly facts: Facts;
  readonly body: RequestBody;
};

async function consider(call: Call, known: Considered, decided: ReturnType<typeof decide>): Promise<Verdict> {
  const { policy, masking, facts, body } = known;
  const returned = await returnTokens(call, { operation: facts.operation, masking }, body);
  if (isRefusal(returned)) return refused(call, facts.operation, { body, refusal: returned });
  auditTokens(call, facts.operation, returned.tokens);
  if (!needsBody(decided)) return settle(call, { policy, masking, facts, returned }, decided);
  return inspect(call, { ...known, returned });
}

/** Decides again, with the body: as Datadog would get it. */
async function inspect(
  call: Call,
  { policy, masking, facts, returned }: Considered & { readonly returned: Returned },
): Promise<Verdict> {
  const limits = call.parts.limits();
  const whole = await readUpTo(limits.inspect, returned.body);
  const sent = returned.onApproval ?? returned.restored ?? whole.prefix;
  const decoded =
    whole.rest === null ? await decodeBody(sent, facts.request.headers, limits) : tooLarge(limits.inspect);
  if (isRefusal(decoded)) return refused(call, facts.operation, { body: whole, refusal: decoded });
  const known = { ...facts, body: decoded };
  return settle(
    call,
    { policy, masking, facts: known, returned: { ...returned, body: whole } },
    decideWhole(policy, known),
  );
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
  masking: maskingFor(call, operation),
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

type Known = Omit<Considered, "body"> & { readonly returned: Returned };

async function settle(call: Call, known: Known, decided: Decision): Promise<Verdict> {
  const { policy, masking, returned } = known;
  const { operation } = known.facts;
  const { body, tokens } = returned;
  try {
    const drawn = await drawOnLimits(call, known, decided);
    const decision = withDestination(tokens.length === 0 ? drawn : { ...drawn, tokens }, returned);
    const restored = decision.effect === "approve" ? (returned.onApproval ?? returned.restored) : returned.restored;
    const code = codeOf(decision, operation);
    const judged = { operation, decision, policy, masking, body, decided_at: call.parts.now() };
    return {
      judged: restored === null ? judged : { ...judged, restored },
      refusal: code === null ? null : refuse(code, decision.reason),
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const reason = "the limit of a rule could not be asked";
    return { judged: unjudged(call, operation, { body, reason }), refusal: refuse(error.code, error.message) };
  }
}

/** A call that only rules with limits allow takes from one of them; from rule to rule, until one has something left. */
async function drawOnLimits(
  call: Call,
  { policy, facts }: Pick<Known, "policy" | "facts">,
  decided: Decision,
): Promise<Decision> {
  const spent = new Set<string>();
  let decision = decided;
  for (;;) {
    const allowance = allowanceOf(policy, decision);
    if (allowance === null || (await call.parts.take(call.grant.session_id, allowance))) return decision;
    spent.add(allowance.rule);
    decision = decideWhole(policy, { ...facts, spent });
  }
}

export const maskingFor = ({ parts, connection, grant, host, presented }: Call, operation: Operation): Masking =>
  maskingOf(parts.masks(), operation, {
    connection: connection.name,
    session: grant.session_id,
    host,
    query: presented.query,
  });

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
