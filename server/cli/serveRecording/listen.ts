/** The double's port, on loopback only: a base URL for clients that take one, and a proxy for those that know only a Datadog site. */

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Authority } from "../../../action/relay/authority.ts";
import { parsePlace, type Place, tunnel } from "../../../action/relay/tunnel.ts";
import type { Log } from "../../../action/log.ts";
import type { ProxyVariables } from "../../../action/network.ts";
import type { WrittenBody } from "../../journeys/recorded/comparable.ts";
import type { Double } from "../../journeys/recorded/double.ts";
import type { Reply } from "../../journeys/recorded/reply.ts";
import { isLoopback } from "../../model/loopback.ts";
import type { HeaderList } from "../../model/receipt.ts";

export type ListenParts = {
  readonly double: Double;
  /** Speaks for every host of Datadog. */
  readonly authority: Authority;
  /** The proxy there was before, for what is not Datadog's. */
  readonly proxies: ProxyVariables;
  readonly log: Log;
};

export type Listening = { readonly url: string; close(): Promise<void> };

const serverOptions = { maxHeaderSize: 128 * 1024, requestTimeout: 0, keepAliveTimeout: 600_000 };

/** `port`: 0 for any that is free. */
export async function listen(parts: ListenParts, port: number): Promise<Listening> {
  const server = createServer(serverOptions, fromClient(parts));
  const secure = createSecureServer(
    {
      ...serverOptions,
      ALPNProtocols: ["http/1.1"],
      SNICallback: (name, done) =>
        parts.authority.contextOf(name.toLowerCase()).then(
          (context) => done(null, context),
          (error: Error) => done(error),
        ),
    },
    answering(parts, ({ headers }) => hostIn(headers.host)),
  );
  const open = new Set<Duplex>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  for (const one of [server, secure])
    one.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => refuseUnread(parts, error, socket));
  server.on("connect", (request, socket, head) => takeConnect(parts, secure, { request, socket, head }));
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen({ port, host: "127.0.0.1" }, () => listening());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closeAll(server, secure, open),
  };
}

const closeAll = async (server: Server, secure: SecureServer, open: ReadonlySet<Duplex>): Promise<void> => {
  const closed = new Promise((done) => server.close(done));
  for (const one of [server, secure]) one.closeAllConnections();
  for (const socket of open) socket.destroy();
  await closed;
};

/** A base URL, or a proxy that was sent the whole address. */
const fromClient = (parts: ListenParts): RequestListener => {
  const serve = answering(parts, ({ url = "", headers }) => {
    const host = hostIn(/^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? headers.host);
    return host !== null && parts.authority.serves(host) ? host : null;
  });
  return (request, response) => {
    // A page on the web may have a name that leads here, and must not read a recording by it.
    const meant = hostIn(request.headers.host) ?? "localhost";
    if (isLoopback(meant) || parts.authority.serves(meant)) return serve(request, response);
    const message = `${meant.slice(-100)} is neither this machine nor a host of Datadog: use http://127.0.0.1 and the port`;
    const reply = parts.double.refuse({ code: "host_not_allowed", message }, 403);
    noteRefusal(parts.log, reply);
    response.writeHead(reply.status, reply.headers.flat()).end(reply.body);
  };
};

const hostIn = (written: string | undefined): string | null => written?.toLowerCase().replace(/:\d+$/, "") ?? null;

const answering =
  (parts: ListenParts, hostOf: (request: IncomingMessage) => string | null): RequestListener =>
  (request, response) => {
    void answerOne(parts, { request, response }, hostOf(request)).catch((error: unknown) => {
      parts.log(`${request.method} could not be answered: ${error instanceof Error ? error.message : String(error)}`);
      response.destroy();
    });
  };

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

const mostRead = 64 * 2 ** 20;
const mostLetGo = 2 ** 30;

