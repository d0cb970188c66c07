/** The one port: an HTTP server that refuses what is ambiguous, hands the data plane its requests untouched, and leaves the rest to routes. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { malformedAnswer, turnAwayUnread } from "../journeys/call/refuse.ts";
import type { AuditEvent } from "../model/audit.ts";
import { ambiguity, parserComplaint } from "./framing.ts";
import { type DataPlaneTarget, dataPlaneTarget } from "./route.ts";

export type ServerParts = {
  readonly log: FastifyBaseLogger;
  readonly publicUrl: string;
  dataHosts(): string | undefined;
  audit(event: AuditEvent): void;
  /** Takes a data plane request over; never rejects. */
  passCall(request: IncomingMessage, response: ServerResponse, target: DataPlaneTarget): Promise<void>;
};

/** Every data plane request is routed here whatever its path: the router must not decode or reject one. */
const dataPlanePath = "/~data-plane";

export function createGatewayServer(parts: ServerParts): FastifyInstance {
  const targets = new WeakMap<IncomingMessage, DataPlaneTarget>();
  const app = Fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
    bodyLimit: 1024 * 1024,
    serverFactory: (handler) => guardedServer(parts, handler),
    clientErrorHandler: (error, socket) => refuseUnparsed(parts, error, socket),
    rewriteUrl: (request) => {
      const target = dataPlaneTarget(request.url ?? "", request.headers.host, parts.dataHosts());
      if (target === null) return request.url ?? "/";
      targets.set(request as IncomingMessage, target);
      return dataPlanePath;
    },
  });
  const takeOver = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const target = targets.get(request);
    if (target === undefined) return false;
    await parts.passCall(request, response, target);
    return true;
  };
  // A hook of this one route: it runs before Fastify looks at the body.
  app.all(dataPlanePath, {
    onRequest: (request, reply, done) => {
      if (!targets.has(request.raw)) return done();
      reply.hijack();
      void takeOver(request.raw, reply.raw);
    },
    handler: (_request, reply) => reply.code(404).send({ errors: ["Not found"] }),
  });
  app.setNotFoundHandler((request, reply) => {
    // Methods that Fastify does not route (RFC 9110 §9.1 lets there be others) end here.
    if (!targets.has(request.raw)) return reply.code(404).send({ errors: ["Not found"] });
    reply.hijack();
    void takeOver(request.raw, reply.raw);
    return reply;
  });
  return app;
}

function guardedServer(
  parts: ServerParts,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer(
    { maxHeaderSize: 32 * 1024, headersTimeout: 60_000, requestTimeout: 0, keepAliveTimeout: 65_000 },
    (request, response) => {
      const complaint = ambiguity(request);
      if (complaint === null) return handler(request, response);
      auditMalformed(parts, request.socket, {
        what: `${request.method} ${request.url?.split("?")[0]}`,
        reason: complaint,
      });
      turnAwayUnread(response, malformedAnswer(complaint, parts.publicUrl));
    },
  );
  // A connection on which nothing moves for this long is given up; a running upload or answer keeps it.
  server.setTimeout(600_000);
  return server;
}

function refuseUnparsed(parts: ServerParts, error: Error & { readonly code?: string }, socket: Socket): void {
  // The client is gone: there is nobody to answer and nothing was asked.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const complaint = parserComplaint(error);
  auditMalformed(parts, socket, { what: "an unreadable request", reason: complaint });
  if (!socket.writable) return;
  const answer = malformedAnswer(complaint, parts.publicUrl);
  const fields = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${answer.status} Bad Request\r\nconnection: close\r\n${fields}\r\n${answer.body.toString()}`);
}

function auditMalformed(parts: ServerParts, socket: Socket, event: Pick<AuditEvent, "what" | "reason">): void {
  parts.audit({
    kind: "request_refused",
    who: socket.remoteAddress ?? "unknown address",
    what: event.what,
    reason: `request_malformed: ${event.reason}`,
  });
}
