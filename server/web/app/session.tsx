/** One session: who, why, where from, and its calls over time, live while it runs and played back when it is over. */

import { useEffect, useState } from "preact/hooks";
import type { SessionJson } from "../../contract.ts";
import { CallsPanel } from "./callsPanel.tsx";
import { Exports, type Provable } from "./exports.tsx";
import { Facts, Title } from "./facts.tsx";
import { type Followed, followSession } from "./follow.ts";
import { Inspector } from "./inspector.tsx";
import { useKeys } from "./keys.ts";
import { useSelection } from "./selection.ts";
import { Totals } from "./totals.tsx";

export type SessionPageProps = { readonly id: string; readonly first: Followed; readonly provable: Provable };

export function SessionPage({ id, first, provable }: SessionPageProps) {
  const [{ session, calls, complete, trouble }, setFollowed] = useState(first);
  const selection = useSelection({ session, calls });
  const { selected, playback } = selection;
  const now = useNow(session.state === "open");
  useEffect(() => followSession({ id, from: first, tell: setFollowed }), [id]);
  const open = (index: number): void => location.assign(`/sessions/${id}/calls/${calls[index]?.n ?? 1}`);
  useKeys({
    j: () => selection.step(1),
    k: () => selection.step(-1),
    ".": () => selection.step(1),
    ",": () => selection.step(-1),
    n: selection.toDenial,
    e: selection.toEnd,
    " ": playback.toggle,
    Enter: () => selected >= 0 && open(selected),
    Escape: selection.none,
  });
  return (
    <>
      <p class="crumbs">
        <a href="/sessions">Sessions</a> / {id}
      </p>
      <Title session={session} />
      <Facts session={session} />
      <Exports session={session} provable={provable} />
      <p class="errands">
        <a class="button quiet" href={`/sessions/${id}/replays`}>
          Replay…
        </a>{" "}
        <a class="button quiet" href={`/sessions/${id}/undo`}>
          Undo…
        </a>
      </p>
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
          <CallsPanel session={session} calls={calls} complete={complete} selection={selection} now={now} open={open} />
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

const Nothing = ({ session }: { readonly session: SessionJson }) => (
  <div class="empty">
    <strong>{session.state === "open" ? "No call yet" : "It ended without a call"}</strong>
    {session.state === "open"
      ? "Calls appear here as soon as the agent makes them."
      : "The agent got its session and never asked Datadog for anything: see the log of its job."}
  </div>
);
