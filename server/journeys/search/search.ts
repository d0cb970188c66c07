/** Searches what was recorded: reads the question, asks the index where to look, looks, and cuts out what was found. */

import { type ApiRefusal, isApiRefusal, refuseApi } from "../../errors.ts";
import type { Place, Scope, SearchedCall } from "../../model/searched.ts";
import type { MaskKeys } from "../../stages/mask/token/keys.ts";
import type { CallSearch } from "../../store/search/find.ts";
import { type HistoryParts, type Page, type PageRequest, type Reader, scopeOf, stillSeen, viewed } from "../history.ts";
import { type Excerpt, excerptsOf } from "./excerpt.ts";
import { isQueryProblem, type Query, readQuery } from "./language.ts";
import { Looked, looksAtTexts, matches, timesOf, wantedOf } from "./match.ts";
import { readPlace, writePlace } from "./place.ts";
import { openPlace, sealPlace } from "./sealedPlace.ts";

export type SearchParts = Pick<HistoryParts, "auditFirst" | "visible"> & {
  readonly maskKeys: MaskKeys;
  readonly callSearch: CallSearch;
  now(): Date;
};

export type Hit = SearchedCall & { readonly excerpts: readonly Excerpt[] };

/** Newest first. A page may be short, or empty, although there is a next one: then the time for it was over. */
export async function searchCalls(
  parts: SearchParts,
  reader: Reader,
  { q, ...page }: PageRequest & { readonly q: string },
): Promise<Page<Hit> | ApiRefusal> {
  const scope = await scopeOf(parts, reader);
  if (isApiRefusal(scope)) return scope;
  const query = readQuery(q, parts.now());
  if (isQueryProblem(query)) return refuseApi("request_malformed", `q, column ${query.column}: ${query.message}`);
  // Places count the calls of everybody: whoever does not see all of them is given what tells nothing.
  const sealed = scope.kind === "everything" ? null : parts.maskKeys;
  const after = sealed === null ? readPlace(page.cursor) : openPlace(sealed, page.cursor);
  if (after !== null && isApiRefusal(after)) return after;
  const next = await findPage(parts, { query, scope, after, limit: page.limit });
  const found = {
    items: await stillSeen(parts, reader, next.items),
    next_cursor: sealed === null ? next.next_cursor : sealPlace(sealed, next.next_cursor),
  };
  // What was asked may be what somebody should not have pasted: how much was found is enough.
  await viewed(parts, reader, `a search, ${found.items.length} calls`);
  return found;
}

type PageOf = { readonly query: Query; readonly scope: Scope; readonly after: Place | null; readonly limit: number };

/** @throws GatewayError */
export async function findPage(
  { callSearch }: Pick<SearchParts, "callSearch">,
  { query, scope, after, limit }: PageOf,
): Promise<Page<Hit>> {
  if (scope.kind === "repositories" && scope.repositories.length === 0) return { items: [], next_cursor: null };
  const hits: { readonly hit: Hit; readonly place: Place }[] = [];
  const request = {
    wanted: wantedOf(query),
    scope,
    withTexts: looksAtTexts(query),
    ...timesOf(query),
    after,
    atOnce: limit + 1,
  };
  const stopped = await callSearch.search(request, (searched, place) => {
    const looked = new Looked(searched);
    if (matches(query, looked)) {
      const { request: _, response: __, ...shown } = searched;
      hits.push({ hit: { ...shown, excerpts: excerptsOf(query, looked) }, place });
    }
    return hits.length > limit;
  });
  const shown = hits.slice(0, limit);
  const end = hits.length > limit ? (shown.at(-1)?.place ?? null) : stopped;
  return { items: shown.map(({ hit }) => hit), next_cursor: end === null ? null : writePlace(end) };
}
