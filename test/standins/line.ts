/** A line to a server that can be cut: whoever is connected is cut off, and nobody gets through until it is mended. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  url = "";

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) return void near.destroy();
      const far = connect(port, host);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }

  static async to(url: string): Promise<Line> {
    const { hostname, port } = new URL(url);
    const line = new Line(hostname, Number(port));
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    const address = line.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    line.url = `http://127.0.0.1:${address.port}`;
    return line;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
