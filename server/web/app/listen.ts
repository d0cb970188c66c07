/** Hears a session as it happens, by server-sent events; the browser itself comes back after an interruption and says what it heard last. */

import type { CallJson, OutlinedCallJson, SessionJson } from "../../contract.ts";
import { Timers } from "./timers.ts";
import { outlinedOf } from "./told.ts";

export type Listening = {
  readonly id: string;
  /** Last-Event-ID of what is known already. */
  readonly told: string;
  readonly signal: AbortSignal;
  /** What came within a moment, together. */
  hear(news: readonly OutlinedCallJson[]): void;
  /** The stream stands still, or goes on again. */
  interrupted(isIt: boolean): void;
};

/** The session when it is over; `refused`: there is no stream to be had; `silent`: nothing was heard for long, or listening was ended. */
export type Heard = SessionJson | "refused" | "silent";

/** ms */
const together = 50;
/** A stream that has its time ends, and is back after two seconds: that is no interruption. */
const untilInterrupted = 6_000;
/** A connection that died without a word is given up. */
const longestSilence = 90_000;

export function listenTo({ id, told, signal, hear, interrupted }: Listening): Promise<Heard> {
  const source = new EventSource(`/v1/sessions/${id}/events?last_event_id=${encodeURIComponent(told)}`);
  let news: OutlinedCallJson[] = [];
  const timers = new Timers();
  const flush = (): void => {
    timers.stop("flush");
    if (news.length > 0) hear(news);
    news = [];
  };
  return new Promise<Heard>((resolve) => {
    const isAlive = (): void => {
      timers.stop("interrupted");
      timers.start("silent", longestSilence, () => resolve("silent"));
      interrupted(false);
    };
    timers.start("silent", longestSilence, () => resolve("silent"));
    if (signal.aborted) resolve("silent");
    signal.addEventListener("abort", () => resolve("silent"), { once: true });
    source.addEventListener("open", isAlive);
    source.addEventListener("call", ({ data }: MessageEvent<string>) => {
      isAlive();
      news.push(outlinedOf(JSON.parse(data) as CallJson));
      timers.startOnce("flush", together, flush);
    });
    source.addEventListener("end", ({ data }: MessageEvent<string>) => resolve(JSON.parse(data) as SessionJson));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) resolve("refused");
      else timers.startOnce("interrupted", untilInterrupted, () => interrupted(true));
    });
  }).finally(() => {
    source.close();
    flush();
    timers.stopAll();
  });
}
