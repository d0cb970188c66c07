/** What a search page offers, and what a click adds to a search: on pages that the server writes, and on those that scripts draw. */

export const searchAddress = (q: string): string => `/search?q=${encodeURIComponent(q)}`;

/** Searches that are worth a link. */
export const suggestedSearches: readonly { readonly name: string; readonly q: string }[] = [
  { name: "Denied today", q: "decision:deny after:1d" },
  { name: "Asked people", q: "decision:approve after:7d" },
  { name: "What destroys", q: "access:destructive after:7d" },
  { name: "Refused by Datadog", q: "status:>=400 -decision:deny after:7d" },
  { name: "Slow", q: "duration:>5s -decision:approve after:7d" },
];

export type Filter = {
  readonly field: string;
  readonly label: string;
  readonly values: readonly { readonly value: string; readonly name: string }[];
};

const named = (values: readonly string[]): Filter["values"] => values.map((value) => ({ value, name: value }));

export const filters: readonly Filter[] = [
  { field: "decision", label: "Decision", values: named(["allow", "deny", "approve", "observe"]) },
  { field: "access", label: "Access", values: named(["read", "write", "destructive", "submit", "unknown"]) },
  { field: "status", label: "Status", values: named(["2xx", "4xx", "5xx"]) },
  {
    field: "after",
    label: "Received",
    values: [
      { value: "1h", name: "last hour" },
      { value: "1d", name: "last day" },
      { value: "7d", name: "last 7 days" },
      { value: "30d", name: "last 30 days" },
    ],
  },
];

type Term = { readonly text: string; readonly depth: number };

/** Roughly as the gateway reads them: for a click, which shows what it did in the box. */
const termsOf = (q: string): readonly Term[] => {
  const terms: Term[] = [];
  let depth = 0;
  for (const [text] of q.matchAll(/[()]|-?[a-z_]*:?"(?:\\.|[^"\\])*"?|-?[^\s()"]+|-/gi)) {
    if (text === ")") depth = Math.max(0, depth - 1);
    terms.push({ text, depth });
    if (text === "(") depth += 1;
  }
  return terms;
};

const isAlternatives = (terms: readonly Term[]): boolean =>
  terms.some(({ text, depth }) => text === "OR" && depth === 0);

/** Whether every call that is found has this value there, as far as the search says so in one word. */
export const hasTerm = (q: string, field: string, value: string): boolean => {
  const terms = termsOf(q);
  return (
    !isAlternatives(terms) && terms.some(({ text, depth }) => depth === 0 && text.toLowerCase() === `${field}:${value}`)
  );
};

/** The search with another value of this field, or with none. */
export const withTerm = (q: string, field: string, value: string | null): string => {
  const terms = termsOf(q);
  const term = value === null ? [] : [`${field}:${value}`];
  if (isAlternatives(terms)) return [`(${q.trim()})`, ...term].join(" ");
  const others = terms.filter(({ text, depth }) => depth > 0 || !text.toLowerCase().startsWith(`${field}:`));
  return [joined(others), ...term].filter((part) => part !== "").join(" ");
};

const joined = (terms: readonly Term[]): string =>
  terms.reduce(
    (all, { text }) =>
      all === "" || text === ")" || all.endsWith("(") || all.endsWith("-") ? `${all}${text}` : `${all} ${text}`,
    "",
  );

/** Around a column, counted from 1, of a search that was not understood: a long one is cut. */
export const pointAt = (
  q: string,
  column: number,
): { readonly before: string; readonly at: string; readonly after: string } => {
  const index = Math.max(0, Math.min(q.length, column - 1));
  const from = Math.max(0, index - 60);
  const at = String.fromCodePoint(...(index < q.length ? [q.codePointAt(index) ?? 0x20] : [0x20]));
  const end = index + at.length;
  return {
    before: `${from > 0 ? "…" : ""}${q.slice(from, index)}`,
    at,
    after: `${q.slice(end, end + 60)}${q.length > end + 60 ? "…" : ""}`,
  };
};

/** An excerpt cut where its marks begin and end. */
export const markedPieces = (
  text: string,
  marks: readonly (readonly [number, number])[],
): readonly { readonly text: string; readonly isFound: boolean }[] => {
  const pieces: { text: string; isFound: boolean }[] = [];
  let from = 0;
  for (const [begin, end] of marks) {
    pieces.push({ text: text.slice(from, begin), isFound: false }, { text: text.slice(begin, end), isFound: true });
    from = end;
  }
  pieces.push({ text: text.slice(from), isFound: false });
  return pieces.filter((piece) => piece.text !== "");
};

export const whereWords: Readonly<Record<string, string>> = {
  path: "Request line",
  operation: "Operation",
  decision: "Decision",
  error: "Error",
  request: "Request body",
  response: "Response body",
};

export const exportFormatNames = [
  { format: "har", name: "HAR" },
  { format: "jsonl", name: "JSON Lines" },
  { format: "curl", name: "curl script" },
] as const;
