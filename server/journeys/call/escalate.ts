/** Holds a call until people have answered: it asks, waits, and passes once; or it is told that nothing was sent, and why. */

import { GatewayError, type Refusal, isRefusal, refuse } from "../../errors.ts";
import type { Approval } from "../../model/approval.ts";
import type { CallNumber } from "../../model/receipt.ts";
import { plainBytes } from "../../stages/decide/inspect.ts";
import { refusalOf } from "../../stages/escalate/refusal.ts";
import { RequestAborted, readUpTo } from "../../stages/forward/requestBody.ts";
import { Receipt } from "../../stages/record/receipt.ts";
import { acceptedAnswer, prefersAsync } from "../../stages/reply/accepted.ts";
import { type OwnAnswer, refusalAnswer, sendOwnAnswer } from "../../stages/reply/refusal.ts";
import type { Asked, HeldCall } from "../approval/ask.ts";
import { approvalUrl } from "../approval/use.ts";
import { maskQuery } from "../../stages/mask/beside.ts";
import { maskRequest, visibleIn } from "../../stages/mask/mask.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { keyedDigest } from "../../stages/mask/token/equality.ts";
import { draftOpening, draftRefusal, recordOwn } from "./draft.ts";
import { forwardCall } from "./forward.ts";
import { memoryFor } from "./judge.ts";
import { lookAt } from "./look.ts";
import type { Call, Judged } from "./parts.ts";
import { recordRequest } from "./recorder.ts";
import { contentTypeShown, operationShown, pathShown } from "./shown.ts";
import { destinationRule } from "./returnTokens.ts";
import { answerBreakage, closeUnsent, observe, recordDeparture, refuseCall } from "./refuse.ts";

export async function escalateCall(call: Call, judged: Judged): Promise<void> {
  const { budget } = call.parts;
  const reading = budget.reserve(memoryFor(call, judged.body));
  if (isRefusal(reading)) return refuseCall(call, judged, reading);
  const whole = await wholeBody(call, judged).catch(nullWhenGone).finally(reading);
  if (whole === null) return recordDeparture(call, judged);
  if (isRefusal(whole)) return refuseCall(call, judged, whole);
  // It may be held for long: what was set aside beyond what is there is given back.
  const holding = budget.reserve(whole.judged.body.prefix.length + whole.decoded.length);
  if (isRefusal(holding)) return refuseCall(call, whole.judged, holding);
  try {
    await hold(call, whole);
  } finally {
    holding();
  }
}

async function hold(call: Call, whole: Whole): Promise<void> {
  const asked = await call.parts.approving.ask(heldCall(call, whole)).catch(refusalOfBreakage);
  if (isRefusal(asked)) return refuseCall(call, whole.judged, asked);
  return wait(call, whole.judged, asked);
}

/** From here on the call has a receipt, whatever becomes of it. */
async function wait(call: Call, judged: Judged, asked: Asked): Promise<void> {
  const receipt = await openReceipt(call, judged, asked);
  if (receipt === null) return;
  const { number } = receipt;
  if (number === null) throw new Error("a receipt that is open has a number");
  const ended = { receipt, asked };
  if (asked.kind === "approval" && asked.approval.state === "pending" && prefersAsync(call.presented.headers)) {
    const attached = await call.parts.approving.attach(asked.approval.id, number).catch(refusalOfBreakage);
    if (attached !== undefined) return close(call, judged, { ...ended, end: { refusal: attached } });
    const { approval } = asked;
    return close(call, judged, { ...ended, end: later(call, { ...approval, call: approval.call ?? number }) });
  }
  const refusal = await pass(call, judged, { asked, number }).catch(refusalOfBreakage);
  if (call.incoming.response.destroyed && refusal !== null) return closeUnsent(call, judged, receipt);
  if (refusal === null) return forwardCall(call, judged, receipt);
  return close(call, judged, { ...ended, end: { refusal } });
}

type Held = { readonly asked: Asked; readonly number: CallNumber };

/** Null when people have let it pass: it is sent now or never. */
async function pass(call: Call, judged: Judged, { asked, number }: Held): Promise<Refusal | null> {
  const { approving, policy, publicUrl } = call.parts;
  const leaving = {
    call: number,
    policy: () => policy().digest,
    look: async (approval_id: string) => (await lookAt(call, judged.operation, approval_id)).digest,
  };
  if (asked.kind === "grant") return approving.useGrant(asked.grant, leaving);
  const { id } = asked.approval;
  await approving.attach(id, number);
  const settled = await approving.until(id, call);
  if (settled === null) throw new Error(`approval ${id} is gone`);
  if (call.incoming.response.destroyed) return refuse("approval_required", "the client went away while it waited");
  return settled.state === "approved" ? approving.use(id, leaving) : refusalOf(settled, approvalUrl(publicUrl, id));
}

/** `decoded`: as Datadog would get it; `shown`: the same as people may see it. */
type Whole = { readonly judged: Judged; readonly decoded: Buffer; readonly shown: Buffer };

