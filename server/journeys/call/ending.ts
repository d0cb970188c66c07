/** How a forwarded call ends that has no answer to give: what its caller is told, and what its receipt says. */

import { GatewayError, type Refusal, refuse, statusOf } from "../../errors.ts";
import type { Access } from "../../model/operation.ts";
import type { CallNumber } from "../../model/receipt.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import type { Broken } from "../../stages/forward/upstream.ts";
import { Unstreamable } from "../../stages/mask/stream/masker.ts";
import type { Receipt } from "../../stages/record/receipt.ts";
import { refusalAnswer, sendOwnAnswer } from "../../stages/reply/refusal.ts";
import { CallerGone } from "../../stages/reply/release.ts";
import { type Ending, type Trace, draftClosing, recordOwn, recordUpload } from "./draft.ts";
import type { Call, Judged } from "./parts.ts";
import type { Recorder } from "./recorder.ts";
import { observe } from "./refuse.ts";
import { auditTokens, usesOf } from "./returnTokens.ts";

/** A call that is on its way. */
export type Forwarded = {
  readonly call: Call;
  readonly judged: Judged;
  readonly receipt: Receipt;
  readonly trace: Trace;
  /** A request body that was still streaming at the opening. */
  readonly upload: Recorder | null;
  /** Closes the connection to the upstream. */
  cancel(): void;
};

/** Resolves when the closing is durable, with whatever was read of a streaming request body. */
export async function closeReceipt(forwarded: Forwarded, ending: (call: CallNumber) => Ending): Promise<CallNumber> {
  const { call, judged, receipt, trace, upload } = forwarded;
  const request_body = upload === null ? null : await recordUpload(call, upload);
  // Too late to be in the decision, which was made before the body was there.
  if (upload !== null) auditTokens(call, judged.operation, usesOf(judged.masking, upload.astray));
  const known = { parts: call.parts, masking: judged.masking, trace };
  return receipt.close((number) => draftClosing(known, { ...ending(number), request_body }));
}

/** The call ended without a whole answer, and nothing of one has been released. */
export async function answerWithout(forwarded: Forwarded, broken: Broken): Promise<void> {
  if (broken.broken === "cancelled") return closeDeparted(forwarded);
  const refusal = refusalOf(forwarded.judged.operation.access, broken);
  const state = refusal.code === "outcome_unknown" ? "indeterminate" : "closed";
  return answerOwn(forwarded, refusal, { state, error: `${refusal.message} (${broken.message})` });
}

/** What arrived may not be passed on: the caller gets our own answer, and the recording holds that one only. */
export function blockAnswer(forwarded: Forwarded, why: Refusal): Promise<void> {
  forwarded.cancel();
  return answerOwn(forwarded, why, { state: "closed", error: why.message });
}

async function answerOwn(forwarded: Forwarded, refusal: Refusal, end: Pick<Ending, "state" | "error">): Promise<void> {
  const { call, judged } = forwarded;
  const answerTo = (number: CallNumber) => refusalAnswer(refusal, number, call.parts.publicUrl);
  const status = statusOf[refusal.code];
  try {
    const number = await closeReceipt(forwarded, (number) => ({
      ...end,
      status,
      error_code: refusal.code,
      response: recordOwn(judged.masking, answerTo(number)),
    }));
    sendOwnAnswer(call.incoming.response, answerTo(number));
    observe(call, judged, { status, code: refusal.code });
  } catch (error) {
    answerUnclosed(forwarded, error);
  }
}

async function closeDeparted(forwarded: Forwarded): Promise<void> {
  const departed = { error_code: "client_disconnected", error: new CallerGone().message } as const;
  observe(forwarded.call, forwarded.judged, { status: null, code: departed.error_code });
  try {
    await closeReceipt(forwarded, () => ({ state: "closed", status: null, response: null, ...departed }));
  } catch (error) {
    // Nobody is left to be told.
    if (!(error instanceof GatewayError)) throw error;
  }
}

/**
 * The receipt could not be closed: of a read nothing is given, of anything else nobody can say what it did. Never `gateway_busy`, which says
 * that nothing was sent.
 */
export function answerUnclosed(forwarded: Forwarded, error: unknown): void {
  const { call, judged, receipt } = forwarded;
  if (!(error instanceof GatewayError)) throw error;
  const refusal =
    judged.operation.access === "read"
      ? refuse("recording_unavailable", "the answer could not be recorded, so it is withheld")
      : unknownOutcome;
  sendOwnAnswer(call.incoming.response, refusalAnswer(refusal, receipt.number, call.parts.publicUrl));
  observe(call, judged, { status: statusOf[refusal.code], code: refusal.code });
}

/** Nobody foresaw what happened, and nobody else will ever close this receipt. Whoever calls this throws on. */
export async function closeBroken(forwarded: Forwarded): Promise<void> {
  forwarded.cancel();
  if (forwarded.receipt.ended) return;
  const error = "the gateway broke while it carried this call";
  observe(forwarded.call, forwarded.judged, { status: null, code: unknownOutcome.code });
  await closeReceipt(forwarded, () => ({
    state: "indeterminate",
    status: null,
    error_code: unknownOutcome.code,
    error,
    response: null,
  })).catch(() => undefined);
}

/** Why an answer that had begun has no proper end; null when nobody foresaw it. */
export function interruptionBy(error: unknown): Pick<Ending, "error_code" | "error"> | null {
  if (error instanceof CallerGone) return { error_code: "client_disconnected", error: error.message };
  if (error instanceof GatewayError) return { error_code: error.code, error: error.message };
  if (error instanceof Unstreamable)
    return { error_code: "response_blocked", error: unmaskable(error.message).message };
  if (!(error instanceof BrokenAnswer)) return null;
  switch (error.broken.broken) {
    case "cancelled":
      return { error_code: "client_disconnected", error: new CallerGone().message };
    case "timeout":
      return { error_code: "upstream_timeout", error: error.message };
    case "network":
      return { error_code: "upstream_unreachable", error: error.message };
    default:
      return error.broken.broken satisfies never;
  }
}

export const blocked: Refusal = refuse(
  "response_blocked",
  "the answer holds a credential of this connection, so it is withheld",
);

/** `says` ends a sentence about the body. */
export const unmaskable = (says: string): Refusal =>
  refuse("response_blocked", `the answer is withheld: masks apply to it, and ${says}`);

const unknownOutcome = refuse(
  "outcome_unknown",
  "the call was sent and its outcome is unknown: it may have been applied; do not repeat blindly",
);

function refusalOf(access: Access, broken: Broken): Refusal {
  if (!broken.sent) return refuse("upstream_unreachable", "Datadog could not be reached; nothing was sent");
  if (access !== "read") return unknownOutcome;
  return broken.broken === "timeout"
    ? refuse("upstream_timeout", "Datadog did not answer in time")
    : refuse("upstream_unreachable", "the connection to Datadog broke before its answer was complete");
}
