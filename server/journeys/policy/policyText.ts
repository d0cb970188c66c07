/** Writes rules as a policy text that people edit: the `policy:` block of dogwatch.yaml from which the same rules come again. */

import { stringify } from "yaml";

type Members = Readonly<Record<string, unknown>>;

/** The rules as their digest is made of them: of a policy in force, or of one that was kept. */
export type Rules = { readonly observe: boolean; readonly rules: readonly Members[] };

/** In the order in which people write them; what a rule has beside these follows. */
const order = ["name", "effect", "callers", "operations", "when", "during", "outside", "limit", "phase", "observe"];

export function writePolicy({ observe, rules }: Rules): string {
  const policy = { ...(observe && { observe }), rules: rules.map(ruleOf) };
  // Long conditions stay on their line, so that a column of a problem is the column that people see.
  return stringify({ policy }, { lineWidth: 0, defaultStringType: "PLAIN", version: "1.2" });
}

const ruleOf = (rule: Members): Members => {
  const written = Object.entries(rule).flatMap(([key, value]): (readonly [string, unknown])[] => {
    const text = asWritten(key, value);
    return text === undefined ? [] : [[key, text]];
  });
  const place = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(written.toSorted(([a], [b]) => place(a) - place(b)));
};

/** Undefined for what a rule says when it says nothing. */
function asWritten(key: string, value: unknown): unknown {
  switch (key) {
    case "when":
      return value === "true" ? undefined : value;
    case "phase":
      return value === "request" ? undefined : value;
    case "observe":
      return value === false ? undefined : value;
    case "callers":
      return Array.isArray(value) && value.length === 1 ? value[0] : value;
    case "operations":
      return Array.isArray(value) ? value.map(operationOf) : value;
    case "during":
    case "outside":
      return Array.isArray(value) ? value.map(windowOf) : value;
    case "limit":
      return isMembers(value) ? `${String(value["count"])}/${String(value["per"])}` : value;
    case "expires":
      return durationOf(value);
    case "grants":
      return isMembers(value) ? grantsOf(value) : value;
    default:
      return value;
  }
}

/** A word where it says the same: a class, a name, an id. */
const operationOf = (operation: unknown): unknown => {
  if (!isMembers(operation)) return operation;
  const [[key, words] = ["", null], ...others] = Object.entries(operation);
  const [word, ...more] = Array.isArray(words) ? (words as readonly unknown[]) : [];
  if (others.length > 0 || more.length > 0 || typeof word !== "string") return operation;
  return key === kindOfWord(word) ? word : operation;
};

/** As the configuration reads a word: server/config/rule.ts. */
const kindOfWord = (word: string): string => {
  if (/^(read|write|destructive|submit|unknown)$/.test(word)) return "access";
  if (word.includes(".")) return "id";
  return word.endsWith("Api") ? "api" : "name";
};

const windowOf = (window: unknown): unknown => {
  if (!isMembers(window)) return window;
  const { hours } = window;
  return isMembers(hours) ? { ...window, hours: `${String(hours["from"])}-${String(hours["until"])}` } : window;
};

const grantsOf = ({ session, longest }: Members): unknown => {
  const ways = [...(session === true ? ["session"] : []), ...(longest === null ? [] : [durationOf(longest)])];
  return ways.length === 0 ? false : ways;
};

const units = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

const durationOf = (ms: unknown): unknown => {
  if (typeof ms !== "number") return ms;
  const unit = units.find(([, length]) => ms % length === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
};

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
