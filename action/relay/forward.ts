/** Sends one request on, byte for byte, and its answer back; tries again only where nothing was sent. */

import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import { reasonOf } from "../identity.ts";
import type { Log } from "../log.ts";
import { requestOver } from "../network.ts";
import { endToEnd, headersFor } from "./headers.ts";
import type { Addressed } from "./slots.ts";

/** A request as it came, the answer to give, and what to send on. */
export type Call = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly addressed: Addressed;
  /** Sees the head of the answer before it is passed on. */
  readonly onAnswer?: (incoming: IncomingMessage) => void;
  /** Left out, the client's own body as it comes. */
  readonly body?: BodySource;
  /** Whether this answer is not the client's to see: the call waits for a person. */
  readonly isHeld?: (incoming: IncomingMessage) => boolean;
};

/** Where the body of what is sent on comes from. */
export type BodySource = {
  /** Called once there is a connection. */
  pour(outgoing: ClientRequest): void;
  /** Called when the answer came, which may be before the body's end. */
  stop(outgoing: ClientRequest): void;
};

/** Nothing of it is kept: it passes. */
export const streamed = (request: IncomingMessage): BodySource => ({
  pour: (outgoing) => void request.pipe(outgoing),
  stop: (outgoing) => void request.unpipe(outgoing).resume(),
});

export type Destination = {
  /** Scheme, host, port, and a path that goes before the request's. */
  readonly origin: URL;
  readonly agent: Agent;
  /** `the gateway`, for messages. */
  readonly name: string;
};

export type Outcome =
  | { readonly kind: "done" }
  /** The gateway keeps it from Datadog until somebody approves. */
  | { readonly kind: "held"; readonly status: number; readonly headers: IncomingHttpHeaders }
  /** No byte of the request left this machine. */
  | { readonly kind: "unsent"; readonly error: Error }
  /** It may have arrived; no answer came. */
  | { readonly kind: "lost"; readonly error: Error };

/** Milliseconds before each further attempt. */
const pauses = [200, 800];

/** Never rejects: whatever happens, the client gets an answer or a broken connection. */
export const forward = async (call: Call, to: Destination, log: Log): Promise<void> => {
  const outcome = await sendPatiently(call, to);
  if (outcome.kind === "unsent" || outcome.kind === "lost") fail(call, { outcome, to, log });
};

/** Sends again only what was not sent, and only for as long as a client would not notice. */
export const sendPatiently = async (call: Call, to: Destination): Promise<Outcome> => {
  for (const pause of pauses) {
    const outcome = await send(call, to);
    if (outcome.kind !== "unsent" || call.response.destroyed) return outcome;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return send(call, to);
};

const reads = new Set(["GET", "HEAD", "OPTIONS"]);

type Failure = {
  readonly outcome: Extract<Outcome, { readonly error: Error }>;
  readonly to: Destination;
  readonly log: Log;
};

/** The codes mean what the gateway's mean: 5xx only where nothing was sent, or the call only reads. */
export const fail = ({ request, response }: Call, { outcome, to, log }: Failure): void => {
  if (response.destroyed) return;
  const why = reasonOf(outcome.error);
  log(`${request.method} was ${outcome.kind === "unsent" ? "not sent" : "sent, its answer lost"}: ${to.name}: ${why}`);
  if (outcome.kind === "unsent")
    return answer(response, {
      status: 502,
      code: "upstream_unreachable",
      message: `${to.name} cannot be reached (${why}); nothing was sent`,
    });
  if (reads.has(request.method ?? ""))
    return answer(response, {
      status: 502,
      code: "upstream_unreachable",
      message: `${to.name} gave no answer (${why})`,
    });
  const message = `${to.name} gave no answer (${why}): the call may have been applied; do not repeat it blindly`;
  answer(response, { status: 403, code: "outcome_unknown", message });
};

export type OwnAnswer = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** The relay's own refusals, in Datadog's error shape, which every Datadog client shows. */
export const answer = (response: ServerResponse, { status, code, message, headers: more }: OwnAnswer): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ errors: [`dogwatch: ${message}`] });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "dogwatch-error": code,
    ...more,
  };
  response.writeHead(status, headers).end(body);
};

const send = (call: Call, { origin, agent }: Destination): Promise<Outcome> =>
  new Promise((resolve) => {
    const { request, response, addressed, body = streamed(call.request) } = call;
    const outgoing = requestTo({ origin, agent }, request, addressed);
    if (outgoing instanceof Error) return resolve({ kind: "unsent", error: outgoing });
    let started = false;
    /** Nothing is taken from the client's body before there is a connection, so that another attempt can send it whole. */
    const start = () => {
      started = true;
      body.pour(outgoing);
    };
    const giveUp = () => outgoing.destroy();
    response.once("close", giveUp);
    outgoing.once("socket", (socket) => whenReady(socket, start));
    outgoing.once("response", (incoming) => {
      if (call.isHeld?.(incoming)) {
        response.off("close", giveUp);
        body.stop(outgoing);
        incoming.on("error", () => {}).resume();
        return resolve({ kind: "held", status: incoming.statusCode ?? 0, headers: incoming.headers });
      }
      call.onAnswer?.(incoming);
      deliver(incoming, response, () => {
        response.off("close", giveUp);
        body.stop(outgoing);
        resolve({ kind: "done" });
      });
    });
    outgoing.on("error", (error) => {
      response.off("close", giveUp);
      resolve({ kind: started && !isStaleRead(request, outgoing.reusedSocket) ? "lost" : "unsent", error });
    });
  });

/** What no HTTP client of Node may send (a header its parser let in) is an error, not a crash of the relay. */
const requestTo = (
  { origin, agent }: Pick<Destination, "origin" | "agent">,
  request: IncomingMessage,
  { headers, path }: Addressed,
): ClientRequest | Error => {
  try {
    return requestOver(origin, {
      method: request.method ?? "GET",
      path: `${origin.pathname.replace(/\/+$/, "")}${path}`,
      headers: headersFor(request, headers, origin),
      agent,
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};

/** A bodiless read on a connection that the other side had just closed: asking again is the same question. */
const isStaleRead = (request: IncomingMessage, reused: boolean): boolean =>
  reused && reads.has(request.method ?? "") && !hasBody(request);

const hasBody = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined || (request.headers["content-length"] ?? "0") !== "0";

const whenReady = (socket: Socket, act: () => void): void => {
  const secure = "secureConnecting" in socket;
  const ready = secure ? socket.secureConnecting === false : !socket.connecting;
  if (ready) act();
  else socket.once(secure ? "secureConnect" : "connect", act);
};

const deliver = (incoming: IncomingMessage, response: ServerResponse, done: () => void): void => {
  response.sendDate = false;
  response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage ?? "", [...endToEnd(incoming.rawHeaders)]);
  response.flushHeaders();
  pipeline(incoming, response, done);
};
