/** All sessions, newest first, live; with a search whose address is the search. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { SessionJson } from "../../contract.ts";
import { read, reasonOf } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { StateBadge } from "./marks.tsx";
import { isOfSessions, matches, parseQuery, pullOf, textOf } from "./query.ts";
import { SavedSearches } from "./saved.tsx";
import { SearchBox } from "./searchBox.tsx";
import { Found } from "./found.tsx";
import { Shown } from "./shown.tsx";
import { ago, moment, number, plural } from "./words.ts";

export type SessionsPageJson = { readonly items: readonly SessionJson[]; readonly next_cursor: string | null };

/** Between two looks for new ones, ms. */
const every = 5_000;

export function SessionsPage({ first }: { readonly first: SessionsPageJson }) {
  const [{ items, next_cursor }, setPage] = useState(first);
  const [query, setQuery] = useState(() => new URLSearchParams(location.search).get("q") ?? "");
  const [chosen, setChosen] = useState(-1);
  const [trouble, setTrouble] = useState<string | null>(null);
  const terms = useMemo(() => parseQuery(query), [query]);
  const shown = useMemo(
    () =>
      items.filter((session) =>
        matches(
          session,
          terms.filter(({ key }) => key !== null && isOfSessions(key)),
        ),
      ),
    [items, terms],
  );

  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState !== "visible") return;
      read<SessionsPageJson>("/v1/sessions?limit=50")
        .then((newest) => {
          setPage((page) => ({ ...page, items: merged(newest.items, page.items) }));
          setTrouble(null);
        })
        .catch((error: unknown) => setTrouble(reasonOf(error)));
    }, every);
    return () => clearInterval(timer);
  }, []);
  const more = async (): Promise<void> => {
    try {
      const older = await read<SessionsPageJson>(
        `/v1/sessions?limit=200&cursor=${encodeURIComponent(next_cursor ?? "")}`,
      );
      setPage((page) => ({ items: merged(page.items, older.items), next_cursor: older.next_cursor }));
    } catch (error) {
      setTrouble(reasonOf(error));
    }
  };
  const search = (text: string): void => {
    setQuery(text);
    history.replaceState(null, "", text === "" ? "/sessions" : `/sessions?q=${encodeURIComponent(text)}`);
  };
  const move = (by: number): void => {
    const next = Math.min(shown.length - 1, Math.max(0, chosen + by));
    setChosen(next);
    document.querySelectorAll<HTMLElement>(".list .session")[next]?.focus();
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  const isSearch = terms.some(({ key }) => key === null || !isOfSessions(key));
  return (
    <>
      <h1>Sessions</h1>
      <SearchBox query={query} known={knownValues(items)} search={search} />
      <SavedSearches query={query} />
      {trouble !== null && (
        <p class="notice" role="status">
          {trouble}
        </p>
      )}
      {isSearch && <Found query={query} />}
      {!isSearch && (
        <>
          {shown.length === 0 ? (
            <Nothing any={items.length > 0} more={next_cursor !== null} />
          ) : (
            <ul class="list">
              {shown.map((session) => (
                <Item key={session.id} session={session} />
              ))}
            </ul>
          )}
          {next_cursor !== null && (
            <p>
              <button type="button" class="quiet" onClick={() => void more()}>
                Older sessions
              </button>{" "}
              <span class="soft">{plural(items.length, "session")} so far</span>
            </p>
          )}
        </>
      )}
    </>
  );
}

/** Each once, as it was seen last, newest first: ids sort by time. */
const merged = (newer: readonly SessionJson[], older: readonly SessionJson[]): readonly SessionJson[] =>
  [...new Map([...older, ...newer].map((session) => [session.id, session])).values()].toSorted((a, b) =>
    a.id < b.id ? 1 : -1,
  );

function knownValues(sessions: readonly SessionJson[]): ReadonlyMap<string, readonly string[]> {
  const of = (pick: (session: SessionJson) => string | null): readonly string[] =>
    [...new Set(sessions.map(pick).filter((value) => value !== null && value !== ""))] as string[];
  return new Map([
    ["repo", of(({ caller }) => textOf(caller["repository"]))],
    ["actor", of(({ caller }) => textOf(caller["actor"]))],
    ["workflow", of(({ caller }) => textOf(caller["workflow"]))],
    ["run", of(({ caller }) => textOf(caller["run_id"]))],
    ["pr", of(pullOf)],
    ["connection", of(({ connection }) => connection)],
  ]);
}

const Item = ({ session }: { readonly session: SessionJson }) => {
  const { caller } = session;
  const [repository, workflow, actor, run] = ["repository", "workflow", "actor", "run_id"].map((name) =>
    textOf(caller[name]),
  ) as [string, string, string, string];
  const pull = pullOf(session);
  const details = [
    workflow,
    pull === null ? "" : `pull request ${pull}`,
    actor === "" ? "" : `by ${actor}`,
    run === "" ? "" : `run ${run}`,
    session.connection,
  ].filter((detail) => detail !== "");
  return (
    <li>
      <a class="session" href={`/sessions/${session.id}`}>
        <span class="title">
          <Shown text={repository === "" ? caller.subject : repository} />
          <StateBadge state={session.state} />
          {session.denied > 0 && (
            <span class="badge deny">
              <span aria-hidden="true">✕</span>
              {number(session.denied)} denied
            </span>
          )}
          {session.approved > 0 && (
            <span class="badge allow">
              <span aria-hidden="true">✓</span>
              {number(session.approved)} approved
            </span>
          )}
        </span>
        <span class="numbers">{plural(session.calls, "call")}</span>
        <span class="detail">
          <Shown text={details.join(" · ")} />
        </span>
        <span class="numbers">
          <time class="soft" dateTime={session.opened_at} title={moment(session.opened_at)}>
            {ago(session.opened_at, Date.now())}
          </time>
        </span>
      </a>
    </li>
  );
};

const Nothing = ({ any, more }: { readonly any: boolean; readonly more: boolean }) =>
  any ? (
    <div class="empty">
      <strong>No session of these is meant</strong>
      {more
        ? "There are older ones: show them below, or take a word out of the search."
        : "Take a word out of the search."}
    </div>
  ) : (
    <div class="empty">
      <strong>No session yet</strong>
      An agent opens one with <code>POST /v1/token</code>; in CI the Dogwatch Action does. It appears here by itself.
    </div>
  );
