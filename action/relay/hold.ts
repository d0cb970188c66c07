/** Sends a call that may have to wait for a person: the client's connection stays open meanwhile, and what was approved is sent again, once. */

import type { IncomingMessage } from "node:http";
import type { Log } from "../log.ts";
import { type BodyCopy, copyBody, type Room } from "./copy.ts";
import {
  answer,
  type BodySource,
  type Call,
  type Destination,
  fail,
  forward,
  type Outcome,
  type OwnAnswer,
  sendPatiently,
  streamed,
} from "./forward.ts";
import type { Addressed, RawHeaders } from "./slots.ts";
import type { Refused, Verdict } from "./verdict.ts";
import type { Waits } from "./waits.ts";

export type HoldableCall = Call & {
  /** The same request with the token of now: a session may be renewed while its call waits. */
  readonly readdress: () => Promise<Addressed>;
};

export type HoldParts = { readonly waits: Waits; readonly room: Room; readonly log: Log };

/**
 * RFC 7240 §4.1: the gateway may answer 202 with `dogwatch-approval` instead of keeping the connection. A client with
 * preferences of its own is left to itself, and so is a body too long to be sent twice: those the gateway keeps a while.
 */
export const forwardOrHold = async (call: HoldableCall, to: Destination, parts: HoldParts): Promise<void> => {
  const copy = prefers(call.addressed.headers) ? null : copyBody(call.request, parts.room);
  if (copy === null) return forward(call, to, parts.log);
  try {
    await sendUntilAnswered({ call, copy, to }, parts);
  } finally {
    copy.drop();
  }
};

const prefers = (headers: RawHeaders): boolean => headers.some((name, i) => i % 2 === 0 && /^prefer$/i.test(name));

type Holding = { readonly call: HoldableCall; readonly copy: BodyCopy; readonly to: Destination };

const sendUntilAnswered = async ({ call, copy, to }: Holding, { waits, log }: HoldParts): Promise<void> => {
  const { request, response } = call;
  const isHeld = (incoming: IncomingMessage) => {
    const held = isAsked(incoming);
    if (!held) copy.drop();
    return held;
  };
  const addressed = preferring(call.addressed);
  const outcome = await sendPatiently({ ...call, addressed, isHeld, body: copied(request, copy) }, to);
  if (outcome.kind !== "held") return conclude(call, { outcome, to, log });
  const body = await copy.whole();
  if (response.destroyed) return;
  if (body === null) return answer(response, tooLong(outcome, to));
  const sendAgain = async (isHeld: IsHeld) =>
    sendPatiently({ ...call, addressed: preferring(await call.readdress()), isHeld, body: again(body) }, to);
  await waitAndSend({ call, to, first: outcome, sendAgain }, { waits, log });
};

const isAsked = ({ statusCode, headers }: IncomingMessage): boolean =>
  statusCode === 202 && headers["dogwatch-approval"] !== undefined;

/** The gateway could not use the approval, GitHub or Datadog being away: nothing was sent, and the approval may still stand. */
const isPutOff = ({ statusCode, headers }: IncomingMessage): boolean =>
  statusCode === 403 && headers["dogwatch-error"] === "approval_required";

/** Milliseconds before each further attempt to use an approval that was put off. */
const pauses = [1_000, 2_000, 4_000];

type IsHeld = NonNullable<Call["isHeld"]>;
type Held = Extract<Outcome, { kind: "held" }>;
type Approved = Extract<Verdict, { kind: "approved" }>;
type Waiting = {
  readonly call: Call;
  readonly to: Destination;
  readonly first: Held;
  readonly sendAgain: (isHeld: IsHeld) => Promise<Outcome>;
};

