/** What is known of a session's calls, and what a stream of events adds to it: each call once, as it was told last, in order. */

import type { CallJson, OutlinedCallJson } from "../../contract.ts";

export type Calls = readonly OutlinedCallJson[];

/** Open calls that one Last-Event-ID names: with more of them new calls would wait until one has ended. */
const mostOpen = 50;

/** The Last-Event-ID of somebody who knows these calls: a stream goes on with ends of those that are open, then with new ones. */
export function toldOf(calls: Calls): string {
  const open = calls.filter(({ state }) => state === "open");
  const first = open[mostOpen];
  // What follows the first that is not named is told again.
  const last = first === undefined ? (calls.at(-1)?.n ?? 0) : first.n - 1;
  const named = open.slice(0, mostOpen).map(({ n }) => n);
  return named.length === 0 ? String(last) : `${last}-${named.join(".")}`;
}

/** News may come twice, and late: a call that has ended does not begin again. */
export function withNews(calls: Calls, news: Calls): Calls {
  if (news.length === 0) return calls;
  const all = [...calls];
  for (const call of news) {
    const at = placeOf(all, call.n);
    const known = all[at];
    if (known?.n !== call.n) all.splice(at, 0, call);
    else if (call.state !== "open" || known.state === "open") all[at] = call;
  }
  return all;
}

/** Of the first whose number is not lower. */
function placeOf(calls: Calls, n: number): number {
  let low = 0;
  let high = calls.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((calls[middle]?.n ?? 0) < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A call of an event as outlines have it. */
export const outlinedOf = (call: CallJson): OutlinedCallJson => ({
  n: call.n,
  operation: call.operation,
  access: call.access,
  method: call.method,
  host: call.host,
  path: call.path,
  query: call.query,
  state: call.state,
  approval_id: call.approval_id,
  status: call.status,
  error_code: call.error_code,
  received_at: call.received_at,
  decided_at: call.decided_at,
  forwarded_at: call.forwarded_at,
  first_byte_at: call.first_byte_at,
  done_at: call.done_at,
  decision: { effect: call.decision.effect, rules: call.decision.rules.map(({ name }) => name) },
});
