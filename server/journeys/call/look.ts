/** Looks at what a held call would change, with the gateway's own credentials: a read like any other, recorded in the same session. */

import { prefixOfHost } from "../../datadog/hosts.ts";
import { isRefusal } from "../../errors.ts";
import type { CurrentState } from "../../model/approval.ts";
import type { Operation } from "../../model/operation.ts";
import type { CallNumber, Closing, HeaderList, RecordedMessage } from "../../model/receipt.ts";
import { plainBytes } from "../../stages/decide/inspect.ts";
import { type Look, lookOf, stateOf } from "../../stages/escalate/look.ts";
import { BrokenAnswer } from "../../stages/forward/answerBody.ts";
import { endToEnd } from "../../stages/forward/endToEnd.ts";
import { CredentialGuard, credentialsOf, headersHold } from "../../stages/forward/guard.ts";
import { withCredentials } from "../../stages/forward/outgoing.ts";
import { type Answer, isBroken, originOf } from "../../stages/forward/upstream.ts";
import { Receipt } from "../../stages/record/receipt.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { maskResponse, visibleIn } from "../../stages/mask/mask.ts";
import { draftClosing, draftOpening, startTrace } from "./draft.ts";
import { maskingFor } from "./judge.ts";
import type { Call, Judged } from "./parts.ts";
import { recordMasked } from "./recorder.ts";

/** `digest` is null when the state is not known. */
export type Looked = { readonly state: CurrentState; readonly digest: string | null };

/** Nobody waits longer for a look than this, ms. */
const patience = 15_000;

/** Never rejects: what cannot be seen is said. */
export async function lookAt(call: Call, operation: Operation, approval_id: string): Promise<Looked> {
  const prefix = prefixOfHost(call.connection.site, call.host);
  if (prefix === undefined) return unavailable(`${call.host} is not known`);
  const look = lookOf(call.parts.catalogue, { prefix, path: call.presented.path, operation });
  if ("why" in look) return unavailable(look.why);
  try {
    return await fetchState(call, look, lookingFor(call, { look, approval_id, operation }));
  } catch (error) {
    call.parts.log.warn({ err: error, approval: approval_id }, "the current state could not be looked at");
    return unavailable("it could not be fetched");
  }
}

const unavailable = (why: string): Looked => ({ state: { kind: "unavailable", why }, digest: null });

type Looking = { readonly look: Look; readonly approval_id: string; readonly operation: Operation };

/** The read is the gateway's own: no rule was asked, and its receipt says so. */
const lookingFor = (call: Call, { look, approval_id, operation }: Looking): Judged => ({
  operation: look.operation,
  decision: {
    effect: "allow",
    rules: [],
    reason: `Dogwatch looked at what ${operation.name} would change, for approval ${approval_id}`,
    policy: call.parts.policy().digest,
  },
  policy: call.parts.policy(),
  masking: maskingFor(call, look.operation),
  decided_at: call.parts.now(),
  body: { prefix: Buffer.alloc(0), rest: null },
});

async function fetchState(call: Call, look: Look, judged: Judged): Promise<Looked> {
  const { parts, connection, host } = call;
  const headers: HeaderList = [
    ["accept", "application/json"],
    ["user-agent", "dogwatch"],
  ];
  const own: Call = { ...call, presented: { ...call.presented, path: look.path, query: "", headers } };
  const receipt = new Receipt(parts.sink, draftOpening(own, judged, null));
  const trace = startTrace(originOf(connection, host), parts.now());
  await receipt.open();
  const outgoing = withCredentials(connection, { ...own.presented, method: "GET", host, body: null });
  const sent = parts.upstreams.send(trace.upstream, outgoing);
  const timer = setTimeout(() => sent.cancel(), patience);
  try {
    const answer = await sent.answered;
    if (isBroken(answer))
      return await end(receipt, { ...failed(answer.message), call: own, masking: judged.masking, trace });
    trace.first_byte_at = parts.now();
    const read = await readAnswer(own, answer);
    if ("unreadable" in read) {
      sent.cancel();
      return await end(receipt, {
        ...failed(read.unreadable, answer.status),
        call: own,
        masking: judged.masking,
        trace,
      });
    }
    const { response, shown } = await maskLook(own, judged, read);
    const ending = { state: "closed", status: answer.status, error_code: null, error: null, response } as const;
    const known = { parts, masking: judged.masking, trace };
    const number = await receipt.close(() => draftClosing(known, { ...ending, request_body: null }));
    return Buffer.isBuffer(shown) ? stateIn(look, { status: answer.status, plain: shown, number }) : unavailable(shown);
  } finally {
    clearTimeout(timer);
  }
}

