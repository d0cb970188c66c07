/** Masks a JSON document as it passes: strings one by one, with the path that leads to each; nothing but the current string is held. */

import { isUtf8 } from "node:buffer";
import type { Built } from "../body/build.ts";
import { inReply } from "../detect/detector.ts";
import { control, escape, high, lookAtBytes, passes, quote as quoteClass } from "../detect/gate.ts";
import { mayNameSecret } from "../detect/names.ts";
import { keyStep, nothingFound, type Search } from "../findings.ts";
import { fieldsAt } from "../json/fields.ts";
import { readDocument } from "../json/read.ts";
import { deepest } from "../json/scan.ts";
import type { Step } from "../place/place.ts";
import { bindLoose, type Binder } from "../token/bind.ts";
import { maskPiece, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";

const longestString = 2 ** 20;

/** What may come next. */
type Expected = "value" | "first-value" | "key" | "first-key" | "colon" | "comma" | "end";

type Level = { readonly isArray: boolean; index: number; key: string; mayBeSecret: boolean };

export class JsonStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #bind: Binder;
  readonly #levels: Level[] = [];
  #expected: Expected = "value";
  #held: Buffer = Buffer.alloc(0);
  /** Depth of the container that is replaced as a whole: until it closes nothing of it goes out. */
  #dropping = -1;
  #out: Buffer[] = [];
  masked = 0;
  constructor(context: StreamContext) {
    this.#context = context;
    this.#bind = bindLoose(context.sealing);
  }

  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = this.#read(bytes, { isLast: false });
    this.#held = Buffer.from(bytes.subarray(at));
    if (this.#held.length > longestString) throw new Unstreamable(`a text in it is longer than ${longestString} bytes`);
    return this.#take();
  }

  end(): Buffer {
    const at = this.#read(this.#held, { isLast: true });
    if (at < this.#held.length || this.#expected !== "end") throw new Unstreamable("it is JSON without its end");
    return this.#take();
  }

  #take(): Buffer {
    const out = this.#out.length === 1 ? (this.#out[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  /** Reads complete tokens; how far it came. */
  #read(bytes: Buffer, { isLast }: { readonly isLast: boolean }): number {
    let at = 0;
    let plain = 0;
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0;
      if (isSpace(byte)) {
        at++;
        continue;
      }
      const end = tokenEnd(bytes, at, isLast);
      if (end === -1) break;
      const wasDropping = this.#dropping !== -1;
      const instead = isStructure(byte) ? this.#structure(byte) : this.#token(bytes.subarray(at, end));
      if (wasDropping) {
        if (this.#dropping === -1) plain = end;
      } else if (instead !== null) {
        this.#out.push(bytes.subarray(plain, at), instead.bytes);
        this.masked += instead.values.length;
        this.#context.note?.(instead.values);
        plain = end;
      }
      at = end;
    }
    if (this.#dropping === -1) this.#out.push(bytes.subarray(plain, at));
    return at;
  }

  /** What goes out in its place; null: itself. */
  #token(token: Buffer): Built | null {
    if (token[0] === quote && (this.#expected === "key" || this.#expected === "first-key")) return this.#key(token);
    this.#begin();
    this.#after();
    if (token[0] !== quote && !scalar.test(token.toString("latin1"))) throw notJson();
    if (this.#dropping !== -1 || this.#isPlain(token)) return null;
    const path = this.#path();
    if (token[0] !== quote) return token[0] !== letterN && this.#isClash() ? replacedByNull : null;
    const member = path.at(-1);
    return this.#masked(token, path, typeof member === "string" ? member : null);
  }

  /** Most texts: nothing in them has the sign of a value, no field is named, and neither is their own name one of secrets. */
  #isPlain(token: Buffer): boolean {
    const { search } = this.#context;
    if (search.fields.rules.length > 0 || token[0] !== quote) return false;
    const level = this.#levels.at(-1);
    if (search.names !== 0 && level?.isArray === false && level.mayBeSecret) return false;
    return holdsNothing(search, token);
  }

  #key(token: Buffer): Built | null {
    const { search } = this.#context;
    const level = this.#levels.at(-1);
    if (level !== undefined) {
      level.key = textOf(token);
      level.mayBeSecret = mayNameSecret(token, 1, token.length - 1) || token.includes(backslash);
    }
    this.#expected = "colon";
    if (search.fields.rules.length === 0 && holdsNothing(search, token)) return null;
    return this.#dropping === -1 ? this.#masked(token, [...this.#path().slice(0, -1), keyStep]) : null;
  }

  #masked(token: Buffer, path: readonly Step[], member?: string | null): Built | null {
    const { search } = this.#context;
    if (!isUtf8(token)) throw notJson();
    const found = nothingFound();
    const document = { bytes: token, path, layers: [], depth: 0, rawOf: (at: number) => at };
    const fault = readDocument(search, member === undefined ? document : { ...document, member }, found);
    if (fault !== null) throw new Unstreamable(`it is not JSON (${fault.says})`);
    return maskPiece(this.#context, this.#bind, { bytes: token, found });
  }

  #structure(byte: number): Built | null {
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
  #open(isArray: boolean): Built | null {
    this.#begin();
    if (this.#levels.length >= deepest) throw new Unstreamable(`it is JSON nested deeper than ${deepest}`);
    const isClash = this.#isClash();
    if (isClash) this.#dropping = this.#levels.length;
    this.#levels.push({ isArray, index: -1, key: "", mayBeSecret: false });
    this.#expected = isArray ? "first-value" : "first-key";
    return isClash ? replacedByNull : null;
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
    if (level?.isArray === true) level.index++;
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

  #path(): Step[] {
    return this.#levels.map(({ isArray, index, key }) => (isArray ? index : key));
  }
}

const quote = 0x22;
const backslash = 0x5c;
/** Loosely as the scanner takes numbers: nothing else may stand between texts. */
const scalar = /^(?:true|false|null|[-+.\deE]{1,400})$/;
const letterN = 0x6e;

const replacedByNull: Built = { bytes: Buffer.from("null"), values: [{ kind: "field", text: "" }] };

/** A cheap look; whatever is not plain ASCII as it stands is read with care. */
const holdsNothing = ({ detector }: Search, token: Buffer): boolean => {
  const look = lookAtBytes(token.subarray(1, -1));
  return (look.bits & (escape | high | control | quoteClass)) === 0 && !passes(detector.gateFor(token), look);
};

const notJson = (): Unstreamable => new Unstreamable("it is not JSON");

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const isStructure = (byte: number): boolean =>
  byte === 0x7b || byte === 0x7d || byte === 0x5b || byte === 0x5d || byte === 0x3a || byte === 0x2c;

/** Behind the token that begins at `at`; -1 where its end is not there yet. */
const tokenEnd = (bytes: Buffer, at: number, isLast: boolean): number => {
  const byte = bytes[at] ?? 0;
  if (isStructure(byte)) return at + 1;
  if (byte !== quote) {
    let end = at;
    while (end < bytes.length && !isSpace(bytes[end] ?? 0) && !isStructure(bytes[end] ?? 0) && bytes[end] !== quote)
      end++;
    return end < bytes.length || isLast ? end : -1;
  }
  for (let end = at + 1; end < bytes.length; end++) {
    if (bytes[end] === 0x5c) end++;
    else if (bytes[end] === quote) return end + 1;
  }
  return -1;
};

const textOf = (token: Buffer): string => {
  try {
    return String(JSON.parse(token.toString("utf8")));
  } catch {
    throw notJson();
  }
};
