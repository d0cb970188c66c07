/** How an answer ends: properly, also when the caller is still sending its own body, or so that nobody takes it for whole. */

import type { ServerResponse } from "node:http";

/** What is swallowed of a body that nobody wants any more, bytes and ms. */
const mostSwallowed = 16 * 1024 * 1024;
const swallowFor = 30_000;

/**
 * The proper end, after `last`. To close a connection on which bytes arrive is to reset it, and the caller would never see its answer: a bounded
 * rest of its body is swallowed before.
 */
export function endAnswer(response: ServerResponse, last: Buffer | null): void {
  const { req: request } = response;
  if (request.complete) return void response.end(last ?? undefined);
  if (last === null) response.flushHeaders();
  else response.write(last);
  let left = mostSwallowed;
  const giveUp = (): void => void response.destroy();
  const timer = setTimeout(giveUp, swallowFor);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  request.once("end", () => response.end());
  request.once("close", () => clearTimeout(timer));
  request.resume();
}

/** No proper end. Where only the end of the connection ends the message, an orderly one would say that this was all of it. */
export function breakOff(response: ServerResponse): void {
  if (response.headersSent && response.req.httpVersion === "1.0") response.socket?.resetAndDestroy();
  response.destroy();
}
