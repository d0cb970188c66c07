/** Reads one JSON document for masks: what its strings hold, what its fields are called, and what lies where at its top. */

import { deepestNesting, type Finding, type Found, keyStep, type Layer, type Search } from "../findings.ts";
import { addSpans, inspectPiece, type Piece, spansIn } from "../body/piece.ts";
import { isFull, inRecording, inReply, type Span } from "../detect/detector.ts";
import { secretKind, mayNameSecret } from "../detect/names.ts";
import type { Step } from "../place/place.ts";
import { fieldKind, type FieldRule, fieldsAt, isAnchor } from "./fields.ts";
import { escaped, type JsonVisitor, type NoJson, scanJson, suspicious } from "./scan.ts";
import { decodeText, offsetsIn } from "./text.ts";
import { Trail } from "./trail.ts";

/** A document and where it stands: at the top of a body, on a line of it, or in a string of another one. */
export type Document = {
  readonly bytes: Buffer;
  readonly path: readonly Step[];
  readonly layers: readonly Layer[];
  readonly depth: number;
  /** Byte of the document → byte of the decoded body. */
  readonly rawOf: (at: number) => number;
  /** Of a document that is one string out of a larger one: the member that it is the value of, null for an element. */
  readonly member?: string | null;
};

/** Adds to `found`; what was added before a fault is to be dropped. The bytes must be UTF-8. */
export const readDocument = (search: Search, document: Document, found: Found): NoJson | null => {
  const reader = new DocumentReader(search, document, found);
  return scanJson(document.bytes, search.detector.gateFor(document.bytes), reader) ?? reader.fault;
};

/** Where a field that may not be secret after all waits for the end of its object. */
type Waiting = { readonly depth: number; readonly finding: Finding; readonly unless: string };

/** A container that a field path named, until it closes. */
type OpenClash = {
  readonly depth: number;
  readonly start: number;
  readonly sides: number;
  readonly rule: string;
};

const letterT = 0x74;
const letterF = 0x66;
const letterN = 0x6e;

const longestRepeated = 100;
const mostRepeated = 10_000;

const bothSides = inReply | inRecording;

class DocumentReader implements JsonVisitor {
  readonly #search: Search;
  readonly #document: Document;
  readonly #found: Found;
  /** Of each open container, by depth: its next position, or where its current key is. */
  readonly #isArray: number[] = [];
  readonly #index: number[] = [];
  readonly #keyStart: number[] = [];
  readonly #keyEnd: number[] = [];
  readonly #keyFlags: number[] = [];
  readonly #isSecret: number[] = [];
  /** Steps since a key that field paths end with, counted up to one more than matters. */
  readonly #behind: number[] = [];
  readonly #waiting: Waiting[] = [];
  /** What the conditions of open objects say: `depth name` → whether nothing but `false` was seen. */
  readonly #conditions = new Map<string, boolean>();
  readonly #clashes: OpenClash[] = [];
  readonly #hasFields: boolean;
  readonly #seen = new Map<string, readonly Span[]>();
  readonly #trail: Trail;
  readonly #layers: readonly Layer[];
  #depth = 0;
  /** A container that a field path named is masked as a whole: until it closes nothing in it is looked at. */
  #skipTo = 0;
  fault: NoJson | null = null;

  constructor(search: Search, document: Document, found: Found) {
    this.#search = search;
    this.#document = document;
    this.#found = found;
    this.#hasFields = search.fields.rules.length > 0;
    this.#layers = ["json", ...document.layers];
    this.#trail = new Trail({ prefix: document.path, stepAt: (level) => this.#step(level) });
    const isPart = document.member !== undefined;
    this.#behind[0] = isPart ? 0 : search.fields.behind + 1;
    this.#isSecret[0] = isPart && document.member !== null && search.names !== 0 ? 1 : 0;
  }

