/** One session: who, why, where from, and its calls over time, live while it runs and played back when it is over. */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { CallJson, SessionJson } from "../../contract.ts";
import { CallView } from "./call.tsx";
import { CopyButton } from "./copy.tsx";
import { type Followed, followSession } from "./follow.ts";
import { read, reasonOf } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { AccessMark, StateBadge } from "./marks.tsx";
import { SessionMap } from "./map.tsx";
import { nextWhere } from "./playback.ts";
import { Player, usePlayback } from "./player.tsx";
import { pullOf, textOf } from "./query.ts";
import { Shown } from "./shown.tsx";
import { Waterfall } from "./waterfall.tsx";
import type { WindowHandle } from "./windowed.tsx";
import { duration, moment, number } from "./words.ts";

export function SessionPage({
  id,
  first,
  fail,
}: {
  readonly id: string;
  readonly first: Followed;
  fail(reason: string): void;
}) {
  const [{ session, calls, complete, trouble }, setFollowed] = useState(first);
  const [selected, setSelected] = useState(() => fromHash(first));
  const [tail, setTail] = useState(first.session.state === "open" && location.hash === "");
  const [scale, setScale] = useState<"session" | "view">(first.session.calls > 200 ? "view" : "session");
  const list = useRef<WindowHandle>(null);
  const now = useNow(session.state === "open");
  useEffect(() => followSession({ id, from: first, tell: setFollowed, fail }), [id]);

  const show = useCallback((index: number) => {
    setSelected(index);
    list.current?.show(index);
  }, []);
  const playback = usePlayback(calls, selected, show);
  const select = (index: number): void => {
    sought.current = false;
    playback.pause();
    setTail(false);
    show(index);
  };
  useLayoutEffect(() => {
    const n = calls[selected]?.n;
    // The address follows, so that it can be sent to somebody as it is: at once, for a later change would stop a link that was followed since.
    if (n !== undefined && !playback.playing) history.replaceState(null, "", `#call-${n}`);
  }, [selected, playback.playing]);
  // What the address names may be among the calls that are read later.
  const sought = useRef(selected < 0);
  useEffect(() => {
    if (!sought.current) return;
    const index = fromHash({ calls });
    if (index < 0) return;
    sought.current = false;
    show(index);
  }, [calls]);
  useEffect(() => list.current?.show(selected), []);
  useEffect(() => {
    if (tail && calls.length > 0) list.current?.show(calls.length - 1);
  }, [calls, tail]);

  const open = (index: number): void => location.assign(`/sessions/${id}/calls/${calls[index]?.n ?? 1}`);
  const toDenial = (): void => {
    const next = nextWhere(calls, selected, ({ decision, state }) => decision.effect === "deny" || state === "refused");
    if (next >= 0) select(next);
  };
  const toEnd = (): void => {
    setTail(true);
    list.current?.show(calls.length - 1);
  };
  useKeys({
    j: () => select(Math.min(calls.length - 1, selected + 1)),
    k: () => select(Math.max(0, selected - 1)),
    ".": () => select(Math.min(calls.length - 1, selected + 1)),
    ",": () => select(Math.max(0, selected - 1)),
    n: toDenial,
    e: toEnd,
    " ": playback.toggle,
    Enter: () => selected >= 0 && open(selected),
    Escape: () => {
      sought.current = false;
      playback.pause();
      setSelected(-1);
      history.replaceState(null, "", location.pathname);
    },
  });
  return (
    <>
      <p class="crumbs">
        <a href="/sessions">Sessions</a> / {id}
      </p>
      <Title session={session} />
      <Facts session={session} />
      <Totals session={session} calls={calls.length} now={now} />
      {trouble !== null && (
        <p class="notice" role="status">
          {trouble}
        </p>
      )}
      {calls.length === 0 ? (
        <Nothing session={session} />
      ) : (
        <div class={`panes ${selected >= 0 ? "two" : ""}`}>
          <section class="panel" aria-label="Waterfall">
            <div class="bar-top">
              <Player
                playback={playback}
                toDenial={toDenial}
                step={(by) => select(Math.min(calls.length - 1, Math.max(0, selected + by)))}
              />
              <span class="grow" />
              {session.state === "open" && (
                <button
                  type="button"
                  class="quiet"
                  aria-pressed={tail}
                  onClick={() => (tail ? setTail(false) : toEnd())}
                >
                  Follow
                </button>
              )}
              <button
                type="button"
                class="quiet"
                aria-pressed={scale === "view"}
                title="Bars fill the width for the lines that are seen, not for the whole session"
                onClick={() => setScale(scale === "view" ? "session" : "view")}
              >
                Zoom to lines
              </button>
            </div>
            <Legend />
            <SessionMap calls={calls} selected={selected} select={select} />
            <Waterfall
              calls={calls}
              selected={selected}
              until={playback.playing ? selected : calls.length}
              now={now}
              scale={scale}
              handle={list}
              select={select}
              open={open}
            />
            {!complete && (
              <p class="legend" role="status">
                Reading more: {number(calls.length)} of {number(session.calls)}
              </p>
            )}
          </section>
          {selected >= 0 && (
            <Inspector
              session={id}
              n={calls[selected]?.n ?? 0}
              state={calls[selected]?.state ?? ""}
              quick={playback.playing}
            />
          )}
        </div>
      )}
    </>
  );
}

