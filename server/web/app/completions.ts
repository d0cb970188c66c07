/** What the word at the end of a search could become: names of fields, and values that are known or were seen by whoever searches. */

import type { SearchHitJson, SessionJson } from "../../contract.ts";
import { pullOf, textOf } from "./claims.ts";
import { shortName } from "./words.ts";

type Field = { readonly field: string; readonly what: string; readonly values?: readonly string[] };

/** As docs/search.md has them; `values`: where they are known beforehand. */
const fields: readonly Field[] = [
  { field: "repo", what: "repository, acme/app" },
  { field: "operation", what: "DeleteMonitor, or Delete*" },
  { field: "access", what: "class of the operation", values: ["read", "write", "destructive", "submit", "unknown"] },
  { field: "decision", what: "what the rules said", values: ["allow", "deny", "approve", "observe"] },
  { field: "status", what: "404, 4xx, >=400, 400..499", values: ["2xx", "4xx", "5xx", ">=400"] },
  { field: "rule", what: "named by the decision" },
  { field: "actor", what: "who started the run" },
  { field: "pr", what: "number of the pull request" },
  { field: "run", what: "id of the run" },
  { field: "connection", what: "Datadog organization" },
  { field: "session", what: "id of a session" },
  { field: "after", what: "1d ago, or 2026-11-01", values: ["1h", "1d", "7d", "30d"] },
  { field: "before", what: "1d ago, or 2026-11-30", values: ["1h", "1d", "7d", "30d"] },
  { field: "duration", what: ">1s, 100ms..2s", values: [">1s", ">10s", "<100ms"] },
  { field: "word", what: "a whole word" },
];

export type Known = ReadonlyMap<string, readonly string[]>;

/** Values by field, of what whoever looks was shown. */
export function knownIn(sessions: readonly SessionJson[], hits: readonly SearchHitJson[]): Known {
  const values = new Map<string, Set<string>>();
  const note = (field: string, value: string | null): void => {
    // What cannot be typed cannot be searched for.
    if (value === null || value === "" || /\p{Cc}/u.test(value)) return;
    values.set(field, (values.get(field) ?? new Set()).add(value));
  };
  for (const session of sessions) {
    note("repo", textOf(session.caller["repository"]));
    note("actor", textOf(session.caller["actor"]));
    note("run", textOf(session.caller["run_id"]));
    note("pr", pullOf(session));
    note("connection", session.connection);
  }
  for (const hit of hits) {
    note("repo", hit.repository);
    note("connection", hit.connection);
    note("operation", shortName(hit.operation));
    for (const { name } of hit.decision.rules) note("rule", name);
  }
  return new Map([...values].map(([field, found]) => [field, [...found]]));
}

/** `text`: the whole search with it; `shown`: what is new. */
export type Completion = { readonly text: string; readonly shown: string; readonly what: string };

const most = 12;

export function completionsOf(text: string, known: Known): readonly Completion[] {
  // Between quotes anything may stand.
  if ((text.replaceAll(/\\["\\]/g, "").split('"').length - 1) % 2 === 1) return [];
  const word = /[^\s()]*$/.exec(text)?.[0] ?? "";
  const minus = word.startsWith("-") ? "-" : "";
  const before = `${text.slice(0, text.length - word.length)}${minus}`;
  const [name = "", value] = word.slice(minus.length).split(/:(.*)/s, 2);
  if (word.includes('"')) return [];
  if (value === undefined)
    return fields
      .filter(({ field }) => field.startsWith(name.toLowerCase()))
      .map(({ field, what }) => ({ text: `${before}${field}:`, shown: `${minus}${field}:`, what }));
  const values =
    fields.find(({ field }) => field === name.toLowerCase())?.values ?? known.get(name.toLowerCase()) ?? [];
  return values
    .filter((one) => one.toLowerCase().includes(value.toLowerCase()) && one !== value)
    .slice(0, most)
    .map((one) => ({ text: `${before}${name}:${quoted(one)} `, shown: `${minus}${name}:${quoted(one)}`, what: "" }));
}

const quoted = (value: string): string =>
  /[\s()"]/.test(value) ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : value;
