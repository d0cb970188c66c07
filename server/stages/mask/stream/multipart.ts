/** Masks the parts of a multipart body as they pass, each as what it is; every byte between them stays where it is. */

import { breakBefore, headEnd, readHead } from "../body/multipart.ts";
import { secretKind } from "../detect/names.ts";
import { nothingFound } from "../findings.ts";
import { bindLoose } from "../token/bind.ts";
import { Held } from "./held.ts";
import { maskPiece, type Opener, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";
import { TextStream } from "./text.ts";

const longestHead = 65_536;
/** A part that is longer is no value that its name says is a secret. */
const longestSecret = 4_096;
const hyphens = Buffer.from("--");

export class MultipartStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #open: Opener;
  readonly #delimiter: Buffer;
  readonly #held = new Held();
  /** Up to where the head of the next part is known not to end; -1 inside of a part. */
  #searched = -1;
  #part: StreamMasker;
  #out: Buffer[] = [];
  constructor(context: StreamContext, delimiter: Buffer, open: Opener) {
    this.#context = context;
    this.#delimiter = delimiter;
    this.#open = open;
    // What stands before the first delimiter.
    this.#part = open(context, "");
  }

  push(chunk: Buffer): Buffer {
    this.#held.push(chunk);
    while (this.#searched === -1 ? this.#readPart() : this.#readHead());
    return this.#take();
  }

  end(): Buffer {
    const rest = this.#held.take();
    if (this.#searched === -1) this.#out.push(this.#part.push(rest), this.#part.end());
    else this.#out.push(...this.#headMasked(rest));
    return this.#take();
  }

  #take(): Buffer {
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  /** To behind the next delimiter, or as far as none can begin. Whether there may be more to read. */
  #readPart(): boolean {
    const { bytes } = this.#held;
    const at = bytes.indexOf(this.#delimiter);
    // The line break before a delimiter belongs to it.
    const end = at === -1 ? Math.max(0, bytes.length - this.#delimiter.length - 1) : at - breakBefore(bytes, at);
    if (end > 0) this.#out.push(this.#part.push(bytes.subarray(0, end)));
    if (at === -1) {
      if (end > 0) this.#held.drop(end);
      return false;
    }
    const behind = at + this.#delimiter.length;
    this.#out.push(this.#part.end(), bytes.subarray(end, behind));
    this.#held.drop(behind);
    this.#searched = 0;
    return true;
  }

  /** Everything between a delimiter and the empty line behind its part's header fields. */
  #readHead(): boolean {
    const { bytes } = this.#held;
    if (bytes.length < hyphens.length) return false;
    if (bytes.subarray(0, hyphens.length).equals(hyphens))
      return this.#begin(hyphens.length, this.#open(this.#context, ""));
    const next = bytes.indexOf(this.#delimiter, Math.max(0, this.#searched - this.#delimiter.length));
    const end = headEnd(bytes, Math.max(0, this.#searched - 3));
    if (next !== -1 && (end === -1 || next < end)) return this.#begin(next, this.#open(this.#context, ""));
    if (end !== -1) return this.#begin(end, this.#partBehind(bytes.subarray(0, end)));
    if (bytes.length > longestHead) throw new Unstreamable(`a part of it has a head of more than ${longestHead} bytes`);
    this.#searched = bytes.length;
    return false;
  }

  #begin(at: number, part: StreamMasker): true {
    this.#out.push(...this.#headMasked(this.#held.bytes.subarray(0, at)));
    this.#held.drop(at);
    this.#searched = -1;
    this.#part = part;
    return true;
  }

  #headMasked(head: Buffer): Buffer[] {
    const text = new TextStream(this.#context);
    return [text.push(head), text.end()];
  }

  #partBehind(head: Buffer): StreamMasker {
    const { name, type } = readHead(head.toString("latin1"));
    return new PartStream(this.#context, { name, inner: this.#open(this.#context, type) });
  }
}

/** One part: its name may say that all of it is a secret. */
class PartStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #name: string;
  readonly #inner: StreamMasker;
  #held: Held | null = new Held();
  constructor(context: StreamContext, { name, inner }: { readonly name: string; readonly inner: StreamMasker }) {
    this.#context = context;
    this.#name = name;
    this.#inner = inner;
  }

  push(chunk: Buffer): Buffer {
    if (this.#held === null) return this.#inner.push(chunk);
    this.#held.push(chunk);
    if (this.#held.length <= longestSecret) return Buffer.alloc(0);
    const held = this.#held.take();
    this.#held = null;
    return this.#inner.push(held);
  }

  end(): Buffer {
    const held = this.#held?.take();
    if (held === undefined) return this.#inner.end();
    return this.#secret(held) ?? Buffer.concat([this.#inner.push(held), this.#inner.end()]);
  }

  #secret(bytes: Buffer): Buffer | null {
    const { search, side, sealing } = this.#context;
    const kind = (search.names & side) === 0 ? null : secretKind(this.#name, bytes.toString("latin1"));
    if (kind === null) return null;
    const whole = { start: 0, end: bytes.length, text: bytes.toString("utf8"), path: [this.#name], layers: [] };
    const found = { ...nothingFound(), findings: [{ ...whole, kind, sides: side }] };
    return maskPiece(this.#context, bindLoose(sealing), { bytes, found });
  }
}
