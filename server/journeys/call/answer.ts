/** Gives a forwarded call's answer to its caller, the end of it only after the receipt is closed. */

import { GatewayError } from "../../errors.ts";
import type { CallNumber, HeaderList } from "../../model/receipt.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { endToEnd, headerOf } from "../../stages/forward/endToEnd.ts";
import { CredentialGuard, credentialsOf, headersHold } from "../../stages/forward/guard.ts";
import type { Answer } from "../../stages/forward/upstream.ts";
import { type Capture, inlineLimit } from "../../stages/record/capture.ts";
import { callId } from "../../stages/reply/refusal.ts";
import { type Head, Release, releaseWhole } from "../../stages/reply/release.ts";
import { captureOf, recordBytes } from "./draft.ts";
import {
  type Forwarded,
  answerUnclosed,
  answerWithout,
  blockAnswer,
  blocked,
  closeReceipt,
  interruptionBy,
} from "./ending.ts";
import { judgeAnswer } from "./judgeAnswer.ts";
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
  { head, answer, length }: Omit<Arriving, "guard"> & { readonly length: number | null },
  credentials: ReturnType<typeof credentialsOf>,
): Promise<void> {
  const guard = new CredentialGuard(credentials, headerOf(head.headers, "content-encoding"));
  try {
    await (length !== null && length <= inlineLimit
      ? answerWhole(forwarded, { head, answer, guard })
      : answerPiecewise(forwarded, { head, answer, guard, length }));
  } finally {
    guard.close();
  }
}

type Arriving = { readonly head: Head; readonly answer: Answer; readonly guard: CredentialGuard };

/** A small answer: collected, recorded, and only then released, headers and all. */
async function answerWhole(forwarded: Forwarded, { head, answer, guard }: Arriving): Promise<void> {
  const { parts, incoming } = forwarded.call;
  let body: Buffer;
  try {
    body = await answer.body.collect();
  } catch (error) {
    if (error instanceof BrokenAnswer) return answerWithout(forwarded, error.broken);
    throw error;
  }
  if (body.length > 0 && (await guard.sees(body)) === "found") return blockAnswer(forwarded, blocked);
  let number: CallNumber;
  try {
    const response = { headers: head.headers, body: await recordBytes(parts, head.headers, body) };
    number = await closeReceipt(forwarded, () => ({
      state: "closed",
      error_code: null,
      error: null,
      status: head.status,
      response,
    }));
  } catch (error) {
    return answerUnclosed(forwarded, error);
  }
  releaseWhole(incoming.response, named(head, number), body);
  observe(forwarded.call, forwarded.judged, { status: head.status, code: null });
}

/** A large or endless answer: passed on as it comes, with its proper end only after the closing is durable. */
async function answerPiecewise(
  forwarded: Forwarded,
  arriving: Arriving & { readonly length: number | null },
): Promise<void> {
  const { parts, incoming } = forwarded.call;
  const { head } = arriving;
  let number: CallNumber;
  try {
    number = await forwarded.receipt.open();
  } catch (error) {
    forwarded.cancel();
    return answerUnclosed(forwarded, error);
  }
  const capture = captureOf(parts, head.headers);
  const release = new Release(incoming.response, named(head, number), arriving.length);
  try {
    await passPieces(forwarded, arriving, { capture, release });
    const response = { headers: head.headers, body: await capture.finish() };
    await closeReceipt(forwarded, () => ({
      state: "closed",
      error_code: null,
      error: null,
      status: head.status,
      response,
    }));
    release.finish();
    observe(forwarded.call, forwarded.judged, { status: head.status, code: null });
  } catch (error) {
    release.abort();
    forwarded.cancel();
    await closeInterrupted(forwarded, { head, capture }, error);
  }
}

type Way = { readonly capture: Capture; readonly release: Release };

/** Every piece is looked at, recorded and released; one that may hold the beginning of a credential waits for the next. */
async function passPieces(
  { call: { parts } }: Forwarded,
  { answer, guard }: Arriving,
  { capture, release }: Way,
): Promise<void> {
  const pass = async (pieces: readonly Buffer[]): Promise<void> => {
    for (const piece of pieces) {
      await capture.take(piece);
      await release.pass(piece);
      parts.tidy(piece.length);
    }
  };
  const suspect: Buffer[] = [];
  for (let chunks = await answer.body.read(); chunks !== null; chunks = await answer.body.read()) {
    for (const chunk of chunks) {
      const sight = await guard.sees(chunk);
      if (sight === "found") throw new GatewayError("response_blocked", blocked.message);
      suspect.push(chunk);
      if (sight === "clear") await pass(suspect.splice(0));
    }
  }
  await pass(suspect);
}

/** The caller has had a part of the answer and gets no more: the receipt says why. What nobody foresaw is thrown on. */
async function closeInterrupted(
  forwarded: Forwarded,
  { head, capture }: { readonly head: Head; readonly capture: Capture },
  error: unknown,
): Promise<void> {
  const why = interruptionBy(error);
  if (why === null) throw error;
  observe(forwarded.call, forwarded.judged, { status: head.status, code: why.error_code });
  if (forwarded.receipt.ended) return capture.abandon();
  // What was stored of the answer is worth less than the closing itself.
  const body = await capture.finish().catch(() => null);
  const response = { headers: head.headers, body };
  // The sink, which could not take it in time, sees to it that the call does not stay open.
  await closeReceipt(forwarded, () => ({ state: "closed", status: head.status, response, ...why })).catch(() =>
    capture.abandon(),
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
