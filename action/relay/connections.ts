/** Everything that is open at the relay: what is inside TLS or a tunnel is in no list of Node's own, and must not keep the relay from its end. */

import type { Server as SecureServer } from "node:https";
import type { Server as SocketServer, Socket } from "node:net";

export class Connections {
  readonly #accepted = new Set<Socket>();
  /** Those of TLS, with how many calls each carries. */
  readonly #secure = new Map<Socket, number>();

  /** From its beginning on. */
  watch(server: SocketServer): void {
    server.on("connection", (socket: Socket) => {
      this.#accepted.add(socket);
      socket.once("close", () => this.#accepted.delete(socket));
    });
  }

  watchSecure(secure: SecureServer): void {
    const count = (socket: Socket, more: 1 | -1) => {
      const calls = this.#secure.get(socket);
      if (calls !== undefined) this.#secure.set(socket, calls + more);
    };
    secure.on("secureConnection", (socket) => {
      this.#secure.set(socket, 0);
      socket.once("close", () => this.#secure.delete(socket));
    });
    secure.on("request", ({ socket }, response) => {
      count(socket, 1);
      response.once("close", () => count(socket, -1));
    });
  }

  /** Those that nothing ever came on, and those of TLS that carry no call. */
  closeUnused(): void {
    for (const socket of this.#accepted) if (socket.bytesRead === 0) socket.destroy();
    for (const [socket, calls] of this.#secure) if (calls === 0) socket.destroy();
  }

  closeAll(): void {
    for (const socket of [...this.#secure.keys(), ...this.#accepted]) socket.destroy();
  }
}
