/**
 * Looks for calls: the one place that knows how. Until the gateway answers searches itself, the outlines of the latest sessions are
 * looked through here: names, paths, decisions and answers, but no bodies.
 */

import type { SessionJson } from "../../contract.ts";
import { type GatheredCall, gatherCalls } from "./gather.ts";
import { isAboutCalls, matches, parseQuery, type Term } from "./query.ts";

export type SearchResult = {
  readonly sessions: readonly SessionJson[];
  readonly hits: readonly GatheredCall[];
  /** Calls that were looked at. */
  readonly looked: number;
  readonly more: boolean;
};

/** The newest first. */
export async function searchCalls(query: string, signal: AbortSignal): Promise<SearchResult> {
  const terms = parseQuery(query);
  const gathered = await gatherCalls(signal);
  const hits = gathered.calls.filter((call) => terms.every((term) => means(call, term) !== term.not)).toReversed();
  const sessions = isAboutCalls(terms) ? [] : gathered.sessions.filter((session) => matches(session, terms));
  return { sessions, hits, looked: gathered.calls.length, more: gathered.more };
}

function means({ session, call }: GatheredCall, term: Term): boolean {
  const value = term.value.toLowerCase();
  const took = call.done_at === null ? 0 : Date.parse(call.done_at) - Date.parse(call.received_at);
  switch (term.key) {
    case null:
      return `${call.operation} ${call.method} ${call.host}${call.path}?${call.query} ${call.error_code ?? ""} ${call.decision.rules.join(" ")}`
        .toLowerCase()
        .includes(value);
    case "operation":
      return call.operation.toLowerCase().includes(value);
    case "access":
      return call.access === value;
    case "decision":
      return call.decision.effect === value;
    case "rule":
      return call.decision.rules.some((rule) => rule.toLowerCase() === value);
    case "status":
      return call.status !== null && isInRange(call.status, value);
    case "duration":
      return isInRange(took, value);
    default:
      return matches(session, [{ ...term, not: false }]);
  }
}

/** `403`, `>=500`, `400..499`, `>2s`. */
export function isInRange(number: number, range: string): boolean {
  const [from, to] = range.split("..", 2);
  if (to !== undefined) return number >= valueOf(from ?? "") && number <= valueOf(to);
  const [, sign = "=", text = ""] = /^(>=|<=|>|<)?(.*)$/.exec(range) ?? [];
  const value = valueOf(text);
  if (sign === ">=") return number >= value;
  if (sign === "<=") return number <= value;
  if (sign === ">") return number > value;
  return sign === "<" ? number < value : number === value;
}

function valueOf(text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * (unit === "s" ? 1_000 : unit === "m" ? 60_000 : 1);
}
