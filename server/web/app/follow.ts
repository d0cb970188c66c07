/** Reads a whole session, then hears what is added to it while it is open. Whoever watches is told after everything that is new. */

import type { OutlineJson, SessionJson } from "../../contract.ts";
import { read, reasonOf, Refused } from "./gateway.ts";
import { listenTo } from "./listen.ts";
import { Timers } from "./timers.ts";
import { type Calls, toldOf, withNews } from "./told.ts";

export type Followed = {
  readonly session: SessionJson;
  readonly calls: Calls;
  /** All that there were at the last look. */
  readonly complete: boolean;
  /** Why nothing new comes at the moment; null when it does. */
  readonly trouble: string | null;
};

/** Between two looks where there is no stream, ms; and looks until a stream is asked for again. */
const every = 2_000;
const looks = 15;
/** Whoever may not see it now may again when GitHub answers; each try is on record. */
const afterRefusal = 30_000;
const signedOut = "You are not signed in any more. Load the page again to sign in.";
/** The counts of a session follow its calls by so much at most, ms. */
const countsAfter = 5_000;
/** Looks for the seal of a session that has just ended. */
const looksForSeal = 10;

export type Following = {
  readonly id: string;
  readonly from: Followed;
  tell(followed: Followed): void;
};

/** The first thousand calls, or the next after what is known. */
export async function look(id: string, calls: Calls, signal?: AbortSignal): Promise<Followed> {
  const after = settledOf(calls);
  const found = await read<OutlineJson>(`/v1/sessions/${id}/outline?after=${after}`, signal);
  const settled = calls.filter(({ n }) => n <= after);
  return { session: found.session, calls: [...settled, ...found.items], complete: !found.more, trouble: null };
}

/** Of the last call before the first that is still open: everything after it may have changed. */
function settledOf(calls: Calls): number {
  const open = calls.find(({ state }) => state === "open");
  return open === undefined ? (calls.at(-1)?.n ?? 0) : open.n - 1;
}

const isOver = ({ session, calls, complete }: Followed): boolean =>
  complete && session.state !== "open" && calls.every(({ state }) => state !== "open");

/** @returns what ends it */
export function followSession(following: Following): () => void {
  const gone = new AbortController();
  void new Follower(following, gone.signal).run();
  return () => gone.abort();
}

class Follower {
  readonly #following: Following;
  readonly #gone: AbortSignal;
  #latest: Followed;
  readonly #timers = new Timers();

  constructor(following: Following, gone: AbortSignal) {
    this.#following = following;
    this.#gone = gone;
    this.#latest = following.from;
  }

  async run(): Promise<void> {
    if (isOver(this.#latest)) return;
    while (this.#goesOn()) {
      await seen(this.#gone);
      if (!this.#latest.complete) await this.#ask();
      else if ((await this.#listen()) === "refused")
        for (let at = 0; at < looks && this.#goesOn(); at++) {
          await this.#ask();
          await this.#pause();
        }
    }
    for (let at = 0; at < looksForSeal && !this.#gone.aborted && this.#latest.session.seal === null; at++) {
      await this.#pause();
      await this.#count();
    }
  }

  #goesOn(): boolean {
    return !this.#gone.aborted && !isOver(this.#latest);
  }

  #tell(change: Partial<Followed>): void {
    if (this.#gone.aborted) return;
    this.#latest = { ...this.#latest, ...change };
    this.#following.tell(this.#latest);
  }

  /** A stream is a connection, of which a browser has few for all its pages: only a page that is seen holds one. */
  async #listen(): Promise<"refused" | "over" | "silent"> {
    const unseen = new AbortController();
    const hide = (): void => {
      if (document.visibilityState !== "visible") unseen.abort();
    };
    document.addEventListener("visibilitychange", hide);
    const heard = await listenTo({
      id: this.#following.id,
      told: toldOf(this.#latest.calls),
      signal: AbortSignal.any([this.#gone, unseen.signal]),
      hear: (news) => {
        this.#tell({ calls: withNews(this.#latest.calls, news), trouble: null });
        if (!this.#gone.aborted) this.#timers.startOnce("count", countsAfter, () => void this.#count());
      },
      interrupted: (isIt) => {
        const trouble = isIt ? "The gateway does not answer. It is tried again." : null;
        if (trouble !== this.#latest.trouble) this.#tell({ trouble });
      },
    });
    document.removeEventListener("visibilitychange", hide);
    if (typeof heard === "string") return heard;
    this.#tell({ session: heard, trouble: null });
    return "over";
  }

  /** Until all there is has been read, or it failed. */
  async #ask(): Promise<void> {
    const { id } = this.#following;
    try {
      do this.#tell(await look(id, this.#latest.calls, this.#gone));
      while (!this.#latest.complete && !this.#gone.aborted);
    } catch (error) {
      const isTurnedAway = error instanceof Refused && error.status >= 400 && error.status < 500;
      const isSignedOut = isTurnedAway && error.status === 401;
      this.#tell({ trouble: isSignedOut ? signedOut : reasonOf(error) });
      await this.#pause(isTurnedAway ? afterRefusal : every);
    }
  }

  async #count(): Promise<void> {
    try {
      this.#tell({ session: await read<SessionJson>(`/v1/sessions/${this.#following.id}`, this.#gone) });
    } catch {
      // The calls are there all the same, and the next of them asks again.
    }
  }

  async #pause(ms = every): Promise<void> {
    const over = new AbortController();
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
      this.#gone.addEventListener("abort", resolve, { signal: over.signal });
    });
    over.abort();
    await seen(this.#gone);
  }
}

/** Resolves when somebody sees the page. */
const seen = (gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = new AbortController();
    const look = (): void => {
      if (document.visibilityState !== "visible" && !gone.aborted) return;
      over.abort();
      resolve();
    };
    document.addEventListener("visibilitychange", look, { signal: over.signal });
    gone.addEventListener("abort", look, { signal: over.signal });
    look();
  });
