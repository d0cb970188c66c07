/** Forwards an allowed call: nothing but a read goes out before its receipt is open, and nothing goes out twice. */

import { type Answer, type Broken, isBroken, originOf } from "../../stages/forward/upstream.ts";
import { withCredentials } from "../../stages/forward/outgoing.ts";
import { streamThrough } from "../../stages/forward/requestBody.ts";
import type { Capture } from "../../stages/record/capture.ts";
import { Receipt, isFresh } from "../../stages/record/receipt.ts";
import { answerCall, answerWithout } from "./answer.ts";
import { captureOf, draftOpening, recordBytes, startTrace } from "./draft.ts";
import type { Call, CallParts, Judged } from "./parts.ts";
import { answerBreakage } from "./refuse.ts";

export async function forwardCall(call: Call, judged: Judged): Promise<void> {
  const { parts, incoming } = call;
  const upload = judged.body.rest === null ? null : captureOf(parts, call.presented.headers);
  const held = upload === null ? await recordBytes(parts, call.presented.headers, judged.body.prefix) : null;
  const receipt = new Receipt(parts.sink, draftOpening(call, judged, held));
  try {
    const goesAhead = judged.operation.access === "read" && isFresh(parts.sink, parts.monotonic());
    if (!goesAhead) await receipt.open();
  } catch (error) {
    return answerBreakage(call, judged, error);
  }

  const trace = startTrace(originOf(call.connection, call.host), parts.now());
  const { method } = judged.operation;
  const body = upload === null ? judged.body.prefix : streamThrough(judged.body, capturing(parts, upload));
  const sent = parts.upstreams.send(
    trace.upstream,
    withCredentials(call.connection, { ...call.presented, method, host: call.host, body }),
  );
  const forwarded = { call, judged, receipt, trace, upload, cancel: () => sent.cancel() };
  const onGone = (): void => sent.cancel();
  incoming.response.once("close", onGone);
  if (incoming.response.destroyed) sent.cancel();
  try {
    const answer: Answer | Broken = await sent.answered;
    await (isBroken(answer) ? answerWithout(forwarded, answer) : answerCall(forwarded, answer));
  } finally {
    incoming.response.off("close", onGone);
  }
}

function capturing({ tidy }: CallParts, upload: Capture): (chunk: Buffer) => Promise<void> | undefined {
  return (chunk) => {
    tidy(chunk.length);
    return upload.take(chunk);
  };
}
