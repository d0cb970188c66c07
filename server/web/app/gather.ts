/** Calls of the latest sessions, as many as a page looks through: for what the gateway has no question of its own. */

import type { OutlinedCallJson, OutlineJson, SessionJson } from "../../contract.ts";
import { read } from "./gateway.ts";

export type GatheredCall = { readonly session: SessionJson; readonly call: OutlinedCallJson };

export type Gathered = {
  readonly sessions: readonly SessionJson[];
  readonly calls: readonly GatheredCall[];
  /** Whether there is more than was looked at. */
  readonly more: boolean;
};

/** Sessions and calls that one page looks through. */
const mostSessions = 40;
const mostCalls = 10_000;
/** Sessions that are read at a time. */
const abreast = 4;

export async function gatherCalls(signal: AbortSignal): Promise<Gathered> {
  const { items: sessions, next_cursor } = await read<{ items: readonly SessionJson[]; next_cursor: string | null }>(
    `/v1/sessions?limit=${mostSessions}`,
    signal,
  );
  const calls: GatheredCall[] = [];
  let more = next_cursor !== null;
  for (let at = 0; at < sessions.length; at += abreast) {
    if (calls.length >= mostCalls) return { sessions: sessions.slice(0, at), calls, more: true };
    const found = await Promise.all(sessions.slice(at, at + abreast).map((session) => callsOf(session, signal)));
    for (const { items, rest } of found) {
      calls.push(...items);
      more ||= rest;
    }
  }
  return { sessions, calls, more };
}

/** Of a very long session, what may be looked at by itself. */
async function callsOf(
  session: SessionJson,
  signal: AbortSignal,
): Promise<{ readonly items: readonly GatheredCall[]; readonly rest: boolean }> {
  const items: GatheredCall[] = [];
  for (let after = 0; items.length < mostCalls; ) {
    const found = await read<OutlineJson>(`/v1/sessions/${session.id}/outline?after=${after}`, signal);
    items.push(...found.items.map((call) => ({ session, call })));
    if (!found.more) return { items, rest: false };
    after = found.items.at(-1)?.n ?? after;
  }
  return { items, rest: true };
}
