/** The caller's body on its way up: small ones are held, large ones stream through and are captured as they pass. */

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** `rest`: there is more than was read; `prefix` comes first. Null: all of it is in `prefix`. */
export type RequestBody = { readonly prefix: Buffer; readonly rest: IncomingMessage | null };

/** The caller went away before its request was whole. */
export class RequestAborted extends Error {
  constructor() {
    super("the client closed the connection before its request was complete");
    this.name = "RequestAborted";
  }
}

/** Reads until the body ends or more than `limit` bytes are there. Throws `RequestAborted`. */
export async function readUpTo(limit: number, body: RequestBody): Promise<RequestBody> {
  if (body.rest === null || body.prefix.length > limit) return body;
  const request = body.rest;
  const parts = [body.prefix];
  let length = body.prefix.length;
  while (length <= limit) {
    const chunk = await nextChunk(request);
    if (chunk === null) return { prefix: Buffer.concat(parts), rest: null };
    parts.push(chunk);
    length += chunk.length;
  }
  return { prefix: Buffer.concat(parts), rest: request };
}

export function bodyOf(request: IncomingMessage): RequestBody {
  const announced =
    request.headers["content-length"] ?? (request.headers["transfer-encoding"] === undefined ? "0" : null);
  return { prefix: Buffer.alloc(0), rest: announced === "0" ? null : request };
}

/**
 * The whole body as a stream that calls `capture` for every piece before it is sent on, and waits for it. The prefix only waits with the next
 * piece: the request's head goes out with it, and a connection that was taken and on which nothing comes is closed by the other side as idle.
 */
export function streamThrough(body: RequestBody, capture: (chunk: Buffer) => Promise<void> | undefined): Readable {
  async function* pieces(): AsyncGenerator<Buffer> {
    if (body.prefix.length > 0) {
      const captured = capture(body.prefix);
      // Whoever sends the prefix may never ask for more.
      captured?.catch(() => undefined);
      yield body.prefix;
      await captured;
    }
    if (body.rest === null) return;
    for (let chunk = await nextChunk(body.rest); chunk !== null; chunk = await nextChunk(body.rest)) {
      await capture(chunk);
      yield chunk;
    }
  }
  return Readable.from(pieces(), { objectMode: false, highWaterMark: 64 * 1024 });
}

/** One piece of the stream, null at its end. Paused between two reads, so the caller is held back. */
async function nextChunk(request: IncomingMessage): Promise<Buffer | null> {
  const atHand = chunkAtHand(request);
  return atHand === undefined ? chunkToCome(request) : atHand;
}

/** Undefined where nothing has come since, and more may. */
function chunkAtHand(request: IncomingMessage): Buffer | null | undefined {
  const chunk = request.read() as Buffer | null;
  if (chunk !== null) return chunk;
  return request.readableEnded || (request.complete && request.readableLength === 0) ? null : undefined;
}

function chunkToCome(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      const chunk = chunkAtHand(request);
      if (chunk !== undefined) return settle(() => resolve(chunk));
      if (request.destroyed) return settle(() => reject(new RequestAborted()));
    };
    const fail = (): void => settle(() => reject(new RequestAborted()));
    const settle = (then: () => void): void => {
      request.off("readable", attempt).off("end", attempt).off("error", fail).off("close", attempt);
      then();
    };
    request.on("readable", attempt).on("end", attempt).on("error", fail).on("close", attempt);
    attempt();
  });
}
