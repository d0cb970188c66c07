/** Masks text as it passes: enough of it is held back that no value is cut in two. */

import { inspectPiece } from "../body/piece.ts";
import { type Finding, nothingFound } from "../findings.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { Held } from "./held.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

/** No kind of value is longer than this but encoded texts: a private key in PEM has at most 40,000 characters. */
export const holdBack = 48 * 1_024;
const longestValue = 2 ** 20;
/** A value is known by the name before it. */
export const longestName = 512;

export class TextStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  readonly #held = new Held();
  /** The end of what went out, as it came. */
  #before: Buffer;
  /** Where looking again is worth it: a value that goes on and on is looked at each time it has doubled. */
  #next = 2 * holdBack;
  /** `before`: what went before it and is no part of it. */
  constructor(context: StreamContext, before: Buffer = Buffer.alloc(0)) {
    this.#context = context;
    this.#before = before;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    this.#held.push(chunk);
    if (this.#held.length < this.#next) return Buffer.alloc(0);
    const { bytes } = this.#held;
    const findings = this.#find(bytes);
    const cut = cutBefore(findings, bytes.length - holdBack);
    if (cut === 0) {
      if (bytes.length > longestValue) throw new Unstreamable(`a value in it is longer than ${longestValue} bytes`);
      this.#next = bytes.length * 2;
      return Buffer.alloc(0);
    }
    const piece = bytes.subarray(0, cut);
    this.#before = lastOf(this.#before, piece);
    this.#held.drop(cut);
    this.#next = Math.max(2 * holdBack, this.#held.length + holdBack);
    return this.#build(
      piece,
      findings.filter(({ end }) => end <= cut),
    );
  }

  end(): Buffer {
    const bytes = this.#held.take();
    return this.#build(bytes, this.#find(bytes));
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
    return maskPiece(this.#context, this.#bind, { bytes, found: { ...nothingFound(), findings } });
  }
}

/** What may name a value that comes next. */
export const lastOf = (before: Buffer, piece: Buffer): Buffer =>
  Buffer.from(Buffer.concat([before, piece.subarray(-longestName)]).subarray(-longestName));

/** The last place up to `wanted` that lies in no value; 0 where there is none. */
const cutBefore = (findings: readonly Finding[], wanted: number): number => {
  let cut = wanted;
  for (const { start, end } of findings.toSorted((a, b) => b.start - a.start))
    if (start < cut && end > cut) cut = start;
  return cut;
};
