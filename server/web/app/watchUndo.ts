/** Does an undo when somebody says so, and goes on with it while people are asked, as long as the page is open. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { UndoJson } from "../../contract.ts";
import { read, reasonOf, send } from "./gateway.ts";

/** Between two looks whether a question was answered, ms: that look tells nothing else, and is on nobody's record. */
const every = 3_000;
/** A gateway does some seconds' worth at a time; more turns than that are no progress. */
const mostTurns = 200;

export type Undoing = {
  readonly shown: UndoJson;
  readonly trouble: string | null;
  /** `sending`: it is being done; `waiting`: people are asked, and it goes on by itself. */
  readonly doing: "sending" | "waiting" | null;
  act(): void;
};

export function useUndo(first: UndoJson, form: string | null): Undoing {
  const [shown, setShown] = useState(first);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [doing, setDoing] = useState<Undoing["doing"]>(null);
  const gone = useRef(new AbortController());
  const isDoing = useRef(doing !== null);
  isDoing.current = doing !== null;
  const path = `/v1/sessions/${first.session_id}/undo`;
  useEffect(() => {
    const { signal } = gone.current;
    // Who only looks is shown what becomes of it too.
    const look = async (): Promise<UndoJson | null> => (isDoing.current ? null : read<UndoJson>(path, signal));
    if (isWaiting(first)) watch(look).catch((error: unknown) => !signal.aborted && setTrouble(reasonOf(error)));
    return () => gone.current.abort();
  }, []);

  /** Asks again whenever something has changed among the questions, until none of the steps waits any more. */
  async function watch(ask: () => Promise<UndoJson | null>): Promise<void> {
    const { signal } = gone.current;
    for (let seen = await version(signal), waits = true; waits && !signal.aborted; ) {
      await pause(every, signal);
      const now = await version(signal);
      if (now === seen || signal.aborted) continue;
      seen = now;
      const latest = await ask();
      if (latest === null) return;
      setShown(latest);
      waits = isWaiting(latest);
    }
  }

  async function turns(): Promise<UndoJson> {
    const { signal } = gone.current;
    setDoing("sending");
    for (let turn = 1; ; turn++) {
      const latest = await send<UndoJson>(path, { form: form ?? "", content: {} }, signal);
      setShown(latest);
      if (turn < mostTurns && latest.steps.some(({ state }) => state === "todo")) continue;
      setDoing(isWaiting(latest) ? "waiting" : null);
      return latest;
    }
  }

  async function act(): Promise<void> {
    setTrouble(null);
    try {
      if (isWaiting(await turns())) await watch(turns);
    } catch (error) {
      if (gone.current.signal.aborted) return;
      setTrouble(reasonOf(error));
    }
    setDoing(null);
  }
  return { shown, trouble, doing, act: () => void act() };
}

const isWaiting = ({ steps }: UndoJson): boolean => steps.some(({ state }) => state === "waiting");

/** What is not told counts as a change: asking once more does no harm. */
const version = (signal: AbortSignal): Promise<string> =>
  read<{ version: string }>("/approvals/version", signal).then(
    (answer) => answer.version,
    () => "unknown",
  );

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
