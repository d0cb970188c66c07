/** Watches a replay as long as something goes on in it; what became of its calls is read again only when more of them have had their turn. */

import { useEffect, useState } from "preact/hooks";
import type { ReplayedCallJson, ReplayJson } from "../../contract.ts";
import { turnsOf } from "../errands.ts";
import { read, reasonOf, Refused } from "./gateway.ts";

export type Seen = {
  readonly replay: ReplayJson;
  readonly items: readonly ReplayedCallJson[];
  readonly next_cursor: string | null;
};

/** Between two looks how it stands, ms. */
const every = 1_000;
/** Between two looks at the calls, each of which is on record, ms. */
const callsEvery = 3_000;

const goesOn = ({ state, cleanup }: ReplayJson): boolean => state === "running" || cleanup?.state === "running";

export function useReplay(
  first: Seen,
  look: (signal: AbortSignal) => Promise<Seen>,
): { readonly seen: Seen; readonly trouble: string | null } {
  const [seen, setSeen] = useState(first);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    let known = first;
    let looked = performance.now();
    const step = async (): Promise<void> => {
      try {
        const replay = await read<ReplayJson>(`/replays/${first.replay.id}/state`, gone.signal);
        const isNew = turnsOf(replay) !== turnsOf(known.replay) || replay.state !== known.replay.state;
        // How many have had their turn is known at once; which of them, a moment later.
        if (isNew && (!goesOn(replay) || performance.now() - looked > callsEvery)) {
          known = await look(gone.signal);
          looked = performance.now();
          setSeen(known);
        } else setSeen({ ...known, replay });
        if (!isNew) known = { ...known, replay };
        setTrouble(null);
      } catch (error) {
        if (gone.signal.aborted) return;
        setTrouble(reasonOf(error));
        // Who may not see it any more is told nothing more of it.
        if (error instanceof Refused && [401, 403, 404].includes(error.status)) return;
      }
      if (goesOn(known.replay)) timer = setTimeout(() => void step(), every);
    };
    let timer = goesOn(first.replay) ? setTimeout(() => void step(), every) : undefined;
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, []);
  return { seen, trouble };
}
