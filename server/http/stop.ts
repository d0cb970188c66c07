/** Ends the port so that calls in flight end first, within a bound: what does not end by itself is broken off, and still recorded. */

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";

export type Ending = {
  /** How long calls may go on, ms. */
  readonly patience: number;
  /** Makes the calls that are left end: what they wait for is taken away. */
  breakOff(): Promise<void>;
};

/** Long enough to record a call that was broken off and to tell its caller, ms. */
const lastWords = 3_000;
const lookEvery = 50;

const connectionsOf = new WeakMap<Server, ReadonlySet<Socket>>();

/** From its beginning on, so that `stopServing` knows those that Node takes for busy ones, or does not count among its own any more (CONNECT). */
export function watchConnections(server: Server): void {
  const open = new Set<Socket>();
  connectionsOf.set(server, open);
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
}

/**
 * A connection that is kept alive becomes idle when its answer ends, one that a browser opened in advance stays silent, and whoever
 * was turned away need not hang up: all would hold up the end.
 */
function closeUnused(server: Server): void {
  server.closeIdleConnections();
  closeWhere(server, (socket) => socket.bytesRead === 0 || socket.writableFinished);
}

function closeWhere(server: Server, isToClose: (socket: Socket) => boolean): void {
  for (const socket of connectionsOf.get(server) ?? []) if (isToClose(socket)) socket.destroy();
}

export async function stopServing(app: FastifyInstance, { patience, breakOff }: Ending): Promise<void> {
  const unused = setInterval(() => closeUnused(app.server), lookEvery);
  const stopped = app.close();
  if (!(await within(patience, stopped))) {
    await breakOff();
    if (!(await within(lastWords, stopped))) closeWhere(app.server, () => true);
  }
  await stopped;
  clearInterval(unused);
}

/** Whether it came to its end in time. */
export async function within(milliseconds: number, end: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  const waited = sleep(milliseconds, false, { signal: late.signal }).catch(() => false);
  const ended = await Promise.race([end.then(() => true), waited]);
  late.abort();
  return ended;
}
