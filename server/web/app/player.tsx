/** Plays a session back: the calls come one after the other as they came then, faster or slower. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { OutlinedCallJson } from "../../contract.ts";
import { callAt, scheduleOf } from "./playback.ts";
import { duration } from "./words.ts";

export type Playback = {
  readonly playing: boolean;
  readonly speed: number;
  /** ms of the playback, of all. */
  readonly at: number;
  readonly length: number;
  toggle(): void;
  pause(): void;
  faster(speed: number): void;
};

export function usePlayback(
  calls: readonly OutlinedCallJson[],
  selected: number,
  show: (index: number) => void,
): Playback {
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const schedule = useMemo(() => scheduleOf(calls.map(({ received_at }) => Date.parse(received_at))), [calls]);
  const latest = useRef({ schedule, selected, show });
  latest.current = { schedule, selected, show };
  useEffect(() => {
    if (!playing) return undefined;
    let time = latest.current.schedule[latest.current.selected] ?? 0;
    let before = performance.now();
    let frame = requestAnimationFrame(function tick(at: number) {
      const { schedule, selected, show } = latest.current;
      time += Math.max(0, at - before) * speed;
      before = at;
      const index = callAt(schedule, time);
      if (index > selected) show(index);
      if (index >= schedule.length - 1) return setPlaying(false);
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed]);
  return {
    playing,
    speed,
    at: schedule[Math.max(0, selected)] ?? 0,
    length: schedule.at(-1) ?? 0,
    pause: () => setPlaying(false),
    toggle: () => {
      // At the end it begins again.
      if (!playing && (selected < 0 || selected >= calls.length - 1)) show(0);
      setPlaying(!playing);
    },
    faster: setSpeed,
  };
}

const speeds = [0.25, 0.5, 1, 2, 5, 10, 50] as const;

export type PlayerProps = { readonly playback: Playback; step(by: number): void; toDenial(): void };

export const Player = ({ playback, step, toDenial }: PlayerProps) => (
  <div class="player" role="group" aria-label="Playback">
    <button type="button" class="quiet" aria-label="One call back" title="One call back (,)" onClick={() => step(-1)}>
      ◂
    </button>
    <button
      type="button"
      class="quiet"
      aria-label={playback.playing ? "Pause" : "Play"}
      title="Play, pause (space)"
      onClick={playback.toggle}
    >
      {playback.playing ? "❚❚" : "▶"}
    </button>
    <button type="button" class="quiet" aria-label="One call on" title="One call on (.)" onClick={() => step(1)}>
      ▸
    </button>
    <button type="button" class="quiet" title="Next call that was denied (n)" onClick={toDenial}>
      ✕ Next denial
    </button>
    <select
      aria-label="Speed"
      value={String(playback.speed)}
      onChange={(event) => playback.faster(Number(event.currentTarget.value))}
    >
      {speeds.map((speed) => (
        <option key={speed} value={String(speed)}>
          {speed}×
        </option>
      ))}
    </select>
    <span class="soft n">
      {duration(playback.at)} / {duration(playback.length)}
    </span>
  </div>
);
