/**
 * Reads JSON (RFC 8259) for rules and questions: whole numbers keep every digit, objects become Maps, and a document that two readers could
 * understand differently is not understood at all. No library does all of this in one bounded pass.
 */

/** Why a text is not JSON that rules may rely on. The message names a position, never the content. */
export class UnreadableJson extends Error {}

const deepest = 128;
/** A body of 8 MiB can hold millions of empty lists: memory is bounded by values, not only by bytes. */
const mostValues = 1_000_000;
const longestNumber = 400;

/** Strings, booleans, null, bigint for whole numbers, number for others, arrays, Maps. Throws `UnreadableJson`. */
export const readJson = (text: string): unknown => new Reader(text).document();

class Reader {
  readonly #text: string;
  /** A quote, a backslash or a control character: all that a text must not hold as it is. */
  readonly #special = /[^ !#-[\]-\uffff]/g;
  readonly #numeral = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
  readonly #space = /[ \t\r\n]*/y;
  #at = 0;
  #values = 0;
  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("more than one value");
    return value;
  }

  #value(depth: number): unknown {
    if (depth > deepest) this.#fail(`nested deeper than ${deepest}`);
    if (++this.#values > mostValues) this.#fail(`more than ${mostValues} values`);
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Map<string, unknown> {
    const members = new Map<string, unknown>();
    const seen = new Set<string>();
    this.#at++;
    if (this.#eat("}")) return members;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail("a key was expected");
      const key = this.#string();
      // Of `{"type": …, "Type": …}` some readers take the first, some the last, and Go's does not tell them apart.
      const folded = key.toUpperCase().toLowerCase();
      if (seen.has(folded)) this.#fail("the same key twice");
      seen.add(folded);
      if (!this.#eat(":")) this.#fail("a colon was expected");
      members.set(key, this.#value(depth + 1));
    } while (this.#eat(","));
    if (!this.#eat("}")) this.#fail("a comma or } was expected");
    return members;
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at++;
    if (this.#eat("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#eat(","));
    if (!this.#eat("]")) this.#fail("a comma or ] was expected");
    return items;
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    let from = start + 1;
    for (;;) {
      this.#special.lastIndex = from;
      const found = this.#special.exec(this.#text);
      if (found === null) return this.#fail("a text without an end");
      if (found[0] === '"') {
        this.#at = found.index + 1;
        return escaped ? this.#unescape(start) : this.#text.slice(start + 1, found.index);
      }
      if (found[0] !== "\\") return this.#fail("a control character in a text");
      escaped = true;
      from = found.index + 2;
    }
  }

  #unescape(start: number): string {
    try {
      return String(JSON.parse(this.#text.slice(start, this.#at)));
    } catch {
      return this.#fail("an unknown escape in a text");
    }
  }

  /** Whole numbers exactly; others as the nearest double, as every reader has them. */
  #number(): bigint | number {
    this.#numeral.lastIndex = this.#at;
    const found = this.#numeral.exec(this.#text);
    if (found === null) return this.#fail("a value was expected");
    const [written, fraction, exponent] = found;
    if (written.length > longestNumber) return this.#fail("a number that is too long");
    this.#at += written.length;
    if (fraction === undefined && exponent === undefined) return BigInt(written);
    const value = Number(written);
    if (!Number.isFinite(value)) return this.#fail("a number that is too large");
    // 9007199254740993.0 is a whole number that a double would change.
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return this.#fail("a whole number written as a fraction, too large to keep its digits");
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) return this.#fail("a value was expected");
    this.#at += word.length;
    return value;
  }

  #eat(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    this.#space.lastIndex = this.#at;
    this.#space.test(this.#text);
    this.#at = this.#space.lastIndex;
  }

  #fail(what: string): never {
    throw new UnreadableJson(`${what}, at character ${this.#at + 1}`);
  }
}