const fromHash = ({ calls }: Pick<Followed, "calls">): number => {
  const n = Number(/^#call-(\d+)$/.exec(location.hash)?.[1] ?? 0);
  return n === 0 ? -1 : calls.findIndex((call) => call.n === n);
};

/** Moves while something is going on. */
function useNow(moves: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [moves]);
  return now;
}

const Title = ({ session }: { readonly session: SessionJson }) => {
  const repository = textOf(session.caller["repository"]);
  const workflow = textOf(session.caller["workflow"]);
  return (
    <div class="call-title">
      <h1>
        <Shown text={repository === "" ? session.caller.subject : repository} />
        {workflow !== "" && (
          <span class="soft">
            {" "}
            · <Shown text={workflow} />
          </span>
        )}
      </h1>
      <StateBadge state={session.state} />
    </div>
  );
};

/** GitHub's web is where its issuer's runs are; of other issuers nothing is known but their claims. */
const webOf = ({ caller }: SessionJson): string | null => {
  const server = textOf(caller["server_url"]);
  if (/^https:\/\/[\w.-]+$/.test(server)) return server;
  return caller.issuer.startsWith("https://token.actions.githubusercontent.com") ? "https://github.com" : null;
};

function Facts({ session }: { readonly session: SessionJson }) {
  const { caller } = session;
  const [repository, run, attempt, actor, sha] = ["repository", "run_id", "run_attempt", "actor", "sha"].map((name) =>
    textOf(caller[name]),
  ) as [string, string, string, string, string];
  const pull = pullOf(session);
  const web = webOf(session);
  const base = web === null || !/^[\w.-]+\/[\w.-]+$/.test(repository) ? null : `${web}/${repository}`;
  const link = (path: string, text: string) =>
    base === null || !/^[\w./-]*$/.test(path) ? (
      <Shown text={text} />
    ) : (
      <a href={`${base}${path}`} rel="noreferrer">
        <Shown text={text} />
      </a>
    );
  const facts: readonly (readonly [string, preact.ComponentChildren] | null)[] = [
    repository === "" ? ["Caller", <Shown text={caller.subject} />] : ["Repository", link("", repository)],
    pull === null ? null : ["Pull request", link(`/pull/${pull}`, `#${pull}`)],
    run === ""
      ? null
      : [
          "Run",
          link(
            `/actions/runs/${run}${attempt === "" ? "" : `/attempts/${attempt}`}`,
            `${run}${attempt === "" || attempt === "1" ? "" : `, attempt ${attempt}`}`,
          ),
        ],
    actor === "" ? null : ["Started by", <Shown text={actor} />],
    textOf(caller["event_name"]) === "" ? null : ["On", <Shown text={textOf(caller["event_name"])} />],
    sha === "" ? null : ["Commit", link(`/commit/${sha}`, sha.slice(0, 9))],
    ["Connection", <Shown text={session.connection} />],
    ["Opened", <time dateTime={session.opened_at}>{moment(session.opened_at)}</time>],
    [
      "Seal",
      session.seal === null ? (
        "none yet"
      ) : (
        <code title={session.seal.head}>
          {session.seal.head.slice(0, 12)}
          {session.seal.log_index === null ? "" : ` · leaf ${session.seal.log_index}`}
        </code>
      ),
    ],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(
          (fact) =>
            fact !== null && (
              <div key={fact[0]}>
                <dt>{fact[0]}</dt>
                <dd>{fact[1]}</dd>
              </div>
            ),
        )}
      </dl>
      <details>
        <summary>All claims of its identity</summary>
        <dl>
          {Object.entries(caller).map(([name, value]) => (
            <Claim key={name} name={name} value={value} />
          ))}
        </dl>
        <CopyButton what="session id" text={() => session.id} />
      </details>
    </>
  );
}

