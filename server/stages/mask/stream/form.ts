/** Masks `name=value&name=value` as it passes: each pair is read once it is whole. */

import { readPairs } from "../body/form.ts";
import { nothingFound } from "../findings.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { Held } from "./held.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

const longestPair = 2 ** 20;
const ampersand = 0x26;

export class FormStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  readonly #held = new Held();
  constructor(context: StreamContext) {
    this.#context = context;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(ampersand) + 1;
    this.#held.push(chunk.subarray(0, end));
    const pairs = end === 0 ? Buffer.alloc(0) : this.#held.take();
    this.#held.push(chunk.subarray(end));
    if (this.#held.length > longestPair)
      throw new Unstreamable(`a value of the form is longer than ${longestPair} bytes`);
    return this.#mask(pairs);
  }

  end(): Buffer {
    return this.#mask(this.#held.take());
  }

  #mask(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    const found = nothingFound();
    readPairs(this.#context.search, { text: bytes.toString("latin1"), base: 0, path: [] }, found);
    return maskPiece(this.#context, this.#bind, { bytes, found });
  }
}
