/**
 * Walks the bytes of a JSON document (RFC 8259) once, without building values: where keys, strings and other values begin and end, and
 * whether a text deserves a closer look. No parser of the npm registry keeps the bytes of what it does not touch.
 */

import {
  assign,
  assigned,
  classes,
  control,
  digit,
  escape,
  followsName,
  type Gate,
  high,
  inRun,
  isUuid,
  type Look,
  numeric,
  passes,
  quote,
} from "../detect/gate.ts";

/** How a string is written and whether the gate lets it through: bits. */
export const escaped = 1;
export const nonAscii = 2;
export const suspicious = 4;

/** Offsets are of bytes; those of strings and keys are inside the quotes. */
export type JsonVisitor = {
  key(start: number, end: number, flags: number): void;
  string(start: number, end: number, flags: number): void;
  /** A number, true, false or null. */
  scalar(start: number, end: number): void;
  open(start: number, isArray: boolean): void;
  close(end: number): void;
};

export const deepest = 512;

/** Why it is no JSON, and at which byte. */
export type NoJson = { readonly at: number; readonly says: string };

/** `from`: where the document begins; what surrounds it may be white space only. */
export const scanJson = (bytes: Uint8Array, gate: Gate, visitor: JsonVisitor): NoJson | null =>
  new Scanner(bytes, gate, visitor).document();

const comma = 0x2c;
const closeBracket = 0x5d;
const closeBrace = 0x7d;
const quoteByte = 0x22;
const letterU = 0x75;

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #gate: Gate;
  readonly #visitor: JsonVisitor;
  readonly #look: Look = { bits: 0, twice: 0, run: 0, digits: 0 };
  /** One byte a level: what closes it. */
  readonly #stack: number[] = [];
  #depth = 0;
  #at = 0;
  #fault: NoJson | null = null;
  constructor(bytes: Uint8Array, gate: Gate, visitor: JsonVisitor) {
    this.#bytes = bytes;
    this.#gate = gate;
    this.#visitor = visitor;
  }

  document(): NoJson | null {
    this.#space();
    if (!this.#value()) return this.#fault;
    while (this.#depth > 0) if (!this.#next()) return this.#fault;
    this.#space();
    return this.#at < this.#bytes.length ? { at: this.#at, says: "more than one value" } : null;
  }

  /** The next member or element of the innermost open container, or its end. */
  #next(): boolean {
    this.#space();
    const closer = this.#stack[this.#depth];
    const byte = this.#bytes[this.#at];
    if (byte === closer) {
      this.#at++;
      this.#depth--;
      this.#visitor.close(this.#at);
      return true;
    }
    if (byte !== comma) return this.#fail("a comma was expected");
    this.#at++;
    this.#space();
    return closer === closeBrace ? this.#member() : this.#value();
  }

  #member(): boolean {
    if (this.#bytes[this.#at] !== quoteByte) return this.#fail("a key was expected");
    const start = this.#at + 1;
    const flags = this.#text();
    if (flags < 0) return false;
    this.#visitor.key(start, this.#at - 1, flags);
    this.#space();
    if (this.#bytes[this.#at] !== 0x3a) return this.#fail("a colon was expected");
    this.#at++;
    this.#space();
    return this.#value();
  }

  #value(): boolean {
    const start = this.#at;
    switch (this.#bytes[start]) {
      case quoteByte: {
        const flags = this.#text();
        if (flags < 0) return false;
        this.#visitor.string(start + 1, this.#at - 1, flags);
        return true;
      }
      case 0x7b:
        return this.#open(closeBrace);
      case 0x5b:
        return this.#open(closeBracket);
      case 0x74:
        return this.#word("true");
      case 0x66:
        return this.#word("false");
      case 0x6e:
        return this.#word("null");
      default:
        return this.#number();
    }
  }

  #open(closer: number): boolean {
    if (this.#depth >= deepest) return this.#fail(`nested deeper than ${deepest}`);
    this.#visitor.open(this.#at, closer === closeBracket);
    this.#at++;
    this.#depth++;
    this.#stack[this.#depth] = closer;
    this.#space();
    if (this.#bytes[this.#at] === closer) return true;
    return closer === closeBrace ? this.#member() : this.#value();
  }

  /** To behind the closing quote; the flags of what is between, or -1. */
  #text(): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    const start = this.#at + 1;
    let bits = 0;
    let twice = 0;
    let run = 0;
    let longest = 0;
    let digits = 0;
    let most = 0;
    // A character that is written by its number looks like another one here.
    let spelled = false;
    let at = start;
    for (; at < length; at++) {
      const type = classes[bytes[at] as number] as number;
      twice |= bits & type;
      bits |= type;
      if ((type & inRun) !== 0) {
        if (++run > longest) longest = run;
        if ((type & numeric) === 0) digits = 0;
        else if ((type & digit) !== 0 && ++digits > most) most = digits;
        continue;
      }
      run = 0;
      if ((type & numeric) !== 0) continue;
      digits = 0;
      if ((type & quote) !== 0) break;
      // What is behind a backslash is no end of the text.
      if ((type & escape) !== 0) {
        at++;
        if (bytes[at] === letterU) spelled = true;
      } else if ((type & assign) !== 0 && followsName(bytes, start, at)) bits |= assigned;
    }
    if (at >= length) return this.#failText("a text without an end");
    if ((bits & control) !== 0) return this.#failText("a control character in a text");
    this.#at = at + 1;
    const look = this.#look;
    look.bits = bits;
    look.twice = twice;
    look.run = longest;
    look.digits = most;
    const flags = ((bits & escape) === 0 ? 0 : escaped) | ((bits & high) === 0 ? 0 : nonAscii);
    if (spelled) return flags | suspicious;
    if (!passes(this.#gate, look)) return flags;
    return !this.#gate.any && isUuid(bytes, start, at) ? flags : flags | suspicious;
  }

  /** Loosely: nothing depends on how a number is written. */
  #number(): boolean {
    const start = this.#at;
    let at = start;
    for (; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at] ?? 0;
      const numeric =
        (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
      if (!numeric) break;
    }
    if (at === start) return this.#fail("a value was expected");
    this.#at = at;
    this.#visitor.scalar(start, at);
    return true;
  }

  #word(word: string): boolean {
    const start = this.#at;
    for (let i = 0; i < word.length; i++)
      if (this.#bytes[start + i] !== word.charCodeAt(i)) return this.#fail("a value was expected");
    this.#at = start + word.length;
    this.#visitor.scalar(start, this.#at);
    return true;
  }

  #space(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    }
    this.#at = at;
  }

  #fail(says: string): false {
    this.#fault = { at: this.#at, says };
    return false;
  }

  #failText(says: string): -1 {
    this.#fail(says);
    return -1;
  }
}
