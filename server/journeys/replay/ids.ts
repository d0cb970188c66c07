/** Which id of the recorded session is which one here: by type, so that the same digits can be ids of two things. */

import type { IdType } from "./resources.ts";

/** `by`: the number of the recorded call that created it. */
export type Found =
  | { readonly kind: "mapped"; readonly value: string }
  /** It was created in the session, and has no counterpart here. */
  | { readonly kind: "lost"; readonly by: number; readonly why: string }
  /** Nothing in the session so far created it. */
  | { readonly kind: "unknown" };

type Known = Exclude<Found, { kind: "unknown" }>;

/** Names are compared as they are written, so no digit of a number is ever lost. */
export class Ids {
  readonly #byType = new Map<IdType, Map<string, Known>>();
  /** JSON:API's words for kinds of things, as answers used them for what they are about. */
  readonly kinds = new Map<string, IdType>();
  /** What a value became, whatever its type: for finding out whether two texts say the same. */
  readonly #byValue = new Map<string, Set<string>>();

  find(type: IdType, recorded: string): Found {
    return this.#byType.get(type)?.get(recorded) ?? unknown;
  }

  /** The first answer counts: a thing has one id. */
  learn(type: IdType, recorded: string, value: string): void {
    const known = this.#of(type);
    if (known.get(recorded)?.kind === "mapped") return;
    known.set(recorded, { kind: "mapped", value });
    const all = this.#byValue.get(recorded) ?? new Set();
    this.#byValue.set(recorded, all.add(value));
  }

  lose(type: IdType, recorded: string, lost: { readonly by: number; readonly why: string }): void {
    const known = this.#of(type);
    if (!known.has(recorded)) known.set(recorded, { kind: "lost", ...lost });
  }

  /** Of ids inside one kind of thing (`dashboard_id widgets[].id`), wherever in it: null unless there is exactly one answer. */
  findInside(family: string, recorded: string): Found {
    const found = [...this.#byType].flatMap(([type, known]) => {
      const one = type.startsWith(`${family} `) ? known.get(recorded) : undefined;
      return one === undefined ? [] : [one];
    });
    return only(found);
  }

  /** Of what is one thing all over the world, as a UUID is: whatever its type. */
  findAnywhere(recorded: string): Found {
    return only([...this.#byType.values()].flatMap((known) => known.get(recorded) ?? []));
  }

  /** All that a recorded text may have become. */
  became(recorded: string): ReadonlySet<string> {
    return this.#byValue.get(recorded) ?? nothing;
  }

  /** The only one of a type that still has a counterpart; null when there are several, or none. */
  onlyOf(type: IdType): string | null {
    const mapped = [...(this.#byType.get(type)?.values() ?? [])].filter((one) => one.kind === "mapped");
    return mapped.length === 1 ? (mapped[0]?.value ?? null) : null;
  }

  #of(type: IdType): Map<string, Known> {
    const known = this.#byType.get(type) ?? new Map<string, Known>();
    this.#byType.set(type, known);
    return known;
  }
}

const unknown: Found = { kind: "unknown" };
const nothing: ReadonlySet<string> = new Set();

/** Several that say the same are one. */
function only(found: readonly Known[]): Found {
  const [first] = found;
  const agree = found.every((one) => one.kind === "mapped" && first?.kind === "mapped" && one.value === first.value);
  return first !== undefined && (found.length === 1 || agree) ? first : unknown;
}
