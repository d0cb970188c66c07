/** Captures a body as it passes: small ones in memory, large ones chunk by chunk into the store, flat in memory either way. */

import { createHash, type Hash, hash } from "node:crypto";
import type { RecordedBody } from "../../model/receipt.ts";

/** Up to here a body travels inside its receipt; beyond, it is spilled. */
export const inlineLimit = 128 * 1024;

/** Where large bodies go while they pass; `store/bodies.ts` is one. */
export interface Spill {
  write(chunk: Buffer): Promise<void>;
  finish(): Promise<{ spill: string }>;
  abandon(): Promise<void>;
}

export type CaptureOptions = {
  readonly openSpill: () => Spill;
  /** `limits.record`, bytes; what comes after is counted and left out. */
  readonly limit: number;
  readonly content_type: string | null;
  readonly encoding: string | null;
};

/** A body that is all there, and small enough to travel inside its receipt; null for one that is not. */
export const captureSmall = (bytes: Buffer, { limit, content_type, encoding }: CaptureOptions): RecordedBody | null =>
  bytes.length === 0 || bytes.length > Math.min(limit, inlineLimit)
    ? null
    : {
        size: bytes.length,
        sha256: hash("sha256", bytes, "buffer"),
        content_type,
        encoding,
        truncated: false,
        bytes,
        spill: null,
      };

export class Capture {
  readonly #options: CaptureOptions;
  readonly #hash: Hash = createHash("sha256");
  #held: Buffer[] = [];
  #spill: Spill | null = null;
  /** One write at a time, also when the body is declared finished in the middle of one. */
  #written: Promise<void> = Promise.resolve();
  #size = 0;
  #stored = 0;
  #finished = false;

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  /** More came than is stored. */
  get truncated(): boolean {
    return this.#size > this.#stored;
  }

  /** Takes what passed. A promise means: wait for the store before you pass more (backpressure). */
  take(chunk: Buffer): Promise<void> | undefined {
    // An upload may still be running when its answer is there and the receipt is written.
    if (this.#finished) return undefined;
    this.#size += chunk.length;
    const kept = chunk.subarray(0, Math.max(0, this.#options.limit - this.#stored));
    if (kept.length === 0) return undefined;
    this.#stored += kept.length;
    this.#hash.update(kept);
    this.#held.push(kept);
    return this.#spill !== null || this.#stored > inlineLimit ? this.#overflow() : undefined;
  }

  #overflow(): Promise<void> {
    const spill = (this.#spill ??= this.#options.openSpill());
    const held = this.#held;
    this.#held = [];
    this.#written = this.#written.then(async () => {
      for (const chunk of held) await spill.write(chunk);
    });
    // Whoever passes the body waits for it, and so does `finish`; it may be that neither is left.
    this.#written.catch(() => undefined);
    return this.#written;
  }

  /** The body as it will be stored; null when there was none. */
  async finish(): Promise<RecordedBody | null> {
    this.#finished = true;
    if (this.#size === 0) return null;
    await this.#written;
    return {
      size: this.#size,
      sha256: this.#hash.digest(),
      content_type: this.#options.content_type,
      encoding: this.#options.encoding,
      truncated: this.truncated,
      bytes: this.#spill === null ? Buffer.concat(this.#held) : null,
      spill: this.#spill === null ? null : (await this.#spill.finish()).spill,
    };
  }

  /** Forgets what was captured, when its receipt can no longer be written. What cannot be thrown away now is swept later. */
  async abandon(): Promise<void> {
    this.#finished = true;
    this.#held = [];
    await this.#written.catch(() => undefined);
    await this.#spill?.abandon().catch(() => undefined);
  }
}
