/** Refuses a call: the receipt first, then the answer, which names the rule and links to the receipt. */

import type { ServerResponse } from "node:http";
import { unknownOperation } from "../../datadog/catalogue.ts";
import { type Stripped, maskPath } from "../../datadog/credentials.ts";
import { GatewayError, type Refusal, refuse, statusOf } from "../../errors.ts";
import { Receipt } from "../../stages/record/receipt.ts";
import { type OwnAnswer, refusalAnswer, sendOwnAnswer } from "../../stages/reply/refusal.ts";
import { draftOpening, draftRefusal, recordOwn, recordUnsent } from "./draft.ts";
import type { Call, CallParts, Incoming, Judged } from "./parts.ts";

/** Before a session is known there is no receipt to write: the refusal is an audit event. */
export function turnAway(
  parts: CallParts,
  request: { readonly incoming: Incoming; readonly presented: Stripped },
  refusal: Refusal,
): void {
  const { incoming, presented } = request;
  parts.audit({
    kind: "token_refused",
    who: incoming.request.socket.remoteAddress ?? "unknown address",
    what: `${incoming.request.method} ${auditablePath(incoming, presented)}`,
    reason: `${refusal.code}: ${refusal.message}`,
  });
  sendOwnAnswer(incoming.response, refusalAnswer(refusal, null, parts.publicUrl));
}

/** For a request whose head is too ambiguous to be a call at all; whoever read it writes the audit event. */
export const malformedAnswer = (complaint: string, publicUrl: string): OwnAnswer =>
  refusalAnswer(refuse("request_malformed", complaint), null, publicUrl);

/** Two readers could differ about where this request ends, so nothing more is read from its connection. */
export function turnAwayUnread(response: ServerResponse, answer: OwnAnswer): void {
  response.setHeader("connection", "close");
  sendOwnAnswer(response, answer);
}

export async function refuseCall(call: Call, judged: Judged, refusal: Refusal): Promise<void> {
  const { parts, incoming } = call;
  if (refusal.code === "request_malformed" || refusal.code === "host_not_allowed") auditRefusal(call, refusal);
  try {
    const receipt = new Receipt(parts.sink, draftOpening(call, judged, await recordUnsent(call, judged.body)));
    const number = await receipt.close((number) =>
      draftRefusal(parts, {
        state: "refused",
        status: statusOf[refusal.code],
        error_code: refusal.code,
        error: refusal.message,
        response: recordOwn(refusalAnswer(refusal, number, parts.publicUrl)),
      }),
    );
    sendOwnAnswer(incoming.response, refusalAnswer(refusal, number, parts.publicUrl));
    observe(call, judged, { status: statusOf[refusal.code], code: refusal.code });
  } catch (error) {
    answerBreakage(call, judged, error);
  }
}

/** The receipt could not be written and nothing was sent: the caller is told why, or that the gateway broke. */
export function answerBreakage(call: Call, judged: Judged, error: unknown): void {
  const refusal =
    error instanceof GatewayError
      ? refuse(error.code, error.message)
      : refuse("recording_unavailable", "the gateway could not handle this call; nothing was sent");
  sendOwnAnswer(call.incoming.response, refusalAnswer(refusal, null, call.parts.publicUrl));
  observe(call, judged, { status: statusOf[refusal.code], code: refusal.code });
  if (!(error instanceof GatewayError)) throw error;
}

export function observe(
  call: Call,
  judged: Judged,
  end: { readonly status: number | null; readonly code: string | null },
): void {
  const seconds = (call.parts.now().getTime() - call.received_at.getTime()) / 1000;
  call.parts.observe({ operation: judged.operation, effect: judged.decision.effect, seconds, ...end });
}

/** Whatever the operation is or is not: a key in the path is not written down. */
const auditablePath = (incoming: Incoming, { path }: Stripped): string =>
  maskPath(unknownOperation({ method: incoming.request.method ?? "", path }), path);

function auditRefusal(call: Call, refusal: Refusal): void {
  call.parts.audit({
    kind: "request_refused",
    who: `${call.grant.caller.issuer_name} ${call.grant.caller.subject}`,
    what: `${call.incoming.request.method} ${call.host} ${auditablePath(call.incoming, call.presented)}`,
    reason: `${refusal.code}: ${refusal.message}`,
  });
}
