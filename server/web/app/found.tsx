/** What a search through the calls found. */

import { useEffect, useState } from "preact/hooks";
import { reasonOf } from "./gateway.ts";
import { AccessMark, EffectBadge } from "./marks.tsx";
import { cut } from "./pieces.ts";
import { type SearchResult, searchCalls } from "./search.ts";
import { repositoryOf } from "./tallies.ts";
import { Shown } from "./shown.tsx";
import { ago, plural, shortName } from "./words.ts";

const mostShown = 200;

export function Found({ query }: { readonly query: string }) {
  const [result, setResult] = useState<SearchResult | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    setResult(null);
    setTrouble(null);
    searchCalls(query, gone.signal)
      .then(setResult)
      .catch((error: unknown) => !gone.signal.aborted && setTrouble(reasonOf(error)));
    return () => gone.abort();
  }, [query]);
  if (trouble !== null)
    return (
      <p class="notice" role="status">
        {trouble}
      </p>
    );
  if (result === null)
    return (
      <p class="soft" role="status">
        Looking through the calls…
      </p>
    );
  const { hits, sessions, looked, more } = result;
  return (
    <section aria-label="Calls that were found" class="found">
      <p class="soft" role="status">
        {plural(hits.length, "call")} of {plural(looked, "call")} that were looked at
        {more ? "; older ones were not" : ""}.{hits.length > mostShown && ` The newest ${mostShown} are shown.`}
      </p>
      {sessions.length > 0 && (
        <p>
          Sessions:{" "}
          {sessions.slice(0, 10).map(({ id }) => (
            <a key={id} href={`/sessions/${id}`}>
              {id.slice(0, 13)}…{" "}
            </a>
          ))}
        </p>
      )}
      {hits.length === 0 ? (
        <div class="empty">
          <strong>No call is meant</strong>
          Names, paths, decisions and answers are looked at, no bodies. Take a word out of the search, or look in one
          session.
        </div>
      ) : (
        <ul class="list">
          {hits.slice(0, mostShown).map((hit) => {
            const { session, call } = hit;
            return (
              <li key={`${session.id}/${call.n}`}>
                <a class="session" href={`/sessions/${session.id}/calls/${call.n}`}>
                  <span class="title">
                    <AccessMark access={call.access} /> {shortName(call.operation)}{" "}
                    <EffectBadge effect={call.decision.effect} />
                  </span>
                  <span class="numbers">{call.status ?? call.state}</span>
                  <span class="detail">
                    <Shown text={`${repositoryOf(hit)} · `} />
                    <code>
                      <Shown text={cut(`${call.method} ${call.path}`, 300)} />
                    </code>
                  </span>
                  <span class="numbers">
                    <span class="soft">{ago(call.received_at, Date.now())}</span>
                  </span>
                </a>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
