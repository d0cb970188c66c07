/** A line to the database that can be cut at the worst moment, go dead without a word, be slow, or lead to another server. */

import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** What happens to the next COMMIT that passes. */
type Fault = "cut before commit" | "cut after commit" | "hold commit and cut";

export class DatabaseLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: { host: string; port: number } = { host: "", port: 0 };
  #fault: Fault | null = null;
  #frozen = false;
  #closed = false;
  /** ms in each direction. */
  #delay = 0;
  #held: (() => void) | null = null;
  #struck: () => void = () => undefined;
  connectionString = "";

  constructor() {
    this.#server = createServer((near) => this.#carry(near));
  }

  static async to(connectionString: string): Promise<DatabaseLine> {
    const line = new DatabaseLine();
    const { user, password, database } = new pg.Client(connectionString);
    line.lead(connectionString);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    const address = line.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    line.connectionString = `postgresql://${user}:${password}@127.0.0.1:${address.port}/${database}`;
    return line;
  }

  /** New connections go to this server, as when a name or an address is moved. */
  lead(connectionString: string): void {
    const { host, port } = new pg.Client(connectionString);
    this.#target = { host, port };
  }

  /** Whatever passes from now on takes this long, ms, in each direction. */
  delay(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  /** Connections of before are dead for good, and nobody at their ends is told; new ones pass. */
  lose(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners("data");
      socket.removeAllListeners("close");
      socket.pause();
    }
  }

  /** Resolves when the fault has struck. */
  arm(fault: Fault): Promise<void> {
    this.#fault = fault;
    return new Promise((resolve) => {
      this.#struck = resolve;
    });
  }

  /** Lets a held COMMIT go on to the server, late. */
  release(): void {
    this.#held?.();
    this.#held = null;
  }

  /** Nothing comes through in either direction, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Cuts every connection and takes no new one, as a server that was stopped. */
  cut(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#closed = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(near: Socket): void {
    if (this.#closed) return void near.destroy();
    const { host, port } = this.#target;
    const far = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      if (this.#frozen) socket.pause();
    }
    near.on(
      "data",
      this.#slowly((chunk) => this.#forward(chunk, { near, far })),
    );
    far.on(
      "data",
      this.#slowly((chunk) => void near.write(chunk)),
    );
    near.on("close", () => this.#held === null && far.destroy());
    far.on("close", () => near.destroy());
  }

  /** In order, also when the delay changes meanwhile. */
  #slowly(pass: (chunk: Buffer) => void): (chunk: Buffer) => void {
    let last: Promise<void> | null = null;
    return (chunk) => {
      if (this.#delay === 0 && last === null) return pass(chunk);
      const waited = sleep(this.#delay, undefined, { ref: false });
      const passed: Promise<void> = Promise.all([last, waited]).then(() => {
        pass(chunk);
        if (last === passed) last = null;
      });
      last = passed;
    };
  }

  #forward(chunk: Buffer, { near, far }: { near: Socket; far: Socket }): void {
    if (this.#fault === null || !chunk.includes("COMMIT\0")) return void far.write(chunk);
    const fault = this.#fault;
    this.#fault = null;
    switch (fault) {
      case "cut before commit":
        far.destroy();
        break;
      case "cut after commit":
        far.removeAllListeners("data");
        far.write(chunk);
        // Its answer says that it has committed; it goes no further.
        far.on("data", (answer) => {
          if (!answer.includes("COMMIT\0")) return;
          near.destroy();
          this.#struck();
        });
        return;
      case "hold commit and cut":
        this.#held = () => far.write(chunk);
        far.removeAllListeners("data");
        far.resume();
        break;
      default:
        fault satisfies never;
    }
    near.destroy();
    this.#struck();
  }
}
