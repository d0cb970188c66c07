/** Masks text as it passes: enough of it is held back that no value is cut in two. */

import { inspectPiece } from "../body/piece.ts";
import { type Finding, nothingFound } from "../findings.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

/** No kind of value is longer than this but encoded texts: a private key in PEM has at most 40,000 characters. */
const holdBack = 48 * 1_024;
const longestValue = 2 ** 20;
const longestName = 512;

export class TextStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  #held: Buffer = Buffer.alloc(0);
  /** The end of what went out, as it came: a value is known by the name before it. */
  #before: Buffer = Buffer.alloc(0);
  /** Where looking again is worth it: a value that goes on and on is looked at each time it has doubled. */
  #next = 2 * holdBack;
  masked = 0;
  constructor(context: StreamContext) {
    this.#context = context;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#held.length < this.#next) return Buffer.alloc(0);
    const findings = this.#find(this.#held);
    const cut = cutBefore(findings, this.#held.length - holdBack);
    if (cut === 0) {
      if (this.#held.length > longestValue)
        throw new Unstreamable(`a value in it is longer than ${longestValue} bytes`);
      this.#next = this.#held.length * 2;
      return Buffer.alloc(0);
    }
    this.#next = 2 * holdBack;
    const piece = this.#held.subarray(0, cut);
    this.#before = Buffer.from(Buffer.concat([this.#before, piece]).subarray(-longestName));
    // A copy: what is kept must not hold on to the whole chunk.
    this.#held = Buffer.from(this.#held.subarray(cut));
    return this.#build(
      piece,
      findings.filter(({ end }) => end <= cut),
    );
  }

  end(): Buffer {
    return this.#build(this.#held, this.#find(this.#held));
  }

  /** One byte, one character: so an offset is an offset, and no character is cut. What is looked for is ASCII, or somebody's own pattern. */
  #find(bytes: Buffer): Finding[] {
    const found = nothingFound();
    const { length } = this.#before;
    const text = this.#before.toString("latin1") + bytes.toString("latin1");
    const rawOf = (at: number): number => at - length;
    inspectPiece(this.#context.search, { text, path: [], layers: [], depth: 0, rawOf }, found.findings);
    return found.findings.flatMap((finding) => {
      if (finding.start >= 0) return [finding];
      return finding.end <= 0 ? [] : [{ ...finding, start: 0, text: finding.text.slice(-finding.start) }];
    });
  }

  #build(bytes: Buffer, findings: Finding[]): Buffer {
    if (findings.length === 0) return bytes;
    const found = { ...nothingFound(), findings };
    const built = maskPiece(this.#context, this.#bind, { bytes, found });
    if (built === null) return bytes;
    this.masked += built.values.length;
    this.#context.note?.(built.values);
    return built.bytes;
  }
}

/** The last place up to `wanted` that lies in no value; 0 where there is none. */
const cutBefore = (findings: readonly Finding[], wanted: number): number => {
  let cut = wanted;
  for (const { start, end } of findings.toSorted((a, b) => b.start - a.start))
    if (start < cut && end > cut) cut = start;
  return cut;
};
