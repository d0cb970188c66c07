/** Forwards an allowed call: nothing but a read goes out before its receipt is open, and nothing goes out twice. */

import { putCredentials } from "../../datadog/credentials.ts";
import { type Answer, type Broken, type Outgoing, isBroken, originOf } from "../../stages/forward/upstream.ts";
import { endToEnd } from "../../stages/forward/endToEnd.ts";
import { streamThrough } from "../../stages/forward/requestBody.ts";
import type { Capture } from "../../stages/record/capture.ts";
import { Receipt, isFresh } from "../../stages/record/receipt.ts";
import { answerCall, answerWithout } from "./answer.ts";
import { captureOf, draftOpening, recordBytes, startTrace } from "./draft.ts";
import type { Call, Judged } from "./parts.ts";
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
  const sent = parts.upstreams.send(trace.upstream, outgoing(call, judged, upload));
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

function outgoing(call: Call, judged: Judged, upload: Capture | null): Outgoing {
  const put = putCredentials(call.connection, call.host, call.presented);
  return {
    method: judged.operation.method,
    host: call.host,
    target: put.query === "" ? put.path : `${put.path}?${put.query}`,
    headers: endToEnd(put.headers).filter(([name]) => !ownFields.has(name.toLowerCase())),
    body: upload === null ? judged.body.prefix : streamThrough(judged.body, (chunk) => upload.take(chunk)),
  };
}

/** `Host` is set anew; `Expect` was answered by us (RFC 9110 §10.1.1). */
const ownFields = new Set(["host", "expect"]);
