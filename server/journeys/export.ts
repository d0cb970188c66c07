/** Recordings to take along: the calls of a session, or what a search finds, with their bodies, one after the other. */

import { type ApiRefusal, isApiRefusal, refuseApi } from "../errors.ts";
import type { Place } from "../model/searched.ts";
import type { StoredCall } from "../model/receipt.ts";
import { everyCall } from "./everyCall.ts";
import {
  type HistoryParts,
  inCall,
  noSession,
  type ReadCall,
  type Reader,
  scopeOf,
  seesEverything,
  seesSession,
  stillSeen,
  stillSees,
  viewed,
  withBodies,
} from "./history.ts";
import { isQueryProblem, readQuery } from "./search/language.ts";
import { findPage, type SearchParts } from "./search/search.ts";
import { readPlace } from "./search/place.ts";
import { type Taking, whileAllowed } from "./export/whileAllowed.ts";

export type ExportParts = HistoryParts & SearchParts & { monotonic(): number };

/** Calls that are in memory at a time, at most; their bodies one call at a time. */
const atOnce = 50;

/** In their order. What goes wrong on the way rejects: half an export must not pass for one. */
export async function exportSession(
  parts: ExportParts,
  reader: Reader,
  { id, readerNow }: Taking & { readonly id: string },
): Promise<AsyncIterable<ReadCall> | ApiRefusal> {
  // Bodies are for people: a session reads none, not even its own.
  const refusal = reader.kind === "session" ? seesEverything(reader) : await seesSession(parts, reader, id);
  if (refusal !== null) return refusal;
  if ((await parts.sessions.get(id)) === null) return noSession(id);
  await viewed(parts, reader, `session ${id}, an export`);
  const { monotonic } = parts;
  const mayStill = stillSees(parts, readerNow, id);
  return whileAllowed(withAllBodies(parts, reader, everyCall(parts, id, atOnce)), { mayStill, monotonic });
}

/** The newest first. */
export async function exportSearch(
  parts: ExportParts,
  reader: Reader,
  { q, readerNow }: Taking & { readonly q: string },
): Promise<AsyncIterable<ReadCall> | ApiRefusal> {
  const scope = await scopeOf(parts, reader);
  if (isApiRefusal(scope)) return scope;
  const query = readQuery(q, parts.now());
  if (isQueryProblem(query)) return refuseApi("request_malformed", `q, column ${query.column}: ${query.message}`);
  await viewed(parts, reader, "a search, an export");
  const found = async function* (): AsyncGenerator<StoredCall> {
    for (let after: Place | null = null; ; ) {
      const page = await findPage(parts, { query, scope, after, limit: atOnce });
      for (const { call } of await stillSeen(parts, reader, page.items)) yield call;
      const next = page.next_cursor === null ? null : readPlace(page.next_cursor);
      if (next === null || isApiRefusal(next)) return;
      after = next;
    }
  };
  // Of some repositories, GitHub is asked about what each page found.
  const mayStill = async (): Promise<boolean> => {
    const now = await readerNow();
    return !isApiRefusal(now) && (scope.kind === "repositories" || seesEverything(now) === null);
  };
  const { monotonic } = parts;
  return whileAllowed(withAllBodies(parts, reader, found()), { mayStill, monotonic });
}

async function* withAllBodies(
  parts: ExportParts,
  reader: Reader,
  calls: AsyncIterable<StoredCall>,
): AsyncGenerator<ReadCall> {
  for await (const call of calls) yield withBodies(parts, reader, [call, inCall]);
}
