/** Gives a forwarded call's answer to its caller, the end of it only after the receipt is closed. */

import { isRefusal } from "../../errors.ts";
import type { CallNumber, HeaderList } from "../../model/receipt.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { endToEnd, headerOf } from "../../stages/forward/endToEnd.ts";
import { CredentialGuard, credentialsOf, headersHold } from "../../stages/forward/guard.ts";
import type { Answer } from "../../stages/forward/upstream.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import { callId } from "../../stages/reply/refusal.ts";
import { type Head, Release, releaseWhole } from "../../stages/reply/release.ts";
import {
  type Forwarded,
  answerUnclosed,
  answerWithout,
  blockAnswer,
  blocked,
  closeReceipt,
  interruptionBy,
  unmaskable,
} from "./ending.ts";
import { judgeAnswer } from "./judgeAnswer.ts";
import { type Arriving, isEndless, maskAnswer, maskedPieces } from "./maskAnswer.ts";
import { Recorder } from "./recorder.ts";
import { observe } from "./refuse.ts";

export async function answerCall(forwarded: Forwarded, answer: Answer): Promise<void> {
  const { call, judged } = forwarded;
  forwarded.trace.first_byte_at = call.parts.now();
  const head: Head = { status: answer.status, reason: answer.reason, headers: endToEnd(answer.headers) };
  const credentials = credentialsOf(call.connection);
  if (headersHold(credentials, head.headers)) return blockAnswer(forwarded, blocked);

  const length = lengthOf(judged.operation.method, head);
  const judgement = await judgeAnswer(forwarded, { head, answer, length });
  if ("broken" in judgement) return answerWithout(forwarded, judgement);
  if ("code" in judgement) return blockAnswer(forwarded, judgement);
  try {
    await releaseGuarded(forwarded, { head, answer: judgement.answer, length }, credentials);
  } finally {
    judgement.done();
  }
}

/** Nothing of the answer is released that holds one of the connection's credentials. */
async function releaseGuarded(
  forwarded: Forwarded,
  { head, answer, length }: Omit<Arriving, "guard">,
  credentials: ReturnType<typeof credentialsOf>,
): Promise<void> {
  const guard = new CredentialGuard(credentials, headerOf(head.headers, "content-encoding"));
  const arriving = { head, answer, guard, length };
  try {
    await (length !== null && length <= inlineLimit
      ? answerWhole(forwarded, arriving)
      : answerLarge(forwarded, arriving));
  } finally {
    guard.close();
  }
}

/** A mask reads the whole of an answer where that can be held; what never ends, or is larger, is masked as it passes. */
async function answerLarge(forwarded: Forwarded, arriving: Arriving): Promise<void> {
  const { parts } = forwarded.call;
  const { masking } = forwarded.judged;
  const mustBeRead = masking.plan.masksReply || masking.undecodable === "refuse";
  if (!mustBeRead || isEndless(arriving.head)) return answerPiecewise(forwarded, arriving);
  const { inspect } = parts.limits();
  try {
    // Most answers of unknown length are small, and take no more memory than those that say how long they are.
    if (await arriving.answer.body.fits(Math.min(inlineLimit, inspect))) return await answerWhole(forwarded, arriving);
    const release = parts.budget.reserve(2 * Math.min(arriving.length ?? inspect, inspect));
    if (isRefusal(release))
      return await blockAnswer(forwarded, unmaskable("too many bodies are being looked at at once"));
    try {
      if (await arriving.answer.body.fits(inspect)) return await answerWhole(forwarded, arriving);
    } finally {
      release();
    }
  } catch (error) {
    if (error instanceof BrokenAnswer) return await answerWithout(forwarded, error.broken);
    throw error;
  }
  if (masking.undecodable === "refuse")
    return blockAnswer(forwarded, unmaskable(`it is larger than ${inspect} bytes (limits.inspect)`));
  return answerPiecewise(forwarded, arriving);
}

/** An answer that is held: collected, masked, recorded, and only then released, headers and all. */
async function answerWhole(forwarded: Forwarded, { head, answer, guard }: Arriving): Promise<void> {
  const { incoming } = forwarded.call;
  let body: Buffer;
  try {
    body = await answer.body.collect();
  } catch (error) {
    if (error instanceof BrokenAnswer) return answerWithout(forwarded, error.broken);
    throw error;
  }
  if (body.length > 0 && (await guard.sees(body)) === "found") return blockAnswer(forwarded, blocked);
  const masked = await maskAnswer(forwarded, head, body);
  if ("code" in masked) return blockAnswer(forwarded, masked);
  let number: CallNumber;
  try {
    number = await closeReceipt(forwarded, () => ({
      state: "closed",
      error_code: null,
      error: null,
      status: head.status,
      response: masked.recorded,
    }));
  } catch (error) {
    return answerUnclosed(forwarded, error);
  }
  releaseWhole(incoming.response, named(masked.head, number), masked.body);
  observe(forwarded.call, forwarded.judged, { status: head.status, code: null });
}

/** A large or endless answer: passed on as it comes, with its proper end only after the closing is durable. */
async function answerPiecewise(forwarded: Forwarded, arriving: Arriving): Promise<void> {
  const { call, judged } = forwarded;
  const { head } = arriving;
  let number: CallNumber;
  try {
    number = await forwarded.receipt.open();
  } catch (error) {
    forwarded.cancel();
    return answerUnclosed(forwarded, error);
  }
  const recorder = new Recorder(call.parts, { masking: judged.masking, side: "response", headers: head.headers });
  const pieces = await maskedPieces(forwarded, arriving, recorder);
  if (!("body" in pieces)) {
    await recorder.abandon();
    return "code" in pieces ? blockAnswer(forwarded, pieces) : answerWithout(forwarded, pieces);
  }
  const release = new Release(call.incoming.response, named(pieces.head, number), pieces.length);
  try {
    for await (const piece of pieces.body) await release.pass(piece);
    const response = { headers: head.headers, body: await recorder.finish() };
    await closeReceipt(forwarded, () => ({
      state: "closed",
      error_code: null,
      error: null,
      status: head.status,
      response,
    }));
    release.finish();
    observe(call, judged, { status: head.status, code: null });
  } catch (error) {
    release.abort();
    forwarded.cancel();
    await closeInterrupted(forwarded, { head, recorder }, error);
  }
}

/** The caller has had a part of the answer and gets no more: the receipt says why. What nobody foresaw is thrown on. */
async function closeInterrupted(
  forwarded: Forwarded,
  { head, recorder }: { readonly head: Head; readonly recorder: Recorder },
  error: unknown,
): Promise<void> {
  const why = interruptionBy(error);
  if (why === null) throw error;
  observe(forwarded.call, forwarded.judged, { status: head.status, code: why.error_code });
  if (forwarded.receipt.ended) return recorder.abandon();
  // What was stored of the answer is worth less than the closing itself.
  const body = await recorder.finish().catch(() => null);
  const response = { headers: head.headers, body };
  // The sink, which could not take it in time, sees to it that the call does not stay open.
  await closeReceipt(forwarded, () => ({ state: "closed", status: head.status, response, ...why })).catch(() =>
    recorder.abandon(),
  );
}

/** Bytes of the body to come; null when the answer does not say (RFC 9112 §6.3). */
function lengthOf(method: string, head: Head): number | null {
  if (method === "HEAD" || head.status === 204 || head.status === 304) return 0;
  const length = headerOf(head.headers, "content-length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : null;
}

const named = (head: Head, call: CallNumber): Head => ({
  ...head,
  headers: [...head.headers, ["dogwatch-call", callId(call)]] as HeaderList,
});