/** What is bound is the whole body, so the whole body has to be there. Throws `RequestAborted`. */
async function wholeBody(call: Call, judged: Judged): Promise<Whole | Refusal> {
  const limits = call.parts.limits();
  const body = await readUpTo(limits.inspect, judged.body);
  if (body.rest !== null)
    return refuse(
      "body_too_large",
      `a person has to see this body, and it is larger than ${limits.inspect} bytes (limits.inspect)`,
    );
  const decoded = await plainBytes(judged.restored ?? body.prefix, call.presented.headers, limits);
  if (isRefusal(decoded)) return decoded;
  if (!Buffer.isBuffer(decoded)) return notShown(decoded.unevaluable);
  const { plan, sealing } = judged.masking;
  const headers = call.presented.headers.filter(([name]) => name.toLowerCase() === "content-type");
  const masked = await maskRequest(plan, { headers, bytes: decoded }, { sealing, limits });
  const shown = visibleIn(masked, decoded);
  return Buffer.isBuffer(shown) ? { judged: { ...judged, body }, decoded, shown } : notShown(shown);
}

const notShown = (says: string): Refusal =>
  refuse(
    "approval_required",
    `a rule asks for a person's approval, and its body cannot be shown: ${says}; nothing was sent`,
  );

const heldCall = (call: Call, { judged, decoded, shown }: Whole): HeldCall => ({
  session_id: call.grant.session_id,
  caller: call.grant.caller,
  connection: call.connection.name,
  operation: operationShown(call, judged),
  decision: judged.decision,
  rules: [destinationRule, ...judged.policy.source.rules].filter(({ name }) =>
    judged.decision.rules.some((matched) => matched.effect === "approve" && matched.name === name),
  ),
  request: {
    method: judged.operation.method,
    host: call.host,
    path: pathShown(call, judged),
    query: maskQuery(judged.masking, call.presented.query, []),
    target: targetOf(call, judged.masking),
    content_type: contentTypeShown(call, judged.masking),
    body: decoded,
    shown,
  },
  look: async (approval_id) => (await lookAt(call, judged.operation, approval_id)).state,
});

/** What is bound although a mask hides a part of it: one key in a path is not another. */
const targetOf = ({ presented: { path, query } }: Call, { sealing }: Masking): string =>
  keyedDigest(sealing.keys).update(`${path}?${query}`).digest("hex");

/** Null when it could not be opened: its caller has been told. */
async function openReceipt(call: Call, judged: Judged, asked: Asked): Promise<Receipt | null> {
  const { parts } = call;
  const approval_id = asked.kind === "approval" ? asked.approval.id : asked.grant.approval_id;
  try {
    const body = await recordRequest(call, judged.masking, judged.body.prefix);
    const receipt = new Receipt(parts.sink, draftOpening(call, { ...judged, approval_id }, body));
    await receipt.open();
    return receipt;
  } catch (error) {
    answerBreakage(call, judged, error);
    return null;
  }
}

/** What a call that does not pass is told: a refusal, or that it can wait elsewhere. */
type End = { readonly refusal: Refusal } | { readonly accepted: OwnAnswer };

/** RFC 7240 §4.1 */
const later = (call: Call, approval: Approval): End => ({ accepted: acceptedAnswer(approval, call.parts.publicUrl) });

async function close(
  call: Call,
  judged: Judged,
  { receipt, end }: { readonly receipt: Receipt; readonly end: End },
): Promise<void> {
  const { parts, incoming } = call;
  const code = "refusal" in end ? end.refusal.code : "approval_required";
  const answerTo = (number: CallNumber): OwnAnswer =>
    "refusal" in end ? refusalAnswer(end.refusal, number, parts.publicUrl) : named(end.accepted, number);
  try {
    const number = await receipt.close((number) => {
      const answer = answerTo(number);
      const error = "refusal" in end ? end.refusal.message : "the client waits for people elsewhere; nothing was sent";
      return draftRefusal(parts, judged.masking, {
        state: "refused",
        status: answer.status,
        error_code: code,
        error,
        response: recordOwn(judged.masking, answer),
      });
    });
    const answer = answerTo(number);
    sendOwnAnswer(incoming.response, answer);
    observe(call, judged, { status: answer.status, code });
  } catch (error) {
    answerBreakage(call, judged, error);
  }
}

const named = (answer: OwnAnswer, { session_id, n }: CallNumber): OwnAnswer => ({
  ...answer,
  headers: [...answer.headers, ["dogwatch-call", `${session_id}/${n}`]],
});

function nullWhenGone(error: unknown): null {
  if (error instanceof RequestAborted) return null;
  throw error;
}

/** While nobody knows whether it may be sent, it is not. */
function refusalOfBreakage(error: unknown): Refusal {
  if (!(error instanceof GatewayError)) throw error;
  return refuse(error.code, `${error.message}; nothing was sent`);
}
