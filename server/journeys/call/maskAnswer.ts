/** What a caller gets of an answer, and what is stored of it, once masks have taken out what they name. */

import { GatewayError, type Refusal, refuse } from "../../errors.ts";
import type { RecordedMessage } from "../../model/receipt.ts";
import { headerOf, withLength } from "../../stages/forward/endToEnd.ts";
import type { CredentialGuard } from "../../stages/forward/guard.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import type { Answer, Broken } from "../../stages/forward/upstream.ts";
import { inReply } from "../../stages/mask/detect/detector.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { maskResponse } from "../../stages/mask/mask.ts";
import { Unstreamable } from "../../stages/mask/stream/masker.ts";
import { maskStream } from "../../stages/mask/stream/stream.ts";
import type { Head } from "../../stages/reply/release.ts";
import { blocked, type Forwarded, unmaskable } from "./ending.ts";
import { type Recorder, recordMasked } from "./recorder.ts";

export type Arriving = {
  readonly head: Head;
  readonly answer: Answer;
  readonly guard: CredentialGuard;
  /** Bytes of the body to come; null when the answer does not say. */
  readonly length: number | null;
};

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const isEndless = ({ headers }: Head): boolean =>
  /^text\/event-stream\b/i.test(headerOf(headers, "content-type")?.trim() ?? "");

type MaskedAnswer = { readonly head: Head; readonly body: Buffer; readonly recorded: RecordedMessage };

/** From one look: what the caller gets, and what is stored. */
export async function maskAnswer(
  { call: { parts }, judged: { masking } }: Forwarded,
  head: Head,
  bytes: Buffer,
): Promise<MaskedAnswer | Refusal> {
  const { headers } = head;
  const { sealing, plan, undecodable } = masking;
  if (isPartOnly(head, masking)) return unmaskable(part);
  const { reply, recording } = await maskResponse(plan, { headers, bytes }, { sealing, limits: parts.limits() });
  if (reply.outcome === "blocked" || reply.outcome === "unreadable") return unmaskable(reply.says);
  if (recording.outcome === "unreadable" && undecodable === "refuse") return unmaskable(recording.says);
  const body = await recordMasked(parts, { masking, side: "response", headers }, { bytes, masked: recording });
  const recorded = { headers, body };
  return reply.outcome === "masked"
    ? { head: { ...head, headers: withLength(headers, reply.bytes.length) }, body: reply.bytes, recorded }
    : { head, body: bytes, recorded };
}

/** Nobody asked for it (`outgoingOf`): a value could lie on its edge. RFC 9110 §15.3.7. */
const isPartOnly = ({ status }: Head, { plan }: Masking): boolean => plan.masksReply && status === 206;
const part = "only a part of it came (206)";

type Pieces = {
  readonly head: Head;
  readonly length: number | null;
  readonly body: AsyncIterable<Buffer> | Iterable<Buffer>;
};

/** What the caller gets of it: all, or all but what masks take out. A refusal where it is clear before the first byte that they cannot. */
export async function maskedPieces(
  forwarded: Forwarded,
  arriving: Arriving,
  recorder: Recorder,
): Promise<Pieces | Refusal | Broken> {
  const { head, length } = arriving;
  const { plan, sealing } = forwarded.judged.masking;
  const source = guardedPieces(forwarded, arriving, recorder);
  if (!plan.masksReply) return { head, length, body: source };
  if (isPartOnly(head, forwarded.judged.masking)) return unmaskable(part);
  const masked = maskStream(source, head.headers, { search: plan.response, side: inReply, sealing });
  const changed = { ...head, headers: withLength(head.headers, null) };
  // What never ends has no first byte to wait for.
  if (isEndless(head)) return { head: changed, length: null, body: masked };
  try {
    const first = await masked.next();
    return { head: changed, length: null, body: first.done === true ? [] : resumed(first.value, masked) };
  } catch (error) {
    if (error instanceof Unstreamable) return unmaskable(error.message);
    if (error instanceof BrokenAnswer) return error.broken;
    if (error instanceof GatewayError) return refuse(error.code, error.message);
    throw error;
  }
}

async function* resumed(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
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
