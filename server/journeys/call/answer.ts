/** Gives a forwarded call's answer to its caller, the end of it only after the receipt is closed. */

import { GatewayError, type Refusal, refuse, statusOf } from "../../errors.ts";
import type { Access } from "../../model/operation.ts";
import type { CallNumber, HeaderList } from "../../model/receipt.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { endToEnd, headerOf } from "../../stages/forward/endToEnd.ts";
import { CredentialGuard, credentialsOf, headersHold } from "../../stages/forward/guard.ts";
import type { Answer, Broken } from "../../stages/forward/upstream.ts";
import { inlineLimit } from "../../stages/record/capture.ts";
import { callId, refusalAnswer, sendOwnAnswer } from "../../stages/reply/refusal.ts";
import { CallerGone, type Head, Release, releaseWhole } from "../../stages/reply/release.ts";
import { type Ending, captureOf, draftClosing, recordBytes, recordOwn } from "./draft.ts";
import type { Forwarded } from "./forwarded.ts";
import { judgeAnswer } from "./judgeAnswer.ts";
import { observe } from "./refuse.ts";

export async function answerCall(forwarded: Forwarded, answer: Answer): Promise<void> {
  const { call, judged } = forwarded;
  forwarded.trace.first_byte_at = call.parts.now();
  const head: Head = { status: answer.status, reason: answer.reason, headers: endToEnd(answer.headers) };
  const credentials = credentialsOf(call.connection);
  if (headersHold(credentials, head.headers)) return blockAnswer(forwarded, blocked);

  const judgement = await judgeAnswer(forwarded, { head, answer, length: lengthOf(judged.operation.method, head) });
  if ("broken" in judgement) return answerWithout(forwarded, judgement);
  if ("code" in judgement) return blockAnswer(forwarded, judgement);
  try {
    await release(forwarded, { head, answer: judgement.answer }, credentials);
  } finally {
    judgement.done();
  }
}

async function release(
  forwarded: Forwarded,
  { head, answer }: Omit<Arriving, "guard">,
  credentials: ReturnType<typeof credentialsOf>,
): Promise<void> {
  const guard = new CredentialGuard(credentials, headerOf(head.headers, "content-encoding"));
  const length = lengthOf(forwarded.judged.operation.method, head);
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
  if (body.length > 0 && (await guard.sees(body))) return blockAnswer(forwarded, blocked);
  try {
    const recorded = await recordBytes(parts, head.headers, body);
    const response = { headers: head.headers, body: recorded };
    const number = await close(forwarded, () => ({ ...closedWell, status: head.status, response }));
    releaseWhole(incoming.response, named(head, number), body);
    observe(forwarded.call, forwarded.judged, { status: head.status, code: null });
  } catch (error) {
    answerUnclosed(forwarded, error);
  }
}

/** A large or endless answer: passed on as it comes, with its proper end only after the closing is durable. */
async function answerPiecewise(
  forwarded: Forwarded,
  arriving: Arriving & { readonly length: number | null },
): Promise<void> {
  const { parts, incoming } = forwarded.call;
  const { head, answer, guard } = arriving;
  let number: CallNumber;
  try {
    number = await forwarded.receipt.open();
  } catch (error) {
    forwarded.cancel();
    return answerUnclosed(forwarded, error);
  }
  const capture = captureOf(parts, head.headers);
  const release = new Release(incoming.response, named(head, number), arriving.length);
  const closeAs = async (ending: Pick<Ending, "error_code" | "error">): Promise<void> => {
    const response = { headers: head.headers, body: await capture.finish() };
    await close(forwarded, () => ({ state: "closed", status: head.status, response, ...ending }));
    observe(forwarded.call, forwarded.judged, { status: head.status, code: ending.error_code });
  };
  try {
    for (let chunks = await answer.body.read(); chunks !== null; chunks = await answer.body.read()) {
      for (const chunk of chunks) {
        if (await guard.sees(chunk)) throw new GatewayError("response_blocked", blocked.message);
        await capture.take(chunk);
        await release.pass(chunk);
        parts.tidy(chunk.length);
      }
    }
    await closeAs({ error_code: null, error: null });
    release.finish();
  } catch (error) {
    release.abort();
    forwarded.cancel();
    await closeAs(interruption(error)).catch(() => capture.abandon());
  }
}

