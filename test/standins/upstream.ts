/** An HTTP server that plays Datadog in tests: it keeps what it was sent, byte for byte, and answers what it is told to. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

type Field = readonly [name: string, value: string];

/** One request as it came over the wire. */
export type ReceivedRequest = {
  readonly method: string;
  /** The request target as it was sent: path and query, nothing decoded. */
  readonly url: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** Empty with `keep: "digests"`. */
  readonly body: Buffer;
  readonly size: number;
  /** Hex, of the body's bytes. */
  readonly sha256: string;
  /** Aborted when the client goes away before the whole answer was sent. */
  readonly gone: AbortSignal;
};

/**
 * What the upstream answers. Headers go out in the given order and spelling; `Connection` and, for bodies of unknown
 * length, `Transfer-Encoding: chunked` are added when missing, nothing else is (no `Date`).
 * `raw` puts bytes on the socket as they are and closes it; `"hang up"` destroys the connection without an answer.
 */
export type UpstreamAnswer =
  | {
      readonly status: number;
      readonly reason?: string;
      readonly headers?: readonly Field[];
      readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
    }
  | { readonly raw: string | Uint8Array }
  | "hang up";

export type Answerer = (request: ReceivedRequest) => UpstreamAnswer | Promise<UpstreamAnswer>;

export type Upstream = AsyncDisposable & {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** In the order in which their bodies ended. */
  readonly requests: readonly ReceivedRequest[];
  /** Resolves once at least `count` requests were received whole. */
  received(count: number): Promise<void>;
  /** How many connections are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
};

export type UpstreamOptions = {
  /** `bodies` (default) keeps request bodies; `digests` keeps size and SHA-256 only, so that memory stays flat. */
  readonly keep?: "bodies" | "digests";
};

/** Headers' first value by name, case-insensitively. */
export const headerOf = (request: Pick<ReceivedRequest, "rawHeaders">, name: string): string | undefined => {
  const at = request.rawHeaders.findIndex((field, i) => i % 2 === 0 && field.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : request.rawHeaders[at + 1];
};

/** Starts an upstream on a free loopback port. */
export const startUpstream = async (answer: Answerer, options: UpstreamOptions = {}): Promise<Upstream> => {
  const requests: ReceivedRequest[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];

  // As load balancers have it; Node's five seconds may pass on a busy machine between two steps of one call.
  const server = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await receive({ incoming, outgoing, keep: options.keep ?? "bodies" });
    requests.push(request);
    for (const waiter of waiting) if (requests.length >= waiter.count) waiter.resolve();
    await send(await answer(request), outgoing);
  };

  const port = await listen(server);
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    received: (count) =>
      requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
};

const listen = async (server: Server): Promise<number> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

const receive = async (exchange: {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  keep: "bodies" | "digests";
}): Promise<ReceivedRequest> => {
  const { incoming, outgoing, keep } = exchange;
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  const digest = createHash("sha256");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    digest.update(chunk);
    size += chunk.length;
    if (keep === "bodies") chunks.push(chunk);
  }
  return {
    method: incoming.method ?? "",
    url: incoming.url ?? "",
    rawHeaders: incoming.rawHeaders,
    body: Buffer.concat(chunks),
    size,
    sha256: digest.digest("hex"),
    gone: gone.signal,
  };
};

const send = async (answer: UpstreamAnswer, outgoing: ServerResponse): Promise<void> => {
  if (answer === "hang up") {
    outgoing.destroy();
    return;
  }
  if ("raw" in answer) {
    outgoing.socket?.end(answer.raw);
    return;
  }
  outgoing.sendDate = false;
  const headers = (answer.headers ?? []).flatMap(([name, value]) => [name, value]);
  if (answer.reason === undefined) outgoing.writeHead(answer.status, headers);
  else outgoing.writeHead(answer.status, answer.reason, headers);
  const { body } = answer;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  // The head must reach the client before the first chunk exists: event streams wait a long time for one.
  outgoing.flushHeaders();
  await pipeline(Readable.from(body, { objectMode: false }), outgoing);
};
