/** Asks now and then whether the runs and pull requests that wait are still there, in case no delivery tells of their end. */

import type { Outline } from "../../../model/approval.ts";
import { recheck } from "../recheck.ts";
import { isLive } from "../seek.ts";
import type { Poll, PollParts } from "./parts.ts";

/** How often, when there are few, ms. */
const every = 60_000;
/** Runs of one owner in one round: two requests each, so that at most 1,440 of the 5,000 an hour go into it. */
const mostOfOwner = 2;

export class RunPoll implements Poll {
  readonly #parts: PollParts;
  /** When each run was asked about last, ms. */
  readonly #asked = new Map<string, number>();

  constructor(parts: PollParts) {
    this.#parts = parts;
  }

  async poll(watched: readonly Outline[]): Promise<void> {
    const live = watched.filter(isLive);
    const runs = Map.groupBy(live, runOf);
    for (const run of this.#asked.keys()) if (!runs.has(run)) this.#asked.delete(run);
    const owners = Map.groupBy(runs.values(), ([first]) => first?.run?.repository.split("/", 1)[0] ?? "");
    const due = [...owners.values()].flatMap((asked) => this.#due(asked));
    const now = this.#parts.now().getTime();
    for (const asked of due) {
      for (const outline of asked) this.#asked.set(runOf(outline), now);
      await recheck(this.#parts, asked);
    }
  }

  forget(): void {
    this.#asked.clear();
  }

  /** Those that were asked about longest ago; one that was never, as soon as there is a turn. */
  #due(runs: readonly (readonly Outline[])[]): readonly (readonly Outline[])[] {
    const last = ([first]: readonly Outline[]): number =>
      first === undefined ? 0 : (this.#asked.get(runOf(first)) ?? 0);
    const now = this.#parts.now().getTime();
    return runs
      .filter((run) => last(run) + every <= now)
      .toSorted((one, other) => last(one) - last(other))
      .slice(0, mostOfOwner);
  }
}

const runOf = ({ run }: Outline): string => `${run?.repository_id} ${run?.run_id}`;