  key(start: number, end: number, flags: number): void {
    const depth = this.#depth;
    this.#trail.leave(depth);
    this.#keyStart[depth] = start;
    this.#keyEnd[depth] = end;
    this.#keyFlags[depth] = flags;
    const { bytes } = this.#document;
    this.#isSecret[depth] =
      this.#search.names !== 0 && ((flags & escaped) !== 0 || mayNameSecret(bytes, start, end)) ? 1 : 0;
    if (this.#hasFields) {
      const anchored = (flags & escaped) !== 0 || isAnchor(this.#search.fields, bytes, { start, end });
      const inherited = (this.#behind[depth - 1] ?? 0) + 1;
      this.#behind[depth] = anchored ? 0 : Math.min(inherited, this.#search.fields.behind + 1);
    }
    if ((flags & suspicious) !== 0 && this.#skipTo === 0) {
      const path = [...this.#trail.path(depth - 1), keyStep];
      this.#inspect({ start, end, flags, path });
    }
  }

  string(start: number, end: number, flags: number): void {
    this.#enter();
    if (this.#skipTo !== 0 || start === end) return;
    let sides = 0;
    if (this.#mayBeField()) sides = this.#field(start, end, flags);
    if (this.#isSecret[this.#depth] === 1) sides |= this.#secret(start, end, flags);
    // What is masked as a whole on both sides needs no closer look.
    if (sides === bothSides) return;
    if ((flags & suspicious) !== 0 || ((flags & escaped) !== 0 && this.#mayBeDocument(start)))
      this.#inspect({ start, end, flags, path: null });
  }

  scalar(start: number, end: number): void {
    this.#enter();
    if (this.#skipTo !== 0 || !this.#hasFields) return;
    const first = this.#document.bytes[start];
    if (first === letterT || first === letterF) this.#noteCondition(first === letterF);
    // There is nothing secret about null.
    if (first !== letterN && this.#mayBeField()) this.#clashAt(start, end);
  }

  open(start: number, isArray: boolean): void {
    this.#enter();
    if (this.#skipTo === 0 && this.#mayBeField()) {
      const { sides, rule } = this.#clashHere();
      if (sides !== 0) this.#clashes.push({ depth: this.#depth, start, sides, rule });
      if (sides === bothSides) this.#skipTo = this.#depth + 1;
    }
    // A list of passwords is called as one is.
    const inherited = isArray ? (this.#isSecret[this.#depth] ?? 0) : 0;
    this.#depth++;
    this.#isArray[this.#depth] = isArray ? 1 : 0;
    this.#index[this.#depth] = -1;
    this.#isSecret[this.#depth] = inherited;
    this.#behind[this.#depth] = Math.min((this.#behind[this.#depth - 1] ?? 0) + 1, this.#search.fields.behind + 1);
  }

  close(end: number): void {
    while (this.#waiting.at(-1)?.depth === this.#depth) this.#settle();
    for (const name of this.#search.fields.conditions) this.#conditions.delete(`${this.#depth} ${name}`);
    this.#depth--;
    if (this.#skipTo === this.#depth + 1) this.#skipTo = 0;
    const clash = this.#clashes.at(-1);
    if (clash === undefined || clash.depth !== this.#depth) return;
    this.#clashes.pop();
    this.#pushClash(clash.start, end, clash);
  }

  #enter(): void {
    if (this.#isArray[this.#depth] !== 1) return;
    this.#trail.leave(this.#depth);
    this.#index[this.#depth] = (this.#index[this.#depth] ?? 0) + 1;
  }

  #mayBeField(): boolean {
    return (
      this.#hasFields && (this.#search.fields.always || (this.#behind[this.#depth] ?? 0) <= this.#search.fields.behind)
    );
  }

  /** From the body's top to the current value of the container at `depth`, as field paths are compared with. */
  #path(depth: number): Step[] {
    const path: Step[] = [...this.#document.path];
    for (let level = 1; level <= depth; level++) path.push(this.#step(level));
    return path;
  }

  #step(level: number): Step {
    return this.#isArray[level] === 1 ? (this.#index[level] ?? 0) : this.#name(level);
  }

  #name(depth: number): string {
    if (depth === 0) return this.#document.member ?? "";
    const written = { bytes: this.#document.bytes, start: this.#keyStart[depth] ?? 0, end: this.#keyEnd[depth] ?? 0 };
    return this.#decode({ ...written, flags: this.#keyFlags[depth] ?? 0 });
  }

  /** The depth of the member that holds the current value, whatever lists are between. */
  #owner(): number {
    let depth = this.#depth;
    while (depth > 0 && this.#isArray[depth] === 1) depth--;
    return depth;
  }

  #decode(written: Parameters<typeof decodeText>[0]): string {
    const text = decodeText(written);
    if (text === null) this.fault ??= { at: written.start, says: "an unknown escape in a text" };
    return text ?? "";
  }

  #field(start: number, end: number, flags: number): number {
    if (isFull(this.#found.findings)) return 0;
    const path = this.#path(this.#depth);
    const rules = fieldsAt(this.#search.fields, path);
    if (rules.length === 0) return 0;
    const text = this.#decode({ bytes: this.#document.bytes, start, end, flags });
    const at = this.#trail.path(this.#depth);
    let sides = 0;
    for (const rule of rules) {
      const finding = this.#finding({ start, end, text, path: at, kind: fieldKind(rule, text), sides: rule.sides });
      // Of a part nobody knows what stood beside it.
      if (rule.unless === undefined || this.#depth === 0) {
        this.#found.findings.push(finding);
        sides |= rule.sides;
      } else this.#waiting.push({ depth: this.#depth, finding, unless: rule.unless });
    }
    return sides;
  }

  #secret(start: number, end: number, flags: number): number {
    if (isFull(this.#found.findings)) return 0;
    const text = this.#decode({ bytes: this.#document.bytes, start, end, flags });
    const kind = secretKind(this.#name(this.#owner()), text);
    if (kind === null) return 0;
    const { names: sides } = this.#search;
    this.#found.findings.push(this.#finding({ start, end, text, kind, sides, path: this.#trail.path(this.#depth) }));
    return sides;
  }

  #finding(found: Omit<Finding, "layers">): Finding {
    const { rawOf } = this.#document;
    return { ...found, start: rawOf(found.start), end: rawOf(found.end), layers: this.#layers };
  }

  #inspect({ start, end, flags, path }: { start: number; end: number; flags: number; path: Step[] | null }): void {
    if (isFull(this.#found.findings)) return;
    const { bytes, depth, rawOf } = this.#document;
    const written = { bytes, start, end, flags };
    const text = this.#decode(written);
    const mayNest = path === null && (flags & escaped) !== 0;
    const spans = mayNest ? [] : this.#spansIn(text);
    if (!mayNest && spans.length === 0) return;
    const offsets = offsetsIn(written);
    const piece: Piece = {
      text,
      path: path ?? this.#trail.path(this.#depth),
      layers: this.#layers,
      depth,
      rawOf: (at) => rawOf(offsets(at)),
    };
    if (!mayNest) addSpans(spans, piece, this.#found.findings);
    else if (!inspectNested(this.#search, piece, this.#found)) inspectPiece(this.#search, piece, this.#found.findings);
  }

  /** The same texts come again and again in one document: states, hosts, people. */
  #spansIn(text: string): readonly Span[] {
    if (text.length > longestRepeated) return spansIn(this.#search, text, this.#document.depth);
    let spans = this.#seen.get(text);
    if (spans === undefined) {
      spans = spansIn(this.#search, text, this.#document.depth);
      if (this.#seen.size < mostRepeated) this.#seen.set(text, spans);
    }
    return spans;
  }

  #mayBeDocument(start: number): boolean {
    const byte = this.#document.bytes[start];
    return byte === 0x7b || byte === 0x5b || byte === 0x20 || byte === 0x5c;
  }

  #clashAt(start: number, end: number): void {
    const { sides, rule } = this.#clashHere();
    if (sides !== 0) this.#pushClash(start, end, { sides, rule });
  }

  #clashHere(): { readonly sides: number; readonly rule: string } {
    const rules = fieldsAt(this.#search.fields, this.#path(this.#depth)).filter(({ unless }) => unless === undefined);
    return { sides: sidesOf(rules), rule: rules[0]?.written ?? "" };
  }

  #pushClash(start: number, end: number, { sides, rule }: { readonly sides: number; readonly rule: string }): void {
    const { rawOf } = this.#document;
    this.#found.clashes.push({ start: rawOf(start), end: rawOf(end), sides, rule });
  }

  /** Only where every such member says `false`: of two that differ nobody knows which counts. */
  #noteCondition(isFalse: boolean): void {
    const { conditions } = this.#search.fields;
    if (conditions.size === 0 || this.#depth === 0 || this.#isArray[this.#depth] === 1) return;
    const name = this.#name(this.#depth);
    if (!conditions.has(name)) return;
    const at = `${this.#depth} ${name}`;
    this.#conditions.set(at, isFalse && this.#conditions.get(at) !== false);
  }

  #settle(): void {
    const waiting = this.#waiting.pop();
    if (waiting === undefined || this.#conditions.get(`${waiting.depth} ${waiting.unless}`) === true) return;
    this.#found.findings.push(waiting.finding);
  }
}

const sidesOf = (rules: readonly FieldRule[]): number => rules.reduce((sides, rule) => sides | rule.sides, 0);

/** A text that is a document of its own is read as one. False where it is none. */
export const inspectNested = (search: Search, piece: Parameters<typeof inspectPiece>[1], found: Found): boolean => {
  const first = piece.text.trimStart()[0];
  if ((first !== "{" && first !== "[") || piece.depth >= deepestNesting || !piece.text.isWellFormed()) return false;
  const bytes = Buffer.from(piece.text);
  const offsets = bytes.length === piece.text.length ? null : unitsOf(piece.text, bytes.length);
  const inner: Found = { findings: [], clashes: [], embedded: [] };
  const rawOf = (at: number): number => piece.rawOf(offsets === null ? at : (offsets[at] ?? piece.text.length));
  const document = { bytes, path: piece.path, layers: piece.layers, depth: piece.depth + 1, rawOf };
  if (readDocument(search, document, inner) !== null) return false;
  for (const finding of inner.findings) found.findings.push(finding);
  for (const clash of inner.clashes) found.clashes.push(clash);
  return true;
};

/** Byte of a text's UTF-8 → UTF-16 offset. */
const unitsOf = (text: string, length: number): Int32Array => {
  const units = new Int32Array(length + 1);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units.fill(i, at, at + bytes);
    at += bytes;
    if (bytes === 4) i++;
  }
  units[length] = text.length;
  return units;
};
