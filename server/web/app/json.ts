/** Reads JSON as it is written: places in the text instead of values, so that numbers keep their spelling, and one level at a time, so that megabytes open at once. */

export type Kind = "object" | "array" | "string" | "number" | "literal";

/** A value, by where it stands. `end` is behind its last character. */
export type JsonValue = { readonly kind: Kind; readonly start: number; readonly end: number };

/** `key`: as written, with its quotes; null in an array. */
export type Member = { readonly key: string | null; readonly path: string; readonly value: JsonValue };

/** Null when the text is not JSON. The engine's own parser decides, which has no trouble with depth. */
export function readJson(text: string): JsonValue | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const start = skipSpace(text, 0);
  return { kind: kindAt(text, start), start, end: endOf(text, start) };
}

/** The members of an object or array, at most so many; `rest`: whether there are others. The text must be JSON. */
export function membersOf(
  text: string,
  { value, path }: Omit<Member, "key">,
  most: number,
): { readonly members: readonly Member[]; readonly rest: boolean } {
  const members: Member[] = [];
  const isObject = value.kind === "object";
  let at = skipSpace(text, value.start + 1);
  for (let index = 0; at < value.end - 1; index++) {
    if (members.length === most) return { members, rest: true };
    let key: string | null = null;
    if (isObject) {
      const keyEnd = endOfString(text, at);
      key = text.slice(at, keyEnd);
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    const end = endOf(text, at);
    members.push({
      key,
      path: path + (key === null ? `[${index}]` : step(key)),
      value: { kind: kindAt(text, at), start: at, end },
    });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return { members, rest: false };
}

/** `.name` where that is clear, else `["odd name"]`. */
const step = (key: string): string => (/^"[A-Za-z_][\w-]*"$/.test(key) ? `.${key.slice(1, -1)}` : `[${key}]`);

/** Whether the value at `inner` is, or is within, the one at `outer`. */
export const isWithin = (inner: string, outer: string): boolean =>
  inner.startsWith(outer) &&
  (inner.length === outer.length || inner[outer.length] === "." || inner[outer.length] === "[");

/** Indented by two, every value as it was written; stops after so many lines. */
export function linesOf(text: string, most: number): readonly string[] | null {
  const root = readJson(text);
  if (root === null) return null;
  const lines: string[] = [];
  let line = "";
  let depth = 0;
  const open = (): void => {
    lines.push(line);
    line = "  ".repeat(Math.min(depth, 60));
  };
  for (let at = root.start; at < root.end && lines.length < most; ) {
    const c = text[at] ?? "";
    if (c === " " || c === "\n" || c === "\r" || c === "\t") at++;
    else if (c === "{" || c === "[") {
      const next = skipSpace(text, at + 1);
      if (text[next] === "}" || text[next] === "]") {
        line += c + text[next];
        at = next + 1;
      } else {
        line += c;
        depth++;
        open();
        at++;
      }
    } else if (c === "}" || c === "]") {
      depth--;
      open();
      line += c;
      at++;
    } else if (c === ",") {
      line += c;
      open();
      at++;
    } else if (c === ":") {
      line += ": ";
      at++;
    } else {
      const end = endOf(text, at);
      line += text.slice(at, end);
      at = end;
    }
  }
  lines.push(line);
  return lines;
}

const kindAt = (text: string, at: number): Kind => {
  const c = text[at] ?? "";
  if (c === "{") return "object";
  if (c === "[") return "array";
  if (c === '"') return "string";
  return c === "t" || c === "f" || c === "n" ? "literal" : "number";
};

/** Without recursion: what is nested a hundred thousand times deep is counted like everything else. */
function endOf(text: string, start: number): number {
  const c = text[start];
  if (c === '"') return endOfString(text, start);
  if (c !== "{" && c !== "[") {
    let at = start;
    while (at < text.length && !/[\s,\]}]/.test(text[at] ?? "")) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at) - 1;
    else if (code === openBrace || code === openBracket) depth++;
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return at + 1;
  }
  return text.length;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93] as const;

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t")) at++;
  return at;
}
