/** Forwards an allowed call: nothing but a read goes out before its receipt is open, and nothing goes out twice. */

import { type Sent, isBroken, originOf } from "../../stages/forward/upstream.ts";
import { purposeOf } from "../../model/ownCaller.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { withLength } from "../../stages/forward/endToEnd.ts";
import { type Outgoing, withCredentials } from "../../stages/forward/outgoing.ts";
import { streamThrough } from "../../stages/forward/requestBody.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { TokenWatch } from "../../stages/mask/token/watch.ts";
import { Receipt, isFresh } from "../../stages/record/receipt.ts";
import { answerCall } from "./answer.ts";
import { draftOpening, startTrace } from "./draft.ts";
import { type Forwarded, answerWithout, closeBroken } from "./ending.ts";
import type { Call, Judged } from "./parts.ts";
import { Recorder, recordRequest } from "./recorder.ts";
import { answerBreakage, closeUnsent } from "./refuse.ts";

/** `opened`: the receipt of a call that people have let go, and whose body was held. */
export async function forwardCall(call: Call, judged: Judged, opened: Receipt | null = null): Promise<void> {
  const upload = judged.body.rest === null ? null : uploadOf(call, judged);
  let ready: Ready;
  try {
    ready = {
      outgoing: outgoingOf(call, judged, upload),
      receipt: opened ?? (await openReceipt(call, judged, upload)),
    };
  } catch (error) {
    return answerBreakage(call, judged, error);
  }
  // Nobody waits for it any more, and it has not been sent.
  if (call.incoming.response.destroyed) return closeUnsent(call, judged, ready.receipt);
  return carry(call, judged, { ...ready, upload });
}

type Ready = { readonly outgoing: Outgoing; readonly receipt: Receipt };

type Loaded = Ready & { readonly upload: Recorder | null };

const uploadOf = ({ parts, presented: { headers } }: Call, { masking }: Judged): Recorder =>
  new Recorder(parts, { masking, side: "request", headers, ...watchFor(masking) });

/** Where replies hold no tokens nobody has one to write. */
const watchFor = ({ plan, custom }: Masking): { readonly watch?: TokenWatch } =>
  plan.masksReply ? { watch: new TokenWatch(custom) } : {};

async function carry(call: Call, judged: Judged, { outgoing, receipt, upload }: Loaded): Promise<void> {
  const { parts, incoming } = call;
  const trace = startTrace(originOf(call.connection, call.host), parts.now());
  const sent = sendOut(call, trace.upstream, outgoing);
  const forwarded: Forwarded = { call, judged, receipt, trace, upload, cancel: () => sent.cancel() };
  incoming.response.once("close", forwarded.cancel);
  try {
    const answer = await sent.answered;
    await (isBroken(answer) ? answerWithout(forwarded, answer) : answerCall(forwarded, answer));
  } catch (error) {
    await closeBroken(forwarded);
    throw error;
  } finally {
    incoming.response.off("close", forwarded.cancel);
  }
}

/** A sandbox's own address must not be a live one by another name. One without goes to Datadog, with the keys of another organization. */
const sendOut = ({ parts, grant, connection }: Call, origin: string, outgoing: Outgoing): Sent =>
  purposeOf(grant.caller) === "replay" && connection.endpoint !== undefined
    ? parts.upstreams.sendApart(origin, outgoing, parts.apart)
    : parts.upstreams.send(origin, outgoing);

/** A write's receipt is durable before it goes out; a read goes ahead while the sink is known to work. */
async function openReceipt(call: Call, judged: Judged, upload: Recorder | null): Promise<Receipt> {
  const { parts } = call;
  const held = upload === null ? await recordRequest(call, judged.masking, judged.body.prefix) : null;
  const receipt = new Receipt(parts.sink, draftOpening(call, judged, held));
  const goesAhead = judged.operation.access === "read" && isFresh(parts.sink, parts.monotonic());
  if (!goesAhead) await receipt.open();
  return receipt;
}

function outgoingOf(call: Call, judged: Judged, upload: Recorder | null): Outgoing {
  const { connection, host } = call;
  const presented = { ...call.presented, headers: wholeOnly(call.presented.headers, judged.masking) };
  const { method } = judged.operation;
  const { restored } = judged;
  if (restored !== undefined)
    return withCredentials(connection, {
      ...presented,
      headers: withLength(presented.headers, restored.length),
      method,
      host,
      body: restored,
    });
  const body = upload === null ? judged.body.prefix : streamThrough(judged.body, capturing(call, upload));
  return withCredentials(connection, { ...presented, method, host, body });
}

/** Of an answer in pieces (RFC 9110 §14.2) each could hold half a value, which no mask would know. */
const wholeOnly = (headers: HeaderList, { plan }: Masking): HeaderList =>
  plan.masksReply ? headers.filter(([name]) => !/^(?:if-)?range$/i.test(name)) : headers;

const capturing =
  ({ parts: { tidy } }: Call, upload: Recorder) =>
  (chunk: Buffer): Promise<void> | undefined => {
    tidy(chunk.length);
    return upload.take(chunk);
  };
