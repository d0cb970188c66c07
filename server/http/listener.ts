/** The one port: refuses what two readers could read differently, carries one request of a connection at a time, and hands the data plane its requests untouched. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { auditableTarget, malformedAnswer, stoppingAnswer, turnAwayUnread } from "../journeys/call/refuse.ts";
import type { AuditEvent } from "../model/audit.ts";
import { ambiguity, parserComplaint } from "./framing.ts";
import { type DataPlaneTarget, dataPlaneTarget } from "./route.ts";
import { Turns } from "./turns.ts";

export type ListenerParts = {
  dataHosts(): string | undefined;
  audit(event: AuditEvent): void;
  /** A text without what masks name. */
  hide(text: string): string;
  /** Takes a data plane request over; never rejects. */
  passCall(request: IncomingMessage, response: ServerResponse, target: DataPlaneTarget): Promise<void>;
  /** Calls in flight are finished and no new one is begun. */
  stopping(): boolean;
  /** How long a body of the gateway's own API or pages may take to arrive, ms; data plane uploads take what they take. Default 30 seconds. */
  readonly bodyPatience?: number;
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** `handler` gets every request that is not the data plane's. */
export function createListener(parts: ListenerParts, handler: Handler): Server {
  const turns = new Turns();
  const take: Handler = (request, response) =>
    turns.await({ request, response }, () => route(parts, handler)(request, response));
  const server = createServer(
    // A missing Host is refused by `ambiguity`, in our words.
    {
      maxHeaderSize: 32 * 1024,
      headersTimeout: 60_000,
      requestTimeout: 0,
      keepAliveTimeout: 65_000,
      requireHostHeader: false,
    },
    take,
  );
  server.on("checkExpectation", take);
  server.on("connect", (_request: IncomingMessage, socket: Socket) => {
    const complaint = "CONNECT is not served here: send the request itself";
    turns.afterAnswers(socket, () => refuseRaw(parts, { socket, complaint, what: "CONNECT" }));
  });
  server.on("clientError", (error: Error, socket: Socket) => {
    // The client is gone: there is nobody to answer and nothing was asked.
    if (("code" in error && error.code === "ECONNRESET") || socket.destroyed) return;
    const complaint = parserComplaint(error);
    turns.afterAnswers(socket, () => refuseRaw(parts, { socket, complaint, what: "an unreadable request" }));
  });
  // A connection on which nothing moves for this long is given up; a running upload or answer keeps it.
  server.setTimeout(600_000);
  return server;
}

const route =
  (parts: ListenerParts, handler: Handler): Handler =>
  (request, response) => {
    const complaint = ambiguity(request);
    if (complaint !== null) {
      auditMalformed(parts, request.socket, { what: auditableTarget(request), reason: complaint });
      return turnAwayUnread(response, malformedAnswer(complaint));
    }
    const target = dataPlaneTarget(request.url ?? "", request.headers.host, parts.dataHosts());
    if (target === null) {
      hurryBody(request, parts.bodyPatience ?? 30_000);
      return handler(request, response);
    }
    if (parts.stopping()) return turnAwayUnread(response, stoppingAnswer);
    void parts.passCall(request, response, target);
  };

/** Whoever sends a body byte by byte keeps a connection, and must not keep it for long. */
function hurryBody(request: IncomingMessage, bodyPatience: number): void {
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, bodyPatience).unref();
  request.once("close", () => clearTimeout(timer));
}

type Unreadable = { readonly socket: Socket; readonly complaint: string; readonly what: string };

/** For what is no request that could be answered through Node's own response. */
function refuseRaw(parts: ListenerParts, { socket, complaint, what }: Unreadable): void {
  auditMalformed(parts, socket, { what, reason: complaint });
  if (!socket.writable) return;
  const answer = malformedAnswer(complaint);
  const fields = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${answer.status} Bad Request\r\nconnection: close\r\n${fields}\r\n${answer.body.toString()}`);
}

function auditMalformed(parts: ListenerParts, socket: Socket, event: Pick<AuditEvent, "what" | "reason">): void {
  parts.audit({
    kind: "request_refused",
    who: socket.remoteAddress ?? "unknown address",
    what: parts.hide(event.what),
    reason: `request_malformed: ${event.reason}`,
  });
}
