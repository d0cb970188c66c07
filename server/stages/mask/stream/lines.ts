/** Masks lines as they pass: each is read by itself, once it is complete. */

import { isUnreadable, readBody } from "../body/read.ts";
import { nothingFound } from "../findings.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

const longestLine = 4 * 2 ** 20;

export class LineStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  #held: Buffer[] = [];
  #heldLength = 0;
  masked = 0;
  constructor(context: StreamContext) {
    this.#context = context;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      this.#hold(chunk);
      return Buffer.alloc(0);
    }
    const lines = Buffer.concat([...this.#held, chunk.subarray(0, end)]);
    this.#held = [];
    this.#heldLength = 0;
    this.#hold(chunk.subarray(end));
    return this.#mask(lines);
  }

  end(): Buffer {
    return this.#mask(Buffer.concat(this.#held));
  }

  #hold(piece: Buffer): void {
    this.#heldLength += piece.length;
    if (this.#heldLength > longestLine) throw new Unstreamable(`a line of it is longer than ${longestLine} bytes`);
    if (piece.length > 0) this.#held.push(piece);
  }

  #mask(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    const found = nothingFound();
    const form = readBody(this.#context.search, { bytes, contentType: "application/x-ndjson" }, found);
    if (isUnreadable(form)) throw new Unstreamable(form.unreadable);
    // Which line it was depends on where the pieces were cut.
    const findings = found.findings.map((finding) => ({ ...finding, path: finding.path.slice(1) }));
    const built = maskPiece(this.#context, this.#bind, { bytes, found: { ...found, findings } });
    if (built === null) return bytes;
    this.masked += built.values.length;
    this.#context.note?.(built.values);
    return built.bytes;
  }
}
