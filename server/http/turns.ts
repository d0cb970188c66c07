/** One connection carries one request at a time: a pipelined one waits, and is dropped if the connection ends before its turn (RFC 9112 §9.3.2). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export class Turns {
  readonly #last = new WeakMap<Socket, ServerResponse>();
  readonly #ended = new WeakSet<Socket>();

  /** Calls `carry` once every earlier request of this connection has had its whole answer. */
  await({ request, response }: Exchange, carry: () => void): void {
    const { socket } = request;
    const earlier = this.#last.get(socket);
    this.#last.set(socket, response);
    if (earlier === undefined || earlier.closed) return carry();
    earlier.once("close", () => {
      // Whoever gets no answer any more must not find out later that the request was carried out.
      if (socket.writable) carry();
    });
  }

  /**
   * For what follows the last request and cannot be read: calls `refuse` when the answers that are owed have gone out. A request
   * that is not whole will never be, so its connection ends here, with what has been written of its answer.
   */
  afterAnswers(socket: Socket, refuse: () => void): void {
    if (this.#ended.has(socket)) return;
    this.#ended.add(socket);
    const owed = this.#last.get(socket);
    if (owed === undefined || owed.closed) return refuse();
    if (!owed.req.complete) return socket.destroySoon();
    owed.once("close", () => {
      if (socket.writable) refuse();
    });
  }
}
