/** Refuses a call: the receipt first, then the answer, which names the rule and links to the receipt. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { unknownOperation } from "../../datadog/catalogue.ts";
import { type Stripped, maskPath } from "../../datadog/credentials.ts";
import { GatewayError, type Refusal, refuse, statusOf } from "../../errors.ts";
import { sessionTokensIn } from "../../stages/authenticate/sessionToken.ts";
import { whoIs } from "../../model/caller.ts";
import { hideIn } from "../../stages/mask/beside.ts";
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
    kind: statusOf[refusal.code] === 401 ? "token_refused" : "request_refused",
    who: incoming.request.socket.remoteAddress ?? "unknown address",
    what: `${incoming.request.method} ${hidden(parts, auditablePath(incoming.request.method, presented.path))}`,
    reason: `${refusal.code}: ${refusal.message}`,
  });
  sendOwnAnswer(incoming.response, refusalAnswer(refusal, null, parts.publicUrl));
}

/** For a request whose head is too ambiguous to be a call at all; whoever read it writes the audit event. */
export const malformedAnswer = (complaint: string): OwnAnswer =>
  refusalAnswer(refuse("request_malformed", complaint), null, "");

export const stoppingAnswer: OwnAnswer = refusalAnswer(
  refuse("gateway_busy", "this gateway is stopping; nothing was sent, so try again"),
  null,
  "",
);

/** Nothing more is read from this connection: of a malformed request, two readers could differ about where it ends. */
export function turnAwayUnread(response: ServerResponse, answer: OwnAnswer): void {
  response.shouldKeepAlive = false;
  sendOwnAnswer(response, answer);
}

/** Method and path for the audit log. The query is left out, and whatever could be a key or a session token. */
export const auditableTarget = ({ method = "", url = "" }: IncomingMessage): string =>
  `${method} ${auditablePath(method, url.split("?")[0] ?? "").replace(/\/\/[^/@]*@/, "//")}`;

export async function refuseCall(call: Call, judged: Judged, refusal: Refusal): Promise<void> {
  const { parts, incoming } = call;
  if (refusal.code === "request_malformed" || refusal.code === "host_not_allowed") auditRefusal(call, refusal);
  try {
    const receipt = new Receipt(parts.sink, draftOpening(call, judged, await recordUnsent(call, judged)));
    const number = await receipt.close((number) =>
      draftRefusal(parts, judged.masking, {
        state: "refused",
        status: statusOf[refusal.code],
        error_code: refusal.code,
        error: refusal.message,
        response: recordOwn(judged.masking, refusalAnswer(refusal, number, parts.publicUrl)),
      }),
    );
    sendOwnAnswer(incoming.response, refusalAnswer(refusal, number, parts.publicUrl));
    observe(call, judged, { status: statusOf[refusal.code], code: refusal.code });
  } catch (error) {
    answerBreakage(call, judged, error);
  }
}

/** The caller left before anything was sent on: its receipt says so, and nobody is answered. */
export async function closeUnsent(call: Call, judged: Judged, receipt: Receipt): Promise<void> {
  const code = "client_disconnected";
  const refused = judged.decision.effect === "deny" || judged.decision.effect === "approve";
  try {
    await receipt.close(() =>
      draftRefusal(call.parts, judged.masking, {
        state: refused ? "refused" : "closed",
        status: null,
        error_code: code,
        error: "the client closed the connection before anything was sent",
        response: null,
      }),
    );
    observe(call, judged, { status: null, code });
  } catch (error) {
    answerBreakage(call, judged, error);
  }
}

/** Of a call that nobody waits for any more before the policy was asked. */
export const recordDeparture = (call: Call, judged: Judged): Promise<void> =>
  closeUnsent(call, judged, new Receipt(call.parts.sink, draftOpening(call, judged, null)));

/** The receipt could not be written and nothing was sent: the caller is told why, or that the gateway broke. */
export function answerBreakage(call: Call, judged: Judged, error: unknown): void {
  const refusal =
    error instanceof GatewayError
      ? refuse(error.code, `${error.message}; nothing was sent`)
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

/** Whatever the operation is or is not: a key in the path is not written down, nor a token that stands where none belongs. */
const auditablePath = (method = "", path: string): string =>
  maskPath(unknownOperation({ method, path }), path).replaceAll(sessionTokensIn, "{token}");

/** Nor what masks name. Without a session there is nothing that a token could be bound to. */
const hidden = ({ masks }: Pick<CallParts, "masks">, path: string): string => hideIn(masks().masks, path);

function auditRefusal(call: Call, refusal: Refusal): void {
  call.parts.audit({
    kind: "request_refused",
    who: whoIs(call.grant.caller),
    what: `${call.incoming.request.method} ${call.host} ${hidden(call.parts, auditablePath(call.incoming.request.method, call.presented.path))}`,
    reason: `${refusal.code}: ${refusal.message}`,
  });
}
