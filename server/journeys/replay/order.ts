/**
 * Which calls may be on their way at the same time as others. Reads may; and of the rest only such as were so when they were recorded, and have
 * nothing to do with one another. All others go in the order of the recording.
 */

import { keyedPathParameters } from "../../datadog/credentials.ts";
import { codingsOf } from "../../model/coding.ts";
import { idPlace, scalarsOf, textOf } from "./places.ts";
import { teaches } from "./learn.ts";
import type { Known } from "./plan.ts";
import { type RecordedCall, treeOf } from "./recorded.ts";

/** What a call has to do with others. */
export type Footprint = {
  /** While it was on its way, when it was recorded: ms since 1970. */
  readonly from: number;
  readonly until: number;
  readonly reads: boolean;
  /** It is about single things, which it names or creates: no list, no search, nothing that is not known. */
  readonly isOfThings: boolean;
  /** What it names in its path, and what is named first in its answer. */
  readonly ids: readonly string[];
  /** All that it says. */
  readonly text: string;
};

export async function footprintOf(recorded: RecordedCall, about: Known | null): Promise<Footprint> {
  const { call, request } = recorded;
  const named = about?.operation.known === true ? Object.values(about.operation.params) : [];
  const text = textIn(recorded);
  return {
    from: call.received_at.getTime(),
    until: call.done_at?.getTime() ?? Number.POSITIVE_INFINITY,
    reads: about?.operation.access === "read",
    isOfThings: about !== null && isOfThings(about) && text !== null,
    ids: [...named, ...(about === null ? [] : await givenBy(recorded, about))].filter((id) => id !== ""),
    text: `${call.path}?${call.query} ${request === null ? "" : (text ?? "")}`,
  };
}

/** Null for what cannot be read as it is. */
const textIn = ({ call, request }: RecordedCall): string | null =>
  request === null ? "" : codingsOf(call.request.headers).length > 0 ? null : (request.bytes?.toString("utf8") ?? null);

const isOfThings = ({ operation }: Known): boolean =>
  operation.known &&
  !keyedPathParameters.has(operation.id) &&
  (Object.keys(operation.params).length > 0 || (operation.access === "write" && operation.name.startsWith("Create")));

/** Ids that nobody knew before its answer. */
async function givenBy(recorded: RecordedCall, { operation, subject }: Known): Promise<string[]> {
  const tree = teaches(recorded.call, operation) ? await treeOf(recorded) : null;
  if (tree === null) return [];
  return [...scalarsOf(tree)].flatMap(([node, place]) => (idPlace(subject, place) === null ? [] : [textOf(node)]));
}

export const mayGoBeside = (later: Footprint, earlier: Footprint): boolean => {
  if (later.reads && earlier.reads) return true;
  // Whoever sent it knew how the other one had ended.
  if (earlier.until <= later.from) return false;
  return later.isOfThings && earlier.isOfThings && !names(later, earlier) && !names(earlier, later);
};

const names = (one: Footprint, other: Footprint): boolean => other.ids.some((id) => one.text.includes(id));

/** Calls that are on their way. */
export class UnderWay {
  readonly #most: number;
  readonly #calls = new Map<Footprint, Promise<void>>();
  #failed: { readonly because: unknown } | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when this one may go; rejects with what went wrong with another. */
  async until(next: Footprint): Promise<void> {
    for (;;) {
      if (this.#failed !== null) throw this.#failed.because;
      const before = [...this.#calls].filter(([other]) => !mayGoBeside(next, other)).map(([, ended]) => ended);
      if (before.length > 0) await Promise.all(before);
      else if (this.#calls.size >= this.#most) await Promise.race(this.#calls.values());
      else return;
    }
  }

  add(footprint: Footprint, call: Promise<void>): void {
    const ended = call
      .catch((because: unknown) => {
        this.#failed ??= { because };
      })
      .then(() => {
        this.#calls.delete(footprint);
      });
    this.#calls.set(footprint, ended);
  }

  /** Resolves when all have ended, and rejects then if something went wrong with one. */
  async all(): Promise<void> {
    await Promise.all(this.#calls.values());
    if (this.#failed !== null) throw this.#failed.because;
  }
}
