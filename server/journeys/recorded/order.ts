/**
 * Which of several recorded answers comes next. Answers to one request come in the order in which they were recorded, and the last one
 * again and again. A write that was made takes reads of the same thing to where it was recorded: they get what was recorded between that
 * write and the next one, and nothing from before or after.
 */

import type { Indexed } from "./recording.ts";

/** A read that was recorded only on the other side of a write. */
export type Elsewhen = {
  readonly call: Indexed;
  /** `later`: behind a write that was not made. `earlier`: before one that was. */
  readonly when: "later" | "earlier";
  readonly write: Indexed;
};

export class Order {
  /** In the order of their numbers. */
  readonly #writes: readonly Indexed[];
  readonly #made = new Set<Indexed>();
  readonly #served = new Set<Indexed>();
  /** By the read's path; a path is asked for again and again. */
  readonly #touching = new Map<string, readonly Indexed[]>();

  constructor(calls: readonly Indexed[]) {
    this.#writes = calls.filter(changesSomething);
  }

  /** Of recorded calls that are one request, never none, in the order of their numbers. */
  next(alike: readonly Indexed[]): Indexed | Elsewhen {
    const [any] = alike;
    if (any === undefined) throw new TypeError("one of no calls");
    if (any.call.access !== "read") return this.#firstUnasked(alike);
    const { reached, ahead } = this.#now(any);
    const now = alike.filter(({ call: { n } }) => n > (reached?.call.n ?? 0) && n < (ahead?.call.n ?? Infinity));
    if (now.length > 0) return this.#firstUnasked(now);
    const later = alike.find(({ call }) => ahead !== null && call.n > ahead.call.n);
    if (later !== undefined && ahead !== null) return { call: later, when: "later", write: ahead };
    const earlier = alike.at(-1) ?? any;
    if (reached === null) throw new TypeError("a read before every write is always there");
    return { call: earlier, when: "earlier", write: reached };
  }

  served(answered: Indexed): void {
    this.#served.add(answered);
    if (changesSomething(answered)) this.#made.add(answered);
  }

  wasServed(call: Indexed): boolean {
    return this.#served.has(call);
  }

  /** Of those that somebody was answered, if there are any: whose caller had left was sent again. */
  #firstUnasked(alike: readonly Indexed[]): Indexed {
    const answered = alike.filter(({ call }) => call.response !== null);
    const choice = answered.length > 0 ? answered : alike;
    const next = choice.find((call) => !this.#served.has(call)) ?? choice.at(-1);
    if (next === undefined) throw new TypeError("one of no calls");
    return next;
  }

  /** The last write to what is read that was made, and the first one behind it that was not. */
  #now(read: Indexed): { readonly reached: Indexed | null; readonly ahead: Indexed | null } {
    const writes = this.#writesTo(read);
    const at = writes.findLastIndex((write) => this.#made.has(write));
    return { reached: writes[at] ?? null, ahead: writes[at + 1] ?? null };
  }

  #writesTo(read: Indexed): readonly Indexed[] {
    const known = this.#touching.get(read.plain);
    if (known !== undefined) return known;
    const found = this.#writes.filter((write) => touches(write, read));
    this.#touching.set(read.plain, found);
    return found;
  }
}

/** Telemetry changes nothing that is read soon; what Datadog refused changed nothing; what became of the rest nobody knows. */
const changesSomething = ({ call }: Indexed): boolean => {
  if (call.access === "read" || call.access === "submit") return false;
  if (call.access === "unknown" && (call.method === "GET" || call.method === "HEAD")) return false;
  return call.state !== "refused" && (call.status === null || call.status < 400 || call.state === "indeterminate");
};

/** The same word behind `/api/v1/`, and not two different ids. */
const touches = ({ thing: one }: Indexed, { thing: other }: Indexed): boolean =>
  one.word === other.word &&
  one.ids.every((id, at) => id === null || other.ids[at] === null || (other.ids[at] ?? id) === id);
