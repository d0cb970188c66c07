/** Which call of a session is looked at: by the address, by a click, by a playback, or the last one while the end is followed. */

import { type RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Followed } from "./follow.ts";
import { nextWhere } from "./playback.ts";
import { type Playback, usePlayback } from "./player.tsx";
import type { WindowHandle } from "./windowed.tsx";

export type Selection = {
  /** Index among the calls; -1: none. */
  readonly selected: number;
  readonly list: RefObject<WindowHandle | null>;
  readonly playback: Playback;
  /** Whether what is new is shown as it comes. */
  readonly tail: boolean;
  select(index: number): void;
  step(by: number): void;
  none(): void;
  toDenial(): void;
  toEnd(): void;
  stay(): void;
};

export function useSelection({ calls, session }: Pick<Followed, "calls" | "session">): Selection {
  const [selected, setSelected] = useState(() => fromHash(calls));
  const [tail, setTail] = useState(session.state === "open" && location.hash === "");
  const list = useRef<WindowHandle>(null);
  // What the address names may be among the calls that are read later.
  const sought = useRef(selected < 0);
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
  useEffect(() => {
    const index = sought.current ? fromHash(calls) : -1;
    if (index < 0) return;
    sought.current = false;
    show(index);
  }, [calls]);
  useEffect(() => list.current?.show(selected), []);
  useEffect(() => {
    if (tail && calls.length > 0) list.current?.show(calls.length - 1);
  }, [calls, tail]);
  return {
    selected,
    list,
    playback,
    tail,
    select,
    step: (by) => select(Math.min(calls.length - 1, Math.max(0, selected + by))),
    none: () => {
      sought.current = false;
      playback.pause();
      setSelected(-1);
      history.replaceState(null, "", location.pathname);
    },
    toDenial: () => {
      const next = nextWhere(
        calls,
        selected,
        ({ decision, state }) => decision.effect === "deny" || state === "refused",
      );
      if (next >= 0) select(next);
    },
    toEnd: () => {
      setTail(true);
      list.current?.show(calls.length - 1);
    },
    stay: () => setTail(false),
  };
}

const fromHash = (calls: Followed["calls"]): number => {
  const n = Number(/^#call-(\d+)$/.exec(location.hash)?.[1] ?? 0);
  return n === 0 ? -1 : calls.findIndex((call) => call.n === n);
};
