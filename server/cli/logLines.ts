/** Where the log goes. A disk without room, or a reader that is gone, costs lines and never the gateway: pino's own destination would wait for room for good, and everything with it. */

import { writeSync } from "node:fs";
import { counted } from "./words.ts";

type Put = (fd: number, bytes: Buffer, at: number) => number;

/** Whoever reads slowly from a pipe that does not block is waited for so long, ms, in steps. */
const patience = 1_000;
const step = 10;

/** Lines to a file descriptor, at once. How many were lost is said before the next one that can be written. */
export class LogLines {
  readonly #fd: number;
  readonly #put: Put;
  #lost = 0;
  /** A line was written in part. */
  #torn = false;

  constructor(fd: number, put: Put = writeSync) {
    this.#fd = fd;
    this.#put = put;
  }

  write(line: string): void {
    const bytes = Buffer.from(`${this.#torn ? "\n" : ""}${this.#loss()}${line}`);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#patiently(bytes, written);
      this.#lost = 0;
      this.#torn = false;
    } catch {
      this.#lost += 1;
      this.#torn ||= written > 0;
    }
  }

  #loss(): string {
    if (this.#lost === 0) return "";
    const msg = `${counted(this.#lost, "line")} of the log before this one could not be written`;
    return `${JSON.stringify({ level: 40, time: Date.now(), name: "dogwatch", msg })}\n`;
  }

  /** Once a line was lost nobody waits any more until one is written. */
  #patiently(bytes: Buffer, at: number): number {
    for (let waited = 0; ; waited += step)
      try {
        return this.#put(this.#fd, bytes, at);
      } catch (error) {
        const isBusy = error instanceof Error && "code" in error && error.code === "EAGAIN";
        if (!isBusy || this.#lost > 0 || waited >= patience) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, step);
      }
  }
}