/** The call ended without a whole answer, and nothing of one has been released. */
export async function answerWithout(forwarded: Forwarded, broken: Broken): Promise<void> {
  const { parts, incoming } = forwarded.call;
  const { access } = forwarded.judged.operation;
  try {
    if (broken.broken === "cancelled") {
      await close(forwarded, () => ({
        state: "closed",
        status: null,
        response: null,
        ...interruption(new CallerGone()),
      }));
      observe(forwarded.call, forwarded.judged, { status: null, code: "client_disconnected" });
      return;
    }
    const refusal = refusalOf(access, broken);
    const number = await close(forwarded, (number) => ({
      state: refusal.code === "outcome_unknown" ? "indeterminate" : "closed",
      status: statusOf[refusal.code],
      error_code: refusal.code,
      error: `${refusal.message} (${broken.message})`,
      response: recordOwn(refusalAnswer(refusal, number, parts.publicUrl)),
    }));
    sendOwnAnswer(incoming.response, refusalAnswer(refusal, number, parts.publicUrl));
    observe(forwarded.call, forwarded.judged, { status: statusOf[refusal.code], code: refusal.code });
  } catch (error) {
    answerUnclosed(forwarded, error);
  }
}

/** What arrived may not be passed on: the caller gets our own answer, and the recording holds that one only. */
async function blockAnswer(forwarded: Forwarded, blocked: Refusal): Promise<void> {
  const { parts, incoming } = forwarded.call;
  forwarded.cancel();
  try {
    const number = await close(forwarded, (number) => ({
      state: "closed",
      status: statusOf[blocked.code],
      error_code: blocked.code,
      error: blocked.message,
      response: recordOwn(refusalAnswer(blocked, number, parts.publicUrl)),
    }));
    sendOwnAnswer(incoming.response, refusalAnswer(blocked, number, parts.publicUrl));
    observe(forwarded.call, forwarded.judged, { status: statusOf[blocked.code], code: blocked.code });
  } catch (error) {
    answerUnclosed(forwarded, error);
  }
}

/** The receipt could not be closed: of a read nothing is given, of anything else nobody can say what it did. */
function answerUnclosed(forwarded: Forwarded, error: unknown): void {
  const { parts, incoming } = forwarded.call;
  const { operation } = forwarded.judged;
  const refusal: Refusal =
    operation.access === "read"
      ? refuse(
          error instanceof GatewayError ? error.code : "recording_unavailable",
          `the answer could not be recorded, so it is withheld`,
        )
      : unknownOutcome;
  sendOwnAnswer(incoming.response, refusalAnswer(refusal, forwarded.receipt.number, parts.publicUrl));
  observe(forwarded.call, forwarded.judged, { status: statusOf[refusal.code], code: refusal.code });
  if (!(error instanceof GatewayError)) throw error;
}

async function close(forwarded: Forwarded, ending: (call: CallNumber) => Ending): Promise<CallNumber> {
  const request_body = (await forwarded.upload?.finish()) ?? null;
  return forwarded.receipt.close((number) =>
    draftClosing(forwarded.call.parts, forwarded.trace, { ...ending(number), request_body }),
  );
}

const closedWell = { state: "closed", error_code: null, error: null } as const;

const blocked: Refusal = refuse(
  "response_blocked",
  "the answer holds a credential of this connection, so it is withheld",
);

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

/** Why an answer that had begun has no proper end. */
function interruption(error: unknown): Pick<Ending, "error_code" | "error"> {
  if (error instanceof CallerGone) return { error_code: "client_disconnected", error: error.message };
  if (error instanceof GatewayError) return { error_code: error.code, error: error.message };
  if (!(error instanceof BrokenAnswer)) throw error;
  switch (error.broken.broken) {
    case "cancelled":
      return {
        error_code: "client_disconnected",
        error: "the client closed the connection before the answer was complete",
      };
    case "timeout":
      return { error_code: "upstream_timeout", error: error.message };
    case "network":
      return { error_code: "upstream_unreachable", error: error.message };
    default:
      return error.broken.broken satisfies never;
  }
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