const Claim = ({ name, value }: { readonly name: string; readonly value: unknown }) => (
  <>
    <dt>
      <Shown text={name} />
    </dt>
    <dd>
      <code>
        <Shown text={typeof value === "string" ? value : JSON.stringify(value)} />
      </code>
    </dd>
  </>
);

const Totals = ({
  session,
  calls,
  now,
}: {
  readonly session: SessionJson;
  readonly calls: number;
  readonly now: number;
}) => (
  <dl class="totals">
    <div>
      <dt>calls</dt>
      <dd>{number(Math.max(session.calls, calls))}</dd>
    </div>
    <div>
      <dt>denied</dt>
      <dd class={session.denied > 0 ? "deny" : ""}>{number(session.denied)}</dd>
    </div>
    <div>
      <dt>approved by people</dt>
      <dd>{number(session.approved)}</dd>
    </div>
    <div>
      <dt>values masked</dt>
      <dd>{number(session.masked)}</dd>
    </div>
    <div>
      <dt>{session.state === "open" ? "running for" : "took"}</dt>
      <dd>
        {duration(
          Math.max(
            0,
            (session.closed_at === null ? now : Date.parse(session.closed_at)) - Date.parse(session.opened_at),
          ),
        )}
      </dd>
    </div>
  </dl>
);

const Legend = () => (
  <div class="legend">
    {(["read", "submit", "write", "destructive", "unknown"] as const).map((access) => (
      <span key={access}>
        <AccessMark access={access} /> {access}
      </span>
    ))}
    <span>
      <i class="bar read allow" /> allowed
    </span>
    <span>
      <i class="bar read approve" /> asked people
    </span>
    <span>
      <i class="bar held" /> held
    </span>
    <span>
      <i class="bar deny" /> denied
    </span>
    <span>
      <i class="bar observe" /> observed
    </span>
  </div>
);

const Nothing = ({ session }: { readonly session: SessionJson }) => (
  <div class="empty">
    <strong>{session.state === "open" ? "No call yet" : "It ended without a call"}</strong>
    {session.state === "open"
      ? "Calls appear here as soon as the agent makes them."
      : "The agent got its session and never asked Datadog for anything: see the log of its job."}
  </div>
);

/** The call that is looked at, beside the list. While a playback hurries, only where it rests is read. */
function Inspector({
  session,
  n,
  state,
  quick,
}: {
  readonly session: string;
  readonly n: number;
  readonly state: string;
  readonly quick: boolean;
}) {
  const [call, setCall] = useState<CallJson | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const path = useMemo(() => `/v1/sessions/${session}/calls/${n}`, [session, n]);
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(
      () =>
        read<CallJson>(path, gone.signal)
          .then((found) => {
            setCall(found);
            setTrouble(null);
          })
          .catch((error: unknown) => !gone.signal.aborted && setTrouble(reasonOf(error))),
      quick ? 250 : 60,
    );
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [path, state, quick]);
  return (
    <aside class="panel inspector" aria-label="The selected call" tabIndex={0}>
      {trouble !== null && <p class="notice">{trouble}</p>}
      {call === null ? <p class="soft">Reading…</p> : <CallView key={call.id} call={call} heading="pane" />}
    </aside>
  );
}
