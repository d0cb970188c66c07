/** The halves of a receipt, drafted from what is known of the call and masked at once. */

import { createHash } from "node:crypto";
import type { Decision } from "../../model/decision.ts";
import type { Closing, Masked, Opening, RecordedBody, RecordedMessage } from "../../model/receipt.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { maskOwnAnswer } from "../../stages/mask/mask.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { maskClosing, maskOpening } from "../../stages/mask/recording.ts";
import { Tally } from "../../stages/mask/tally.ts";
import type { OwnAnswer } from "../../stages/reply/refusal.ts";
import type { Call, CallParts, Judged } from "./parts.ts";
import { type Recorder, recordRequest } from "./recorder.ts";

export function draftOpening(call: Call, judged: Judged, body: RecordedBody | null): Masked<Opening> {
  const { operation, masking, decision, decided_at, approval_id = null } = judged;
  const opening: Opening = {
    session_id: call.grant.session_id,
    operation: operation.id,
    access: operation.access,
    method: operation.method,
    host: call.host,
    path: call.presented.path,
    query: call.presented.query,
    decision,
    client: headerOf(call.presented.headers, "user-agent"),
    received_at: call.received_at,
    decided_at,
    request: { headers: call.presented.headers, body },
    approval_id,
  };
  return maskOpening(opening, operation, masking);
}

/** How far the call got; filled along the way and always recorded. */
export type Trace = {
  readonly upstream: string;
  readonly forwarded_at: Date;
  first_byte_at: Date | null;
  /** What rules on answers have against this one. */
  response_decision: Decision | null;
};

export const startTrace = (upstream: string, forwarded_at: Date): Trace => ({
  upstream,
  forwarded_at,
  first_byte_at: null,
  response_decision: null,
});

export type Ending = Pick<Closing, "state" | "status" | "error_code" | "error" | "response">;

/** The closing of a call of which nothing was sent. */
export const draftRefusal = (parts: CallParts, masking: Masking, ending: Ending): Masked<Closing> =>
  maskClosing(
    { ...ending, upstream: null, forwarded_at: null, first_byte_at: null, done_at: parts.now(), request_body: null },
    masking,
  );

/** Of a call that was sent. `request_body`: one that was still streaming at the opening, as far as it was read. */
export const draftClosing = (
  { parts, masking, trace }: { readonly parts: CallParts; readonly masking: Masking; readonly trace: Trace },
  ending: Ending & { readonly request_body: RecordedBody | null },
): Masked<Closing> => maskClosing({ ...ending, ...trace, done_at: parts.now() }, masking);

/** What was read of a body that streamed through; when its caller or Datadog ended the call before it was whole, that is said. */
export async function recordUpload(call: Call, upload: Recorder): Promise<RecordedBody | null> {
  const { request } = call.incoming;
  const whole = request.complete && request.readableLength === 0;
  // A closing without the body is worth more than none.
  const recorded = await upload.finish().catch(() => null);
  return recorded === null || whole ? recorded : { ...recorded, truncated: true };
}

/** The body of a call that will not be forwarded: when more of it was coming, that is said. */
export async function recordUnsent(call: Call, { masking, body }: Judged): Promise<RecordedBody | null> {
  const recorded = await recordRequest(call, masking, body.prefix);
  return recorded === null || body.rest === null ? recorded : { ...recorded, truncated: true };
}

/** An answer that the gateway gave itself; it may quote what was sent. */
export function recordOwn({ plan, sealing }: Masking, answer: OwnAnswer): RecordedMessage {
  const { bytes, values } = maskOwnAnswer(plan, answer.body, sealing);
  const sha256 = createHash("sha256").update(bytes).digest();
  const meta = { size: answer.body.length, sha256, content_type: "application/json", encoding: null, truncated: false };
  const tally = new Tally(sealing.keys);
  tally.add(values);
  return { headers: answer.headers, body: { ...meta, bytes, spill: null, replaced: tally.replaced } };
}
