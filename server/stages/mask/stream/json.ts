/** Masks a JSON document as it passes: strings one by one, with the path that leads to each; nothing but the current string is held. */

import { isUtf8 } from "node:buffer";
import { inReply } from "../detect/detector.ts";
import { control, escape, high, lookAtBytes, passes, quote as quoteClass } from "../detect/gate.ts";
import { mayNameSecret } from "../detect/names.ts";
import { keyStep, nothingFound, type Search } from "../findings.ts";
import { fieldsAt } from "../json/fields.ts";
import { readDocument } from "../json/read.ts";
import { deepest } from "../json/scan.ts";
import { Trail } from "../json/trail.ts";
import type { Step } from "../place/place.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { Held } from "./held.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";
import { lastOf } from "./text.ts";

const longestString = 2 ** 20;

/** What may come next. */
type Expected = "value" | "first-value" | "key" | "first-key" | "colon" | "comma" | "end";

type Level = { readonly isArray: boolean; index: number; key: string; mayBeSecret: boolean };

/** Whoever needs no fields may read on as text: `rest` did not go out, `before` is the end of what did, as it came. */
export class NotJson extends Unstreamable {}

export class JsonStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  readonly #levels: Level[] = [];
  readonly #trail: Trail;
  readonly #held = new Held();
  #expected: Expected = "value";
  /** Up to where the token that is held was looked at for its end. */
  #searched = 0;
  #before: Buffer = Buffer.alloc(0);
  /** Depth of the container that is replaced as a whole: until it closes nothing of it goes out. */
  #dropping = -1;
  #out: Buffer[] = [];
  constructor(context: StreamContext) {
    this.#context = context;
    this.#bind = bindLoose(context.sealing);
    this.#trail = new Trail({ prefix: [], stepAt: (level) => this.#step(level) });
  }

  /** What is left where it turns out to be no JSON: what was masked and did not go out, and what is to be read otherwise. */
  get remains(): { readonly out: Buffer; readonly rest: Buffer; readonly before: Buffer } {
    return { out: this.#take(), rest: this.#held.take(), before: this.#before };
  }

  push(chunk: Buffer): Buffer {
    this.#held.push(chunk);
    this.#read({ isLast: false });
    if (this.#held.length > longestString) throw new Unstreamable(`a text in it is longer than ${longestString} bytes`);
    return this.#take();
  }

  end(): Buffer {
    this.#read({ isLast: true });
    if (this.#held.length > 0 || this.#expected !== "end") throw new NotJson("it is JSON without its end");
    return this.#take();
  }

  #take(): Buffer {
    const out = this.#out.length === 1 ? (this.#out[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  /** Reads complete tokens; what comes behind them is held. */
  #read({ isLast }: { readonly isLast: boolean }): void {
    const { bytes } = this.#held;
    const read = { at: 0, plain: 0 };
    try {
      this.#readTokens(bytes, isLast, read);
    } finally {
      if (this.#dropping === -1) this.#out.push(bytes.subarray(read.plain, read.at));
      if (read.at > 0) {
        this.#before = lastOf(this.#before, bytes.subarray(0, read.at));
        this.#held.drop(read.at);
        this.#searched = Math.max(0, this.#searched - read.at);
      }
    }
  }

  /** `read`: how far it came, and from where on what was read goes out as it is. */
  #readTokens(bytes: Buffer, isLast: boolean, read: { at: number; plain: number }): void {
    while (read.at < bytes.length) {
      const byte = bytes[read.at] ?? 0;
      if (isSpace(byte)) {
        read.at++;
        continue;
      }
      const end = this.#tokenEnd(bytes, read.at, isLast);
      if (end === -1) return;
      const wasDropping = this.#dropping !== -1;
      const instead = isStructure(byte) ? this.#structure(byte) : this.#token(bytes.subarray(read.at, end));
      if (wasDropping) {
        if (this.#dropping === -1) read.plain = end;
      } else if (instead !== null) {
        this.#out.push(bytes.subarray(read.plain, read.at), instead);
        read.plain = end;
      }
      read.at = end;
    }
  }

  /** Behind the token that begins at `at`; -1 where its end is not there yet. */
  #tokenEnd(bytes: Buffer, at: number, isLast: boolean): number {
    const byte = bytes[at] ?? 0;
    if (isStructure(byte)) return at + 1;
    const from = Math.max(at + 1, this.#searched);
    const end = byte === quote ? textEnd(bytes, from) : scalarEnd(bytes, from);
    const isWhole = byte === quote ? end > 0 : end < bytes.length || isLast;
    this.#searched = isWhole ? 0 : Math.abs(end);
    return isWhole ? end : -1;
  }

  /** What goes out in its place; null: itself. */
  #token(token: Buffer): Buffer | null {
    if (token[0] === quote && (this.#expected === "key" || this.#expected === "first-key")) return this.#key(token);
    // Numbers that stand alone are a text's: one of them may be a card's, cut in pieces.
    if (this.#levels.length === 0 && digits.test(token.toString("latin1"))) throw notJson();
    this.#begin();
    this.#after();
    if (token[0] !== quote && !scalar.test(token.toString("latin1"))) throw notJson();
    if (this.#dropping !== -1 || this.#isPlain(token)) return null;
    if (token[0] !== quote) return token[0] !== letterN && this.#isClash() ? this.#nothingLeft() : null;
    return this.#masked(token, this.#hasFields ? this.#path() : this.#trail.path(this.#levels.length), this.#owner());
  }

  /** Most texts: nothing in them has the sign of a value, no field is named, and neither is their own name one of secrets. */
  #isPlain(token: Buffer): boolean {
    const { search } = this.#context;
    if (this.#hasFields || token[0] !== quote) return false;
    if (search.names !== 0 && this.#levels.at(-1)?.mayBeSecret === true) return false;
    return holdsNothing(search, token);
  }

  #key(token: Buffer): Buffer | null {
    const { search } = this.#context;
    const level = this.#levels.at(-1);
    this.#trail.leave(this.#levels.length);
    if (level !== undefined) {
      level.key = textOf(token);
      level.mayBeSecret = mayNameSecret(token, 1, token.length - 1) || token.includes(backslash);
    }
    this.#expected = "colon";
    if (!this.#hasFields && holdsNothing(search, token)) return null;
    return this.#dropping === -1 ? this.#masked(token, [...this.#trail.path(this.#levels.length - 1), keyStep]) : null;
  }

  #masked(token: Buffer, path: readonly Step[], member?: string | null): Buffer | null {
    const { search } = this.#context;
    if (!isUtf8(token)) throw notJson();
    const found = nothingFound();
    const document = { bytes: token, path, layers: [], depth: 0, rawOf: (at: number) => at };
    const fault = readDocument(search, member === undefined ? document : { ...document, member }, found);
    if (fault !== null) throw new NotJson(`it is not JSON (${fault.says})`);
    return maskPiece(this.#context, this.#bind, { bytes: token, found });
  }

  #structure(byte: number): Buffer | null {
    switch (byte) {
      case 0x7b:
      case 0x5b:
        return this.#open(byte === 0x5b);
      case 0x7d:
      case 0x5d:
        this.#close(byte === 0x5d);
        return null;
      case 0x3a:
        if (this.#expected !== "colon") throw notJson();
        this.#expected = "value";
        return null;
      default:
        if (this.#expected !== "comma") throw notJson();
        this.#expected = this.#levels.at(-1)?.isArray === true ? "value" : "key";
        return null;
    }
  }

  /** A container that a mask names is left out as a whole. */
  #open(isArray: boolean): Buffer | null {
    this.#begin();
    if (this.#levels.length >= deepest) throw new Unstreamable(`it is JSON nested deeper than ${deepest}`);
    const isClash = this.#isClash();
    if (isClash) this.#dropping = this.#levels.length;
    // A list of passwords is called as one is.
    const mayBeSecret = isArray && this.#levels.at(-1)?.mayBeSecret === true;
    this.#levels.push({ isArray, index: -1, key: "", mayBeSecret });
    this.#expected = isArray ? "first-value" : "first-key";
    return isClash ? this.#nothingLeft() : null;
  }

  #nothingLeft(): Buffer {
    this.#context.note?.([{ kind: "field", text: "" }]);
    return Buffer.from("null");
  }

  #close(isArray: boolean): void {
    const level = this.#levels.pop();
    const mayClose = this.#expected === "comma" || this.#expected === (isArray ? "first-value" : "first-key");
    if (level === undefined || level.isArray !== isArray || !mayClose) throw notJson();
    if (this.#dropping === this.#levels.length) this.#dropping = -1;
    this.#after();
  }

  #begin(): void {
    // Documents behind each other are lines of a log.
    if (this.#expected !== "value" && this.#expected !== "first-value" && this.#expected !== "end") throw notJson();
    const level = this.#levels.at(-1);
    if (level?.isArray !== true) return;
    level.index++;
    this.#trail.leave(this.#levels.length);
  }

  #after(): void {
    this.#expected = this.#levels.length === 0 ? "end" : "comma";
  }

  #isClash(): boolean {
    const { search, side } = this.#context;
    if (search.fields.rules.length === 0 || this.#dropping !== -1) return false;
    const rule = fieldsAt(search.fields, this.#path()).find(
      ({ sides, unless }) => unless === undefined && (sides & side) !== 0,
    );
    if (rule !== undefined && side === inReply)
      throw new Unstreamable(
        `a mask names ${rule.written}, which is no text here: it cannot be masked, so nothing more of it is shown`,
      );
    return rule !== undefined;
  }

  get #hasFields(): boolean {
    return this.#context.search.fields.rules.length > 0;
  }

  /** As field paths are compared with. */
  #path(): Step[] {
    return this.#levels.map((_, at) => this.#step(at + 1));
  }

  #step(level: number): Step {
    const at = this.#levels[level - 1];
    return at === undefined ? "" : at.isArray ? at.index : at.key;
  }

  /** The member that the current value stands in, whatever lists are between; null where it stands in none. */
  #owner(): string | null {
    return this.#levels.findLast(({ isArray }) => !isArray)?.key ?? null;
  }
}

const quote = 0x22;
const backslash = 0x5c;
/** Loosely as the scanner takes numbers: nothing else may stand between texts. */
const scalar = /^(?:true|false|null|[-+.\deE]{1,400})$/;
const letterN = 0x6e;
const digits = /^[-+.]?\d/;

/** A cheap look; whatever is not plain ASCII as it stands is read with care. */
const holdsNothing = ({ detector }: Search, token: Buffer): boolean => {
  const look = lookAtBytes(token.subarray(1, -1));
  return (look.bits & (escape | high | control | quoteClass)) === 0 && !passes(detector.gateFor(token), look);
};

const notJson = (): NotJson => new NotJson("it is not JSON");

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const isStructure = (byte: number): boolean =>
  byte === 0x7b || byte === 0x7d || byte === 0x5b || byte === 0x5d || byte === 0x3a || byte === 0x2c;

/** Behind the quote that ends it; where that is not there yet, less than 0: from there on it is to be looked for. */
const textEnd = (bytes: Buffer, from: number): number => {
  let end = from;
  for (; end < bytes.length; end++) {
    if (bytes[end] === backslash) end++;
    else if (bytes[end] === quote) return end + 1;
  }
  return -end;
};

const scalarEnd = (bytes: Buffer, from: number): number => {
  let end = from;
  while (end < bytes.length && !isSpace(bytes[end] ?? 0) && !isStructure(bytes[end] ?? 0) && bytes[end] !== quote)
    end++;
  return end;
};

const textOf = (token: Buffer): string => {
  try {
    return String(JSON.parse(token.toString("utf8")));
  } catch {
    throw notJson();
  }
};
