/** The language of the search box, and which sessions it means: words, `key:value`, quotes, `-` in front of what must not be. */

import type { SessionJson } from "../../contract.ts";

export type Term = { readonly key: string | null; readonly value: string; readonly not: boolean };

/** What the box offers; `values`: where they are known beforehand. */
export const keys: readonly { readonly key: string; readonly what: string; readonly values?: readonly string[] }[] = [
  { key: "repo", what: "repository, acme/app" },
  { key: "actor", what: "who started the run" },
  { key: "workflow", what: "name of the workflow" },
  { key: "pr", what: "number of the pull request" },
  { key: "run", what: "id of the run" },
  { key: "connection", what: "Datadog organization" },
  { key: "state", what: "of the session", values: ["open", "closed", "expired"] },
  { key: "has", what: "what happened in it", values: ["denied", "approved", "masked"] },
  { key: "operation", what: "DeleteMonitor" },
  { key: "access", what: "class of the operation", values: ["read", "write", "destructive", "submit", "unknown"] },
  { key: "decision", what: "what the rules said", values: ["allow", "deny", "approve", "observe"] },
  { key: "status", what: "of the answer, 403 or >=500" },
  { key: "rule", what: "name of a rule" },
  { key: "session", what: "id of a session" },
  { key: "after", what: "2026-11-01" },
  { key: "before", what: "2026-11-30" },
  { key: "duration", what: ">=2s" },
];

/** What a list of sessions can answer by itself; everything else is about calls. */
const ofSessions = new Set([
  "repo",
  "actor",
  "workflow",
  "pr",
  "run",
  "connection",
  "state",
  "has",
  "session",
  "after",
  "before",
]);

export const parseQuery = (text: string): readonly Term[] =>
  [...text.matchAll(/(-?)(?:([a-z_]+):)?(?:"([^"]*)"?|(\S+))/gi)].map(([, minus, key, quoted, bare]) => ({
    key: key?.toLowerCase() ?? null,
    value: quoted ?? bare ?? "",
    not: minus === "-",
  }));

export const isOfSessions = (key: string): boolean => ofSessions.has(key);

/** Whether calls have to be looked through. */
export const isAboutCalls = (terms: readonly Term[]): boolean =>
  terms.some(({ key }) => key !== null && !ofSessions.has(key));

export const matches = (session: SessionJson, terms: readonly Term[]): boolean =>
  terms.every((term) => means(session, term) !== term.not);

function means(session: SessionJson, { key, value }: Term): boolean {
  const claim = (name: string): string => textOf(session.caller[name]);
  const holds = (text: string): boolean => text.toLowerCase().includes(value.toLowerCase());
  switch (key) {
    case null:
      return holds(JSON.stringify(session.caller)) || holds(session.id) || holds(session.connection);
    case "repo":
      return holds(claim("repository"));
    case "actor":
    case "workflow":
      return holds(claim(key));
    case "pr":
      return pullOf(session) === value;
    case "run":
      return claim("run_id") === value;
    case "connection":
      return session.connection === value;
    case "state":
      return session.state === value;
    case "session":
      return session.id.startsWith(value);
    case "has":
      return (
        (value === "denied" && session.denied > 0) ||
        (value === "approved" && session.approved > 0) ||
        (value === "masked" && session.masked > 0)
      );
    case "after":
      return session.opened_at >= value;
    case "before":
      return session.opened_at < value;
    default:
      return false;
  }
}

export const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

/** The number of the pull request whose merge ref the run is of. */
export const pullOf = ({ caller }: Pick<SessionJson, "caller">): string | null =>
  /^refs\/pull\/(\d+)\//.exec(textOf(caller["ref"]))?.[1] ?? null;

/** What the word at the caret could become. `known`: values seen so far, by key. */
export function completionsOf(
  text: string,
  known: ReadonlyMap<string, readonly string[]>,
): readonly { readonly text: string; readonly what: string }[] {
  const word = /\S*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - word.length);
  const minus = word.startsWith("-") ? "-" : "";
  const [key = "", value] = word.slice(minus.length).split(":", 2);
  if (value === undefined)
    return keys
      .filter((one) => one.key.startsWith(key.toLowerCase()))
      .map((one) => ({ text: `${before}${minus}${one.key}:`, what: one.what }));
  const values = keys.find((one) => one.key === key)?.values ?? known.get(key) ?? [];
  return values
    .filter((one) => one.toLowerCase().includes(value.toLowerCase()) && one !== value)
    .slice(0, 12)
    .map((one) => ({ text: `${before}${minus}${key}:${/\s/.test(one) ? `"${one}"` : one} `, what: "" }));
}
