/**
 * JSON (RFC 8259) as a tree that knows where each value stands in the text, and every number as it is written: to replace single values and keep
 * every other character. `json.ts` beside it gives values; what it will not read because two readers could differ is no tree either.
 */

/** Offsets are UTF-16 units of the text; those of strings include the quotes. */
type Placed = { readonly start: number; readonly end: number };

export type JsonObject = Placed & { readonly kind: "object"; readonly members: ReadonlyMap<string, JsonMember> };
export type JsonMember = { readonly name: Placed; readonly value: JsonNode };
export type JsonArray = Placed & { readonly kind: "array"; readonly items: readonly JsonNode[] };
export type JsonString = Placed & { readonly kind: "string"; readonly value: string };
/** `text`: as it is written. */
export type JsonNumber = Placed & { readonly kind: "number"; readonly text: string };
export type JsonWord = Placed & { readonly kind: "word"; readonly text: "true" | "false" | "null" };

export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonWord;

/** Null for what is no JSON, is nested deeper than anybody's, or names one member of an object twice. */
export const readTree = (text: string): JsonNode | null => {
  try {
    return new TreeReader(text).document();
  } catch (error) {
    if (error instanceof NoTree) return null;
    throw error;
  }
};

/** The text with some of its places written anew; they do not overlap. */
export const withReplaced = (text: string, edits: readonly (Placed & { readonly text: string })[]): string => {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return [...parts, text.slice(at)].join("");
};

class NoTree extends Error {}

const deepest = 128;
const mostValues = 1_000_000;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\r\n]*/y;
// oxlint-disable-next-line no-control-regex -- what a JSON text must not hold as it is
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const word = /true|false|null/y;

class TreeReader {
  readonly #text: string;
  #at = 0;
  #values = 0;
  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw new NoTree();
    return value;
  }

  #value(depth: number): JsonNode {
    if (depth > deepest || ++this.#values > mostValues) throw new NoTree();
    this.#skip();
    const start = this.#at;
    switch (this.#text[start]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
      case "f":
      case "n": {
        const text = this.#take(word) as JsonWord["text"];
        return { kind: "word", start, end: this.#at, text };
      }
      default: {
        const text = this.#take(number);
        return { kind: "number", start, end: this.#at, text };
      }
    }
  }

  #object(depth: number): JsonObject {
    const start = this.#at++;
    const members = new Map<string, JsonMember>();
    if (this.#eat("}")) return { kind: "object", start, end: this.#at, members };
    do {
      this.#skip();
      const { value: key, ...name } = this.#string();
      if (members.has(key) || !this.#eat(":")) throw new NoTree();
      members.set(key, { name, value: this.#value(depth + 1) });
    } while (this.#eat(","));
    if (!this.#eat("}")) throw new NoTree();
    return { kind: "object", start, end: this.#at, members };
  }

  #array(depth: number): JsonArray {
    const start = this.#at++;
    const items: JsonNode[] = [];
    if (this.#eat("]")) return { kind: "array", start, end: this.#at, items };
    do items.push(this.#value(depth + 1));
    while (this.#eat(","));
    if (!this.#eat("]")) throw new NoTree();
    return { kind: "array", start, end: this.#at, items };
  }

  #string(): JsonString {
    const start = this.#at;
    const written = this.#take(string);
    const value = written.includes("\\") ? String(JSON.parse(written)) : written.slice(1, -1);
    return { kind: "string", start, end: this.#at, value };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new NoTree();
    this.#at += found.length;
    return found;
  }

  #eat(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    space.lastIndex = this.#at;
    space.test(this.#text);
    this.#at = space.lastIndex;
  }
}
