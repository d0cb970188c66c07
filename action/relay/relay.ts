/** The relay: on this machine's loopback it takes Datadog calls in every way clients make them, and sends them to the gateway. */

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Log } from "../log.ts";
import type { Authority } from "./authority.ts";
import { Connections } from "./connections.ts";
import { createRoom } from "./copy.ts";
import { answer, forward } from "./forward.ts";
import { forwardOrHold, type HoldParts } from "./hold.ts";
import { type OwnParts, serveOwn } from "./own.ts";
import { routeOfHost, routeOfRelay, type Target } from "./route.ts";
import { presentToken, shownPath } from "./slots.ts";
import { parsePlace, tunnel } from "./tunnel.ts";
import type { Waits } from "./waits.ts";

export type RelayParts = OwnParts & {
  readonly authority: Authority;
  /** The key that clients hold: worth nothing anywhere else, and nothing is served without it. */
  readonly placeholder: string;
  readonly waits: Waits;
};

/** What is the running relay's own. */
type Serving = RelayParts & HoldParts;

export type Relay = {
  /** `http://127.0.0.1:PORT`: base URL for clients, and their HTTPS proxy. */
  readonly url: string;
  /** Takes TLS for Datadog's names on 443 of these addresses; gives those that could be had, or throws when none could. */
  listenForNames(addresses: readonly string[]): Promise<string[]>;
  /** Takes no new call, ends the waits for people, waits up to `patience` milliseconds for those in flight, then ends. */
  close(patience: number): Promise<void>;
};

/** Long query strings are usual with Datadog; Node's default is 16 KiB. No limit of time: a client may wait for a person, and has limits of its own. */
const serverOptions = {
  maxHeaderSize: 128 * 1024,
  requestTimeout: 0,
  headersTimeout: 0,
  keepAliveTimeout: 600_000,
  keepAlive: true,
};

export const startRelay = async (given: RelayParts): Promise<Relay> => {
  const parts: Serving = { ...given, room: createRoom() };
  const server = createServer(serverOptions, takeFromRelay(parts));
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
    takeFromHost(parts),
  );
  secure.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    parts.log(
      `a client gave up TLS for ${socket.servername || "a host it did not name"}: ${error.code ?? error.message}`,
    );
  });
  const connections = new Connections();
  connections.watch(server);
  connections.watchSecure(secure);
  server.on("connect", (request, socket, head) => takeConnect(parts, secure, { request, socket, head }));
  await listen(server, 0, "127.0.0.1");
  const { port } = server.address() as AddressInfo;
  const named: SocketServer[] = [];
  return {
    url: `http://127.0.0.1:${port}`,
    async listenForNames(addresses) {
      const got: string[] = [];
      let failure: unknown = new Error("no address to listen on");
      for (const address of addresses) {
        const entrance = createSocketServer((socket) => secure.emit("connection", socket));
        connections.watch(entrance);
        await listen(entrance, 443, address).then(
          () => named.push(entrance) && got.push(address),
          (error: unknown) => (failure = error),
        );
      }
      if (got.length === 0) throw failure;
      return got;
    },
    async close(patience) {
      parts.waits.end();
      const closed = Promise.all([server, ...named].map((one) => new Promise((resolve) => one.close(resolve))));
      const closeUnused = () => {
        server.closeIdleConnections();
        connections.closeUnused();
      };
      closeUnused();
      const unused = setInterval(closeUnused, lookEvery);
      const late = setTimeout(() => connections.closeAll(), patience);
      await closed;
      clearInterval(unused);
      clearTimeout(late);
    },
  };
};

/** Milliseconds between two looks for connections that have become idle while the relay ends. */
const lookEvery = 50;

const listen = (server: SocketServer, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });

/** Requests addressed to the relay: base-URL clients, and proxy clients that send the whole URL. */
const takeFromRelay =
  (parts: Serving): RequestListener =>
  (request, response) => {
    const url = request.url ?? "";
    if (!/^https?:\/\//i.test(url))
      return void serve(parts, { request, response }, routeOfRelay(url, parts.authority.hosts));
    const [origin, path] = splitUrl(url);
    if (origin && parts.authority.serves(origin.hostname))
      return void serve(parts, { request, response }, routeOfHost(origin.hostname, path));
    if (!origin)
      return answer(response, { status: 400, code: "request_malformed", message: "the request's URL cannot be read" });
    const to = { origin, agent: parts.gateway.network.agentFor(origin), name: origin.host };
    void forward({ request, response, addressed: { headers: request.rawHeaders, path } }, to, parts.log);
  };

/** The origin, and the path exactly as it was written. */
const splitUrl = (url: string): [URL | null, string] => {
  const [, origin, path] = /^(https?:\/\/[^/?#]*)(.*)$/is.exec(url) ?? [];
  return [URL.parse(origin ?? ""), path?.startsWith("/") ? path : `/${path ?? ""}`];
};

/** Requests inside TLS that was meant for a Datadog host. */
const takeFromHost =
  (parts: Serving): RequestListener =>
  (request, response) => {
    const meant = (request.headers.host ?? "").toLowerCase().replace(/:443$/, "");
    const named = (request.socket as TLSSocket).servername;
    if (!parts.authority.serves(meant) || (named && named.toLowerCase() !== meant))
      return answer(response, {
        status: 421,
        code: "host_not_allowed",
        message: `this connection does not serve the host ${JSON.stringify(meant)}`,
      });
    void serve(parts, { request, response }, routeOfHost(meant, request.url ?? ""));
  };

type Connect = { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer };

const takeConnect = (parts: RelayParts, secure: SecureServer, { request, socket, head }: Connect): void => {
  const place = parsePlace(request.url ?? "");
  socket.on("error", () => socket.destroy());
  if (!place) return void socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  if (head.length > 0) socket.unshift(head);
  if (place.port !== 443 || !parts.authority.serves(place.host))
    return tunnel(socket, place, parts.gateway.network.proxies);
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  secure.emit("connection", socket);
};

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

const serve = async (parts: Serving, { request, response }: Exchange, target: Target): Promise<void> => {
  if (target.kind === "refused")
    return answer(response, { status: 400, code: "request_malformed", message: target.reason });
  const present = async () =>
    presentToken(
      { headers: request.rawHeaders, path: target.path },
      { placeholder: parts.placeholder, token: await parts.session.token() },
    );
  const addressed = await present();
  const shown = `${request.method} ${target.kind === "gateway" ? `${target.host}${shownPath(request.url ?? "")}` : target.path}`;
  if ("refused" in addressed) {
    parts.log(`${shown}: refused: ${addressed.refused}`);
    return answer(response, { status: 403, code: "token_missing", message: addressed.refused });
  }
  if (target.kind === "own") return serveOwn(parts, { request, response, addressed });
  const { url: origin, network } = parts.gateway;
  const onAnswer = (incoming: IncomingMessage) => note(parts.log, shown, incoming);
  const readdress = async () => {
    const again = await present();
    return "refused" in again ? addressed : again;
  };
  await forwardOrHold(
    { request, response, addressed, onAnswer, readdress },
    { origin, agent: network.agentFor(origin), name: "the gateway" },
    parts,
  );
};

/** What the gateway refused is worth a line; the rest is in the recording. */
const note = (log: Log, shown: string, { headers, statusCode }: IncomingMessage): void => {
  const { "dogwatch-error": code, "dogwatch-call": call = "unknown" } = headers;
  if (code !== undefined) log(`${shown}: HTTP ${statusCode} ${String(code)} (call ${String(call)})`);
};
