/** Writes bytes to a port as they are, and reads what comes back until the other side closes: for requests no client would send. */

import { type Socket, connect } from "node:net";

export function rawExchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, "latin1"));
    let answer = "";
    // A server that keeps the connection open after its answer is asked no more; one that has said nothing yet may be slow.
    let quiet = setTimeout(() => socket.destroy(), 60_000);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), 5_000);
      answer += text;
      if (/\r\n\r\n[^]*}$/.test(answer)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(quiet);
      resolve(answer);
    });
  });
}

/** A connection that is written to and read from as bytes, for as long as a test likes. */
export class RawConnection {
  readonly #socket: Socket;
  #text = "";
  #look: () => void = () => undefined;
  /** Resolves when it is over: `reset` when the other side broke it off instead of ending it. */
  readonly over: Promise<"ended" | "reset">;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#text += text;
      this.#look();
    });
    let reset = false;
    this.#socket.on("error", () => {
      reset = true;
    });
    this.over = new Promise((resolve) => {
      this.#socket.on("close", () => {
        resolve(reset ? "reset" : "ended");
        this.#look();
      });
    });
  }

  /** Everything that has come back so far. */
  get text(): string {
    return this.#text;
  }

  /** Resolves when the other side can take more. */
  write(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, "latin1", () => resolve());
    });
  }

  /** What has come back, once it matches. Rejects when the connection is over before. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        if (pattern.test(this.#text)) resolve(this.#text);
        else if (this.#socket.destroyed) reject(new Error(`it ended before ${pattern}: ${this.#text}`));
      };
      this.#look();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