const answerOne = async (parts: ListenParts, { request, response }: Exchange, host: string | null): Promise<void> => {
  const { double, log } = parts;
  const body = await readWhole(request);
  if (body === "gone") return;
  const target = (request.url ?? "").replace(/^https?:\/\/[^/?#]*/i, "");
  const headers = pairs(request.rawHeaders);
  const reply =
    body === "large"
      ? double.refuse({ code: "body_too_large", message: `the body is larger than ${mostRead} bytes` }, 413)
      : await double.answer({ method: request.method ?? "", host, target, headers }, written(body, request));
  noteRefusal(log, reply);
  // A recorded date is that of the recording; Node adds the one of now.
  response.writeHead(reply.status, reply.headers.flat());
  response.end(request.method === "HEAD" ? undefined : reply.body);
};

/** Ours name no call. */
const noteRefusal = (log: Log, reply: Reply): void => {
  if (!reply.headers.some(([name]) => name === "dogwatch-call")) log(messageIn(reply));
};

const messageIn = ({ body }: Reply): string =>
  (JSON.parse(body.toString("utf8")) as { errors: string[] }).errors.join("; ");

const written = (bytes: Buffer, { headers }: IncomingMessage): WrittenBody | null =>
  bytes.length === 0
    ? null
    : { bytes, contentType: headers["content-type"] ?? null, encoding: headers["content-encoding"] ?? null };

const pairs = (raw: readonly string[]): HeaderList => {
  const list: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) list.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return list;
};

/** `large`: nothing of it is kept, and it is let go by up to a bound, so that its sender hears why. */
const readWhole = (request: IncomingMessage): Promise<Buffer | "large" | "gone"> =>
  new Promise((resolve) => {
    let pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > mostLetGo) request.destroy();
      if (size > mostRead) pieces = [];
      else pieces.push(piece);
    });
    request.once("end", () => resolve(size > mostRead ? "large" : Buffer.concat(pieces)));
    request.once("error", () => resolve("gone"));
    request.once("close", () => resolve("gone"));
  });

/** For what is no request that could be answered through Node's own response: a path of a megabyte, a header that is none. */
const refuseUnread = ({ double, log }: ListenParts, error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (isOfTls(error)) log(`a client gave up TLS: does it trust the certificates that it was given? (${error.code})`);
  if (isOfTls(error) || error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const message =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "the request's path and header fields are larger than 128 KiB: no recorded call has such"
      : `the request is not valid HTTP/1.1 (${error.code ?? error.name})`;
  const reply = double.refuse({ code: "request_malformed", message }, 400);
  const { status, headers, body } = reply;
  log(messageIn(reply));
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${status} Bad Request\r\nconnection: close\r\n${fields}\r\n${body.toString("utf8")}`);
};

const isOfTls = ({ code = "" }: NodeJS.ErrnoException): boolean => /^ERR_(SSL|TLS)_/.test(code);

type Connect = { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer };

/** Nothing that is Datadog's leaves this machine, whatever its host is called; everything else is none of ours. */
const datadogs = /(^|\.)(datadoghq\.(com|eu)|ddog-gov\.com)$/;

/** `api.datadoghq.com.` is `api.datadoghq.com` to a resolver. */
const placeOf = (target = ""): Place | undefined => {
  const place = parsePlace(target);
  return place && { ...place, host: place.host.replace(/\.+$/, "") };
};

const takeConnect = (parts: ListenParts, secure: SecureServer, { request, socket, head }: Connect): void => {
  const place = placeOf(request.url);
  socket.on("error", () => socket.destroy());
  if (!place) return void socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  if (head.length > 0) socket.unshift(head);
  if (parts.authority.serves(place.host)) {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    return void secure.emit("connection", socket);
  }
  if (!datadogs.test(place.host)) return tunnel(socket, place, parts.proxies);
  const message = `${place.host.slice(-100)} is no host that recordings have calls of, and nothing is sent to Datadog here`;
  parts.log(messageIn(parts.double.refuse({ code: "host_not_allowed", message }, 403)));
  socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
};