/** As it is stored, and as people see it; a string says why there is nothing to see. */
async function maskLook(
  { parts }: Call,
  { masking }: Judged,
  { headers, bytes, plain }: Read,
): Promise<{ readonly response: RecordedMessage; readonly shown: Buffer | string }> {
  const context = { sealing: masking.sealing, limits: parts.limits() };
  const { recording } = await maskResponse(masking.plan, { headers, bytes }, context);
  const body = await recordMasked(parts, { masking, side: "response", headers }, { bytes, masked: recording });
  const uncoded = headers.filter(([name]) => name.toLowerCase() !== "content-encoding");
  const read =
    uncoded.length === headers.length
      ? recording
      : (await maskResponse(masking.plan, { headers: uncoded, bytes: plain }, context)).recording;
  return { response: { headers, body }, shown: visibleIn(read, plain) };
}

type Read = { readonly headers: HeaderList; readonly bytes: Buffer; readonly plain: Buffer };

/** Whole, decoded, and without any of the connection's credentials. */
async function readAnswer(call: Call, answer: Answer): Promise<Read | { readonly unreadable: string }> {
  const limits = call.parts.limits();
  const headers = endToEnd(answer.headers);
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for (let chunks = await answer.body.read(); chunks !== null; chunks = await answer.body.read())
      for (const chunk of chunks) {
        pieces.push(chunk);
        size += chunk.length;
        if (size > limits.inspect) return { unreadable: `it is larger than ${limits.inspect} bytes (limits.inspect)` };
      }
  } catch (error) {
    if (error instanceof BrokenAnswer) return { unreadable: error.message };
    throw error;
  }
  const bytes = Buffer.concat(pieces);
  const plain = await plainBytes(bytes, headers, limits);
  if (isRefusal(plain)) return { unreadable: plain.message };
  if (!Buffer.isBuffer(plain)) return { unreadable: plain.unevaluable };
  const credentials = credentialsOf(call.connection);
  const guard = new CredentialGuard(credentials, null);
  try {
    if (headersHold(credentials, headers) || (plain.length > 0 && (await guard.sees(plain)) === "found"))
      return { unreadable: "it holds a credential of this connection" };
  } finally {
    guard.close();
  }
  return { headers, bytes, plain };
}

function stateIn(
  look: Look,
  { status, plain, number }: { readonly status: number; readonly plain: Buffer; readonly number: CallNumber },
): Looked {
  if (status === 404) {
    // That nothing is there is a state too: if something is there later, it is another one.
    return { state: { kind: "known", text: "null", digest: "absent", call: number }, digest: "absent" };
  }
  if (status !== 200) return unavailable(`Datadog answered ${status}`);
  const { text, digest } = stateOf(look.operation.id, plain);
  return { state: { kind: "known", text, digest, call: number }, digest };
}

const failed = (why: string, status: number | null = null) => ({ why, status });

type Failed = ReturnType<typeof failed> & {
  readonly call: Call;
  readonly masking: Masking;
  readonly trace: ReturnType<typeof startTrace>;
};

async function end(receipt: Receipt, { why, status, call, masking, trace }: Failed): Promise<Looked> {
  const ending: Pick<Closing, "state" | "status" | "error_code" | "error" | "response"> = {
    state: "closed",
    status,
    error_code: "upstream_unreachable",
    error: `the current state could not be read: ${why}`,
    response: null,
  };
  await receipt.close(() => draftClosing({ parts: call.parts, masking, trace }, { ...ending, request_body: null }));
  return unavailable(why);
}