/** An approval is for one sending: whatever comes of it, the same approval is not used again, unless nothing was sent for certain. */
const waitAndSend = async (waiting: Waiting, { waits, log }: Pick<HoldParts, "waits" | "log">): Promise<void> => {
  const { call, to } = waiting;
  const { response } = call;
  const until = waits.deadline();
  const used = new Set<string>();
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  let held = waiting.first;
  for (let unsent = 0, putOff = 0; ; ) {
    const id = approvalOf(held);
    const verdict =
      id === null ? unnamed : used.has(id) ? notAgain(id) : await waits.wait(id, { until, gone: gone.signal });
    if (verdict.kind === "left") return;
    if (verdict.kind === "refused") return answer(response, refusal(verdict, held));
    const pause = pauses[putOff];
    const isHeld = (incoming: IncomingMessage) => isAsked(incoming) || (pause !== undefined && isPutOff(incoming));
    const outcome = await useApproval(waiting, { ...verdict, isHeld });
    if (outcome === null) return;
    if (outcome.kind === "unsent" && ++unsent < mostUnsent) continue;
    if (outcome.kind !== "held") return conclude(call, { outcome, to, log });
    if (outcome.status === 202) {
      if (id !== null) used.add(id);
      held = outcome;
      continue;
    }
    putOff += 1;
    log("the gateway could not use the approval; nothing was sent, and it is asked again");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
};

/** Null when the client hung up in time. */
const useApproval = async (
  { call, sendAgain }: Waiting,
  { release, isHeld }: Approved & { readonly isHeld: IsHeld },
): Promise<Outcome | null> => {
  let used = false;
  try {
    if (call.response.destroyed) return null;
    const outcome = await sendAgain(isHeld);
    used = outcome.kind === "done" || outcome.kind === "lost";
    return outcome;
  } finally {
    release(used);
  }
};

/** Times that an approved call could not be sent while its approval could be asked about: something here is broken. */
const mostUnsent = 20;

type Conclusion = { readonly outcome: Exclude<Outcome, Held>; readonly to: Destination; readonly log: Log };

const conclude = (call: Call, { outcome, to, log }: Conclusion): void => {
  if (outcome.kind !== "done") fail(call, { outcome, to, log });
};

const preferring = ({ headers, path }: Addressed): Addressed => ({
  headers: [...headers, "Prefer", "respond-async"],
  path,
});

const copied = (request: IncomingMessage, copy: BodyCopy): BodySource => {
  const { pour, stop } = streamed(request);
  return {
    pour(outgoing) {
      copy.start();
      pour(outgoing);
    },
    stop,
  };
};

const again = (body: Buffer): BodySource => ({ pour: (outgoing) => void outgoing.end(body), stop() {} });

/** Given to the gateway again in paths: anything but an id is as good as none. */
const approvalOf = ({ headers }: Held): string | null => {
  const id = String(headers["dogwatch-approval"]);
  return /^[0-9a-f-]{36}$/.test(id) ? id : null;
};

const unnamed: Refused = {
  kind: "refused",
  code: "approval_required",
  why: "the gateway asks for an approval and does not say which",
};

const notAgain = (id: string): Refused => ({
  kind: "refused",
  code: "approval_required",
  why: `the gateway asks for approval ${id} again, which this request used already`,
});

const refusal = ({ code, why, about }: Refused, { headers }: Held): OwnAnswer => ({
  status: 403,
  code,
  message: about ? `${about.name} was not sent: ${why} (${about.link})` : `the call was not sent: ${why}`,
  headers: {
    ...callOf(headers["dogwatch-call"]),
    // The relay may be about to end, and waits for open connections.
    ...(code === "approval_cancelled" ? { connection: "close" } : {}),
  },
});

const callOf = (call: string | string[] | undefined): Record<string, string> =>
  typeof call === "string" ? { "dogwatch-call": call } : {};

const tooLong = (held: Held, to: Destination): OwnAnswer => {
  const page = `${to.origin.href.replace(/\/+$/, "")}/approvals/${approvalOf(held) ?? ""}`;
  const why = `a person must approve it, and its body is too long for the relay to keep: send the same request again once it is approved (${page})`;
  return refusal({ kind: "refused", code: "approval_required", why }, held);
};
