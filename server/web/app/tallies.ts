/** Counts calls: by what they are, over time, the slowest, the most denied. */

import type { GatheredCall } from "./gather.ts";
import { textOf } from "./claims.ts";

export type Counted = { readonly name: string; readonly count: number };

/** The most frequent first. */
export function countBy(
  calls: readonly GatheredCall[],
  nameOf: (call: GatheredCall) => readonly string[],
): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const call of calls) for (const name of nameOf(call)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

export const repositoryOf = ({ session }: GatheredCall): string => {
  const repository = textOf(session.caller["repository"]);
  return repository === "" ? session.caller.subject : repository;
};

/** The longest of each operation's calls, half of which were faster than `median`. */
export type Slow = {
  readonly operation: string;
  readonly calls: number;
  readonly median: number;
  readonly longest: number;
  readonly example: GatheredCall;
};

/** Waiting for people is no slowness: from sending to the end. */
const tookOf = ({ call }: GatheredCall): number =>
  call.done_at === null || call.forwarded_at === null ? 0 : Date.parse(call.done_at) - Date.parse(call.forwarded_at);

export function slowest(calls: readonly GatheredCall[], most: number): readonly Slow[] {
  const groups = Map.groupBy(
    calls.filter(({ call }) => call.done_at !== null && call.forwarded_at !== null),
    ({ call }) => call.operation,
  );
  return [...groups]
    .map(([operation, group]): Slow => {
      const sorted = group.toSorted((a, b) => tookOf(a) - tookOf(b));
      const example = sorted.at(-1) as GatheredCall;
      return {
        operation,
        calls: group.length,
        median: tookOf(sorted[Math.floor((sorted.length - 1) / 2)] as GatheredCall),
        longest: tookOf(example),
        example,
      };
    })
    .toSorted((a, b) => b.longest - a.longest)
    .slice(0, most);
}

export type Slot = { readonly from: number; readonly counts: Readonly<Record<string, number>> };

const steps = [60_000, 300_000, 900_000, 3_600_000, 4 * 3_600_000, 86_400_000, 7 * 86_400_000] as const;

/** Equal pieces of time, at most so many, each with its counts. */
export function overTime(
  calls: readonly GatheredCall[],
  most: number,
): { readonly step: number; readonly slots: readonly Slot[] } {
  const times = calls.map(({ call }) => Date.parse(call.received_at));
  if (times.length === 0) return { step: 60_000, slots: [] };
  const [first, last] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  const step =
    steps.find((one) => Math.floor(last / one) - Math.floor(first / one) < most) ??
    Math.ceil((last - first + 1) / most);
  const begin = Math.floor(first / step);
  const slots = Array.from({ length: Math.floor(last / step) - begin + 1 }, (_, index) => ({
    from: (begin + index) * step,
    counts: {} as Record<string, number>,
  }));
  calls.forEach(({ call }, index) => {
    const counts = slots[Math.floor((times[index] ?? 0) / step) - begin]?.counts;
    if (counts !== undefined) counts[call.decision.effect] = (counts[call.decision.effect] ?? 0) + 1;
  });
  return { step, slots };
}
