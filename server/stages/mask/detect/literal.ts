/** The piece of text that every match of a pattern has: a document without it needs no search for that pattern. */

/** In UTF-8 and in JSON written as themselves, or by their numbers, which the scanner sees. */
const plain = /^[A-Za-z0-9_:#@=+,;~ -]$/;
const least = 3;

/** The longest such piece, at least three characters; null where there is none that is easily told. `pattern`: RE2 syntax that compiles. */
export const literalIn = (pattern: string): string | null => {
  // Cases apart, and quoted spans: not worth it.
  if (/\(\?[a-zA-Z-]*i|\\Q/.test(pattern)) return null;
  let longest = "";
  let current = "";
  const flush = (): void => {
    if (current.length > longest.length) longest = current;
    current = "";
  };
  for (let at = 0; at < pattern.length; ) {
    const { end, char } = next(pattern, at);
    const kind = pattern[at] ?? "";
    if (kind === "|") return null;
    if (char !== null) current += char;
    else if ("*?{".includes(kind)) {
      // What it repeats may be absent, or there more often than once.
      current = current.slice(0, -1);
      flush();
    } else if (!isZeroWidth(pattern, at)) flush();
    at = end;
  }
  flush();
  return longest.length < least ? null : longest;
};

/** One element of a pattern: where it ends, and the character it stands for if it stands for a plain one. */
const next = (pattern: string, at: number): { readonly end: number; readonly char: string | null } => {
  const first = pattern[at] ?? "";
  switch (first) {
    case "\\":
      return escapeAt(pattern, at);
    case "[":
      return { end: classEnd(pattern, at), char: null };
    case "(":
      return { end: groupEnd(pattern, at), char: null };
    case "{":
      return { end: closing(pattern, at, "}"), char: null };
    default:
      // `+` repeats what stands before it, and that stays.
      return { end: at + 1, char: first !== "+" && plain.test(first) ? first : null };
  }
};

const isZeroWidth = (pattern: string, at: number): boolean =>
  pattern[at] === "^" || pattern[at] === "$" || (pattern[at] === "\\" && "bBAz".includes(pattern[at + 1] ?? " "));

const escapeAt = (pattern: string, at: number): { readonly end: number; readonly char: string | null } => {
  const second = pattern[at + 1] ?? "";
  if (!/[A-Za-z0-9]/.test(second)) return { end: at + 2, char: plain.test(second) ? second : null };
  const braced = "xpP".includes(second) && pattern[at + 2] === "{";
  if (braced) return { end: closing(pattern, at, "}"), char: null };
  // `\x41`, `\101`, `\pL`: whatever they stand for, nothing of it is taken for text.
  return { end: at + (second === "x" ? 4 : "pP".includes(second) ? 3 : octalLength(pattern, at)), char: null };
};

const octalLength = (pattern: string, at: number): number =>
  /^\\[0-7]{1,3}/.exec(pattern.slice(at, at + 4))?.[0].length ?? 2;

const closing = (pattern: string, at: number, close: string): number => {
  const end = pattern.indexOf(close, at);
  return end === -1 ? pattern.length : end + 1;
};

const classEnd = (pattern: string, at: number): number => {
  let end = at + 1;
  if (pattern[end] === "^") end++;
  if (pattern[end] === "]") end++;
  for (; end < pattern.length; end++) {
    if (pattern[end] === "\\") end++;
    else if (pattern.startsWith("[:", end)) end = closing(pattern, end, ":]");
    else if (pattern[end] === "]") return end + 1;
  }
  return pattern.length;
};

const groupEnd = (pattern: string, at: number): number => {
  let depth = 0;
  for (let end = at; end < pattern.length; ) {
    const char = pattern[end];
    if (char === "(") depth++;
    if (char === ")" && --depth === 0) return end + 1;
    end = char === "[" ? classEnd(pattern, end) : char === "\\" ? escapeAt(pattern, end).end : end + 1;
  }
  return pattern.length;
};
