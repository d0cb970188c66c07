/** Gives a forwarded call's answer to its caller, the end of it only after the receipt is closed. */

import { GatewayError, isRefusal, type Refusal } from "../../errors.ts";
import type { CallNumber, HeaderList, RecordedMessage } from "../../model/receipt.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { endToEnd, headerOf, withLength } from "../../stages/forward/endToEnd.ts";
import { CredentialGuard, credentialsOf, headersHold } from "../../stages/forward/guard.ts";
import type { Answer } from "../../stages/forward/upstream.ts";
import { inReply } from "../../stages/mask/detect/detector.ts";
import { maskResponse } from "../../stages/mask/mask.ts";
import { Unstreamable } from "../../stages/mask/stream/masker.ts";
import { maskStream } from "../../stages/mask/stream/stream.ts";
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
import { Recorder, recordMasked } from "./recorder.ts";
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

type Arriving = {
  readonly head: Head;
  readonly answer: Answer;
  readonly guard: CredentialGuard;
  /** Bytes of the body to come; null when the answer does not say. */
  readonly length: number | null;
};

/** A mask reads the whole of an answer where that can be held; what never ends, or is larger, is masked as it passes. */
async function answerLarge(forwarded: Forwarded, arriving: Arriving): Promise<void> {
  const { parts } = forwarded.call;
  const { masking } = forwarded.judged;
  const mustBeRead = masking.plan.masksReply || masking.undecodable === "refuse";
  if (!mustBeRead || isEndless(arriving.head)) return answerPiecewise(forwarded, arriving);
  const { inspect } = parts.limits();
  const release = parts.budget.reserve(2 * Math.min(arriving.length ?? inspect, inspect));
  if (isRefusal(release)) return blockAnswer(forwarded, unmaskable("too many bodies are being looked at at once"));
  try {
    if (await arriving.answer.body.fits(inspect)) return await answerWhole(forwarded, arriving);
  } catch (error) {
    if (error instanceof BrokenAnswer) return answerWithout(forwarded, error.broken);
    throw error;
  } finally {
    release();
  }
  if (masking.undecodable === "refuse")
    return blockAnswer(forwarded, unmaskable(`it is larger than ${inspect} bytes (limits.inspect)`));
  return answerPiecewise(forwarded, arriving);
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
const isEndless = ({ headers }: Head): boolean =>
  /^text\/event-stream\b/i.test(headerOf(headers, "content-type")?.trim() ?? "");

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

type MaskedAnswer = { readonly head: Head; readonly body: Buffer; readonly recorded: RecordedMessage };

/** From one look: what the caller gets, and what is stored. */
async function maskAnswer(
  { call: { parts }, judged: { masking } }: Forwarded,
  head: Head,
  bytes: Buffer,
): Promise<MaskedAnswer | Refusal> {
  const { headers } = head;
  const { sealing, plan, undecodable } = masking;
  const { reply, recording } = await maskResponse(plan, { headers, bytes }, { sealing, limits: parts.limits() });
  if (reply.outcome === "blocked" || reply.outcome === "unreadable") return unmaskable(reply.says);
  if (recording.outcome === "unreadable" && undecodable === "refuse") return unmaskable(recording.says);
  const body = await recordMasked(parts, { masking, side: "response", headers }, { bytes, masked: recording });
  const recorded = { headers, body };
  return reply.outcome === "masked"
    ? { head: { ...head, headers: withLength(headers, reply.bytes.length) }, body: reply.bytes, recorded }
    : { head, body: bytes, recorded };
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
  if ("code" in pieces) {
    await recorder.abandon();
    return blockAnswer(forwarded, pieces);
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

type Pieces = { readonly head: Head; readonly length: number | null; readonly body: AsyncIterable<Buffer> };

/** What the caller gets of it: all, or all but what masks take out. A refusal where it is clear before the first byte that they cannot. */
async function maskedPieces(forwarded: Forwarded, arriving: Arriving, recorder: Recorder): Promise<Pieces | Refusal> {
  const { head, length } = arriving;
  const { plan, sealing } = forwarded.judged.masking;
  const source = guardedPieces(forwarded, arriving, recorder);
  if (!plan.masksReply) return { head, length, body: source };
  const masked = maskStream(source, head.headers, { search: plan.response, side: inReply, sealing });
  const changed = { ...head, headers: withLength(head.headers, null) };
  // What never ends has no first byte to wait for.
  if (isEndless(head)) return { head: changed, length: null, body: masked };
  try {
    const first = await masked.next();
    return { head: changed, length: null, body: first.done === true ? nothing() : resumed(first.value, masked) };
  } catch (error) {
    if (error instanceof Unstreamable) return unmaskable(error.message);
    // What went wrong comes out where the answer is passed on.
    return { head: changed, length: null, body: failing(error) };
  }
}

async function* resumed(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* nothing(): AsyncGenerator<Buffer> {}

async function* failing(error: unknown): AsyncGenerator<Buffer> {
  throw error;
}

/** Every piece is looked at and recorded before it goes on; one that may hold the beginning of a credential waits for the next. */
async function* guardedPieces(
  { call: { parts } }: Forwarded,
  { answer, guard }: Arriving,
  recorder: Recorder,
): AsyncGenerator<Buffer> {
  const suspect: Buffer[] = [];
  const pass = async function* (pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
    for (const piece of pieces) {
      await recorder.take(piece);
      yield piece;
      parts.tidy(piece.length);
    }
  };
  for (let chunks = await answer.body.read(); chunks !== null; chunks = await answer.body.read()) {
    for (const chunk of chunks) {
      const sight = await guard.sees(chunk);
      if (sight === "found") throw new GatewayError("response_blocked", blocked.message);
      suspect.push(chunk);
      if (sight === "clear") yield* pass(suspect.splice(0));
    }
  }
  yield* pass(suspect);
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
