/** An answer's body as it arrives: read chunk by chunk, and the upstream is held back while nobody reads. */

import type { Broken } from "./upstream.ts";

/** The answer ended before it was whole. */
export class BrokenAnswer extends Error {
  readonly broken: Broken;
  constructor(broken: Broken) {
    super(broken.message);
    this.name = "BrokenAnswer";
    this.broken = broken;
  }
}

export type Flow = { pause(): void; resume(): void };

/** What may wait here unread before the upstream is paused. */
const highWaterMark = 128 * 1024;

export class AnswerBody {
  readonly #flow: Flow;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #paused = false;
  #ended = false;
  #broken: Broken | null = null;
  #wake: (() => void) | null = null;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting > highWaterMark && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(broken: Broken): void {
    this.#broken = broken;
    this.#wake?.();
  }

  /** All that has arrived since the last call, in arrival order; null at the end. Throws `BrokenAnswer`. */
  async read(): Promise<readonly Buffer[] | null> {
    while (this.#chunks.length === 0) {
      if (this.#broken !== null) throw new BrokenAnswer(this.#broken);
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waiting = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#flow.resume();
    }
    return chunks;
  }

  /** Gives back what was read, to be read again before anything else. */
  unread(chunks: readonly Buffer[]): void {
    this.#chunks = [...chunks, ...this.#chunks];
    for (const { length } of chunks) this.#waiting += length;
  }

  /** Reads until the body ends or more than `limit` bytes are there, and gives them back: whether that is all of it. Throws `BrokenAnswer`. */
  async fits(limit: number): Promise<boolean> {
    const pieces: Buffer[] = [];
    let size = 0;
    while (size <= limit) {
      const chunks = await this.read();
      if (chunks === null) break;
      pieces.push(...chunks);
      for (const { length } of chunks) size += length;
    }
    this.unread(pieces);
    return size <= limit;
  }

  /** The whole body, for one that is known to be small. */
  async collect(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let chunks = await this.read(); chunks !== null; chunks = await this.read()) parts.push(...chunks);
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  }
}
