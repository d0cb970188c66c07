/** Reads a whole session, and what is added to it while it is open. Whoever watches is told after every answer. */

import type { OutlinedCallJson, OutlineJson, SessionJson } from "../../contract.ts";
import { read, reasonOf } from "./gateway.ts";

export type Followed = {
  readonly session: SessionJson;
  readonly calls: readonly OutlinedCallJson[];
  /** All that there were at the last look. */
  readonly complete: boolean;
  /** Why the last look failed; null when it did not. */
  readonly trouble: string | null;
};

/** Between two looks at an open session, ms. */
const every = 2_000;

export type Following = {
  readonly id: string;
  /** What was seen before; null for the first look. */
  readonly from: Followed | null;
  tell(followed: Followed): void;
  fail(reason: string): void;
};

/** @returns what ends it */
export function followSession({ id, from, tell, fail }: Following): () => void {
  const gone = new AbortController();
  let calls: readonly OutlinedCallJson[] = from?.calls ?? [];
  let latest = from;
  const look = async (): Promise<void> => {
    for (;;) {
      const after = settledOf(calls);
      const found = await read<OutlineJson>(`/v1/sessions/${id}/outline?after=${after}`, gone.signal);
      calls = [...calls.filter(({ n }) => n <= after), ...found.items];
      latest = { session: found.session, calls, complete: !found.more, trouble: null };
      tell(latest);
      if (!found.more) return;
    }
  };
  const run = async (): Promise<void> => {
    while (!gone.signal.aborted) {
      try {
        if (document.visibilityState === "visible") await look();
      } catch (error) {
        if (gone.signal.aborted) return;
        if (latest === null) return fail(reasonOf(error));
        tell({ ...latest, trouble: reasonOf(error) });
      }
      if (latest !== null && latest.session.state !== "open" && calls.every(({ state }) => state !== "open")) return;
      await new Promise((resolve) => setTimeout(resolve, every));
    }
  };
  void run();
  return () => gone.abort();
}

/** Of the last call before the first that is still open: everything after it may have changed. */
function settledOf(calls: readonly OutlinedCallJson[]): number {
  const open = calls.find(({ state }) => state === "open");
  return open === undefined ? (calls.at(-1)?.n ?? 0) : open.n - 1;
}
