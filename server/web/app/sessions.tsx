/** All sessions, newest first, live, or those of one kind; the box leads to the search page. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { SessionJson } from "../../contract.ts";
import { read, reasonOf } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { StateBadge } from "./marks.tsx";
import { pullOf, textOf } from "./claims.ts";
import { SearchBox } from "./searchBox.tsx";
import { Shown } from "./shown.tsx";
import { ago, moment, number, plural } from "./words.ts";

export type SessionsPageJson = { readonly items: readonly SessionJson[]; readonly next_cursor: string | null };

/** Between two looks for new ones, ms. */
const every = 5_000;

export function SessionsPage({ first }: { readonly first: SessionsPageJson }) {
  const [{ items, next_cursor }, setPage] = useState(first);
  const [show] = useState(() => new URLSearchParams(location.search).get("show") ?? "");
  const [chosen, setChosen] = useState(-1);
  const [trouble, setTrouble] = useState<string | null>(null);
  const shown = useMemo(() => items.filter((session) => isShown(session, show)), [items, show]);

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
  const move = (by: number): void => {
    const next = Math.min(shown.length - 1, Math.max(0, chosen + by));
    setChosen(next);
    document.querySelectorAll<HTMLElement>(".list .session")[next]?.focus();
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  return (
    <>
      <h1>Sessions</h1>
      <SearchBox query="" wrong={null} />
      <Kinds show={show} />
      {trouble !== null && (
        <p class="notice" role="status">
          {trouble}
        </p>
      )}
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
  );
}

const kinds: readonly { readonly show: string; readonly name: string; is(session: SessionJson): boolean }[] = [
  { show: "", name: "All", is: () => true },
  { show: "running", name: "Running", is: ({ state }) => state === "open" },
  { show: "denied", name: "With denials", is: ({ denied }) => denied > 0 },
  { show: "asked", name: "Asked people", is: ({ approved }) => approved > 0 },
];

const isShown = (session: SessionJson, show: string): boolean =>
  kinds.find((kind) => kind.show === show)?.is(session) ?? true;

const Kinds = ({ show }: { readonly show: string }) => (
  <ul class="chips" aria-label="Kinds of sessions">
    {kinds.map((kind) => (
      <li key={kind.show}>
        <a
          class="chip"
          href={kind.show === "" ? "/sessions" : `/sessions?show=${kind.show}`}
          aria-current={kind.show === show ? "true" : undefined}
        >
          {kind.name}
        </a>
      </li>
    ))}
  </ul>
);

/** Each once, as it was seen last, newest first: ids sort by time. */
const merged = (newer: readonly SessionJson[], older: readonly SessionJson[]): readonly SessionJson[] =>
  [...new Map([...older, ...newer].map((session) => [session.id, session])).values()].toSorted((a, b) =>
    a.id < b.id ? 1 : -1,
  );

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
      <strong>No session of this kind</strong>
      {more ? "There are older sessions: show them below." : "The others are under All."}
    </div>
  ) : (
    <div class="empty">
      <strong>No session yet</strong>
      An agent opens one with <code>POST /v1/token</code>; in CI the Dogwatch Action does. It appears here by itself.
    </div>
  );
