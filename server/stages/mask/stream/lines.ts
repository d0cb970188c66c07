/** Masks lines as they pass: each is read by itself, once it is complete. */

import { isUnreadable, readBody } from "../body/read.ts";
import { nothingFound } from "../findings.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { Held } from "./held.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

const longestLine = 4 * 2 ** 20;

export class LineStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #contentType: string;
  readonly #bind: Binder;
  readonly #held = new Held();
  /** `contentType`: of lines of JSON, or of an event stream. */
  constructor(context: StreamContext, contentType: string) {
    this.#context = context;
    this.#contentType = contentType;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    const end = this.#behindLines(chunk);
    this.#held.push(chunk.subarray(0, end));
    const lines = end === 0 ? Buffer.alloc(0) : this.#held.take();
    this.#held.push(chunk.subarray(end));
    if (this.#held.length > longestLine) throw new Unstreamable(`a line of it is longer than ${longestLine} bytes`);
    return this.#mask(lines);
  }

  end(): Buffer {
    return this.#mask(this.#held.take());
  }

  #behindLines(chunk: Buffer): number {
    const feed = chunk.lastIndexOf(0x0a) + 1;
    return this.#contentType === eventStream ? Math.max(feed, chunk.lastIndexOf(0x0d) + 1) : feed;
  }

  #mask(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    const found = nothingFound();
    const form = readBody(this.#context.search, { bytes, contentType: this.#contentType }, found);
    if (isUnreadable(form)) throw new Unstreamable(form.unreadable);
    // Which line it was depends on where the pieces were cut.
    const findings = found.findings.map((finding) => ({ ...finding, path: finding.path.slice(1) }));
    return maskPiece(this.#context, this.#bind, { bytes, found: { ...found, findings } });
  }
}

/** Its lines may end with a carriage return alone: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const eventStream = "text/event-stream";
