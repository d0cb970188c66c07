/** The top of a JSON document: what its members are and where the things lie that a body wraps, lists and names. */

import { gateOf } from "../detect/gate.ts";
import { type JsonVisitor, scanJson } from "../json/scan.ts";
import { decodeText } from "../json/text.ts";

/** A value near the top, by its bytes; a string's are inside its quotes. `key` is null for elements and for the document. */
export type Node = {
  readonly key: string | null;
  readonly type: "object" | "array" | "string" | "scalar";
  readonly start: number;
  end: number;
  /** Of containers down to the third level; of the leaves of the third only those with a name that was asked for. */
  readonly children: Node[];
};

const levels = 3;

/** Null for what is no JSON document. */
export const outlineOf = (bytes: Buffer, names: ReadonlySet<string>): Node | null => {
  const outliner = new Outliner(bytes, names);
  return scanJson(bytes, gateOf(new Set()), outliner) === null ? outliner.root : null;
};

class Outliner implements JsonVisitor {
  readonly #bytes: Buffer;
  readonly #names: ReadonlySet<string>;
  readonly #lengths: ReadonlySet<number>;
  readonly #open: Node[] = [];
  #depth = 0;
  #key: string | null = null;
  root: Node | null = null;
  constructor(bytes: Buffer, names: ReadonlySet<string>) {
    this.#bytes = bytes;
    this.#names = names;
    this.#lengths = new Set([...names].map((name) => name.length));
  }

  key(start: number, end: number, flags: number): void {
    // Most keys below the first level are none that was asked for, and that shows by their length.
    const matters = this.#depth === 1 || (this.#depth <= levels && (flags !== 0 || this.#lengths.has(end - start)));
    this.#key = matters ? decodeText({ bytes: this.#bytes, start, end, flags }) : null;
  }

  string(start: number, end: number): void {
    this.#leaf("string", start, end);
  }

  scalar(start: number, end: number): void {
    this.#leaf("scalar", start, end);
  }

  open(start: number, isArray: boolean): void {
    const node: Node = { key: this.#take(), type: isArray ? "array" : "object", start, end: start, children: [] };
    if (this.#depth < levels) {
      this.#add(node);
      this.#open.push(node);
    }
    this.#depth++;
  }

  close(end: number): void {
    this.#depth--;
    if (this.#depth >= levels) return;
    const node = this.#open.pop();
    if (node !== undefined) node.end = end;
  }

  #leaf(type: "string" | "scalar", start: number, end: number): void {
    const key = this.#take();
    if (this.#depth > levels || (this.#depth > 1 && (key === null || !this.#names.has(key)))) return;
    this.#add({ key, type, start, end, children: [] });
  }

  #take(): string | null {
    const key = this.#key;
    this.#key = null;
    return key;
  }

  #add(node: Node): void {
    if (this.#depth === 0) this.root = node;
    else this.#open.at(-1)?.children.push(node);
  }
}

/** The text of a node that is a string or a number: how Datadog writes an id either way. */
export const leafText = (bytes: Buffer, { type, start, end }: Node): string | null => {
  if (type === "string") return decodeText({ bytes, start, end, flags: allFlags });
  return type === "scalar" ? bytes.toString("latin1", start, end) : null;
};

/** As if it had escapes and more than ASCII: right for every string. */
const allFlags = 3;
