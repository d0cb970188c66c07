/** Masks what begins like JSON as it passes, and goes on as with any text where it turns out to be none: a log may begin with a bracket. */

import type { MaskedValue } from "../body/build.ts";
import { Held } from "./held.ts";
import { JsonStream, NotJson } from "./json.ts";
import type { StreamContext, StreamMasker } from "./masker.ts";
import { holdBack, TextStream } from "./text.ts";

/** Only where no fields are named: those are not found in text. */
export class JsonOrText implements StreamMasker {
  readonly #context: StreamContext;
  readonly #json: JsonStream;
  #text: TextStream | null = null;
  /** The beginning as it came: nearly all that is no JSON shows it there, and is text from its first byte on. */
  #raw: Held | null = new Held();
  readonly #masked: Buffer[] = [];
  readonly #values: MaskedValue[] = [];
  constructor(context: StreamContext) {
    this.#context = context;
    this.#json = new JsonStream({ ...context, note: (values) => this.#note(values) });
  }

  push(chunk: Buffer): Buffer {
    if (this.#text !== null) return this.#text.push(chunk);
    this.#raw?.push(chunk);
    try {
      const masked = this.#json.push(chunk);
      if (this.#raw === null) return masked;
      this.#masked.push(masked);
      return this.#raw.length < holdBack ? Buffer.alloc(0) : this.#release();
    } catch (error) {
      return this.#goOnAsText(error);
    }
  }

  end(): Buffer {
    if (this.#text !== null) return this.#text.end();
    try {
      const masked = this.#json.end();
      return Buffer.concat([this.#release(), masked]);
    } catch (error) {
      const masked = this.#goOnAsText(error);
      return Buffer.concat([masked, this.#textEnd()]);
    }
  }

  #textEnd(): Buffer {
    return this.#text?.end() ?? Buffer.alloc(0);
  }

  /** So much of it is JSON. */
  #release(): Buffer {
    this.#raw = null;
    const { note } = this.#context;
    const values = this.#values.splice(0);
    if (values.length > 0) note?.(values);
    return Buffer.concat(this.#masked.splice(0));
  }

  #note(values: readonly MaskedValue[]): void {
    if (this.#raw === null) this.#context.note?.(values);
    else for (const value of values) this.#values.push(value);
  }

  #goOnAsText(error: unknown): Buffer {
    if (!(error instanceof NotJson)) throw error;
    const { out, rest, before } = this.#json.remains;
    const raw = this.#raw?.take();
    this.#raw = null;
    this.#text = raw === undefined ? new TextStream(this.#context, before) : new TextStream(this.#context);
    return raw === undefined ? Buffer.concat([out, this.#text.push(rest)]) : this.#text.push(raw);
  }
}
