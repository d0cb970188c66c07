/** The calls of a session over time: played back, followed, or one of them chosen. */

import { useState } from "preact/hooks";
import type { Followed } from "./follow.ts";
import { Legend } from "./legend.tsx";
import { SessionMap } from "./map.tsx";
import { Player } from "./player.tsx";
import type { Selection } from "./selection.ts";
import { Waterfall } from "./waterfall.tsx";
import { number } from "./words.ts";

export type CallsPanelProps = Pick<Followed, "session" | "calls" | "complete"> & {
  readonly selection: Selection;
  readonly now: number;
  open(index: number): void;
};

/** Of more calls than this only those that are seen fill the width, until somebody wants it otherwise. */
const mostAtOnce = 200;

export function CallsPanel({ session, calls, complete, selection, now, open }: CallsPanelProps) {
  const { selected, list, playback, tail } = selection;
  const [scale, setScale] = useState<"session" | "view">(session.calls > mostAtOnce ? "view" : "session");
  return (
    <section class="panel" aria-label="Waterfall">
      <div class="bar-top">
        <Player playback={playback} toDenial={selection.toDenial} step={selection.step} />
        <span class="grow" />
        {session.state === "open" && (
          <button type="button" class="quiet" aria-pressed={tail} onClick={tail ? selection.stay : selection.toEnd}>
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
      <SessionMap calls={calls} selected={selected} select={selection.select} />
      <Waterfall
        calls={calls}
        selected={selected}
        until={playback.playing ? selected : calls.length}
        now={now}
        scale={scale}
        handle={list}
        select={selection.select}
        open={open}
      />
      {!complete && (
        <p class="legend" role="status">
          Reading more: {number(calls.length)} of {number(session.calls)}
        </p>
      )}
    </section>
  );
}
