/** Datadog's search syntax as far as the sandbox speaks it: terms, `key:value`, `*`, quotes, `-`, `AND`, `OR`, `@x:>=5`. */

/** How to read one kind of document. */
export type Reading<T> = {
  /** What terms without a key are looked for in. */
  readonly text: (document: T) => string;
  /** All values of a key (`service`, `@http.status_code`). */
  readonly field: (document: T, name: string) => readonly string[];
};

/** Compiles a query to a predicate; a string says why it cannot be understood. */
export type Search<T> = (query: string) => ((document: T) => boolean) | string;

type Term<T> = (document: T) => boolean;

const token = /(-|NOT\s+)?(?:([@\w.-]+):)?("(?:[^"\\]|\\.)*"|[^\s"]+)/y;

export const createSearch =
  <T>(reading: Reading<T>): Search<T> =>
  (query) => {
    const text = query.trim();
    if (text === "" || text === "*") return () => true;
    if (/(^|[\s:-])\(|\)(\s|$)/.test(text.replace(/"[^"]*"/g, ""))) return "the sandbox does not know parentheses";

    const groups: Term<T>[][] = [[]];
    let at = 0;
    while (at < text.length) {
      if (/\s/.test(text.charAt(at))) {
        at += 1;
        continue;
      }
      token.lastIndex = at;
      const match = token.exec(text);
      if (match === null) return `unexpected character at ${at}`;
      at = token.lastIndex;
      const [whole, negation, key, value = ""] = match;
      if (whole === "OR") groups.push([]);
      else if (whole !== "AND")
        groups.at(-1)?.push(compileTerm(reading, { key, value, negated: negation !== undefined }));
    }
    return (document) => groups.some((terms) => terms.every((term) => term(document)));
  };

const compileTerm = <T>(
  reading: Reading<T>,
  { key, value, negated }: { key: string | undefined; value: string; negated: boolean },
): Term<T> => {
  const wanted = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
  const matches = compare(wanted);
  const term: Term<T> =
    key === undefined
      ? (document) => wanted === "*" || contains(reading.text(document), wanted)
      : (document) => reading.field(document, key).some(matches);
  return negated ? (document) => !term(document) : term;
};

const compare = (wanted: string): ((actual: string) => boolean) => {
  const range = /^(>=|<=|>|<)(-?\d+(?:\.\d+)?)$/.exec(wanted);
  if (range !== null) {
    const [, operator, bound] = range;
    return (actual) => inRange(Number(actual), operator as ">=" | "<=" | ">" | "<", Number(bound));
  }
  return (actual) => glob(actual.toLowerCase(), wanted.toLowerCase());
};

const inRange = (actual: number, operator: ">=" | "<=" | ">" | "<", bound: number): boolean => {
  switch (operator) {
    case ">=":
      return actual >= bound;
    case "<=":
      return actual <= bound;
    case ">":
      return actual > bound;
    case "<":
      return actual < bound;
    default:
      return operator satisfies never;
  }
};

const contains = (text: string, wanted: string): boolean =>
  wanted.includes("*")
    ? glob(text.toLowerCase(), `*${wanted.toLowerCase()}*`)
    : text.toLowerCase().includes(wanted.toLowerCase());

/** `*` stands for anything. By pieces rather than by a regular expression: a query must not be able to cost more than its length. */
const glob = (actual: string, pattern: string): boolean => {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return actual === first;
  if (!actual.startsWith(first) || !actual.endsWith(last) || actual.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = actual.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= actual.length - last.length;
};
