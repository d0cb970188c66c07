/** Does the steps of a plan, one after the other: looks at what is there now, and sends what brings it back only where it is as the session left it. */

import type { Leased } from "../approval/lease.ts";
import { type Content, type Path, valueAt, withValue } from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { type Plan, type PlannedStep, requestOf } from "./plan.ts";
import type { Progress } from "./progress.ts";
import { resourceName, type ResourceName } from "./references.ts";
import type { Requests } from "./requests.ts";
import { act, look, type Seen, type Sender } from "./send.ts";
import { ended, type Ready, type Result, resultOf, settle } from "./settle.ts";
import { isDoing } from "./steps.ts";

export type ApplyParts = Sender & {
  readonly requests: Requests;
  readonly leased: Leased;
  readonly hidden: Hidden;
  now(): Date;
  /** Whether there is time for another step. */
  hasTime(): boolean;
};

/** Of every step that does something, by its key. */
export async function applySteps(parts: ApplyParts, { steps }: Plan): Promise<ReadonlyMap<string, Result>> {
  const results = new Map<string, Result>();
  const ids = new Map<ResourceName, string>();
  for (const step of steps) {
    if (!isDoing(step.doing)) continue;
    const result = await applyStep(parts, step, { steps, results, ids });
    results.set(step.key, result);
    if (step.resource !== null && result.id !== null) ids.set(resourceName(step.resource), result.id);
  }
  return results;
}

type SoFar = {
  readonly steps: readonly PlannedStep[];
  readonly results: ReadonlyMap<string, Result>;
  readonly ids: ReadonlyMap<ResourceName, string>;
};

async function applyStep(parts: ApplyParts, step: PlannedStep, soFar: SoFar): Promise<Result> {
  const { progress, needs, doing, resource } = step;
  const { results, ids } = soFar;
  const earlier = resultBefore(progress);
  if (earlier !== null) return earlier;
  const needed = needs.find((key) => results.get(key)?.state !== "done");
  if (needed !== undefined) return ended("blocked", `the step for call ${needed} has to be done first`);
  if (progress !== null && doing.action === "recreate")
    return ended("failed", `look first what is there: ${progress.why}`, { call: progress.call });
  const nameless = namelessIn(step, soFar);
  if (nameless !== undefined)
    return ended("failed", `what call ${nameless} needed back is there, and its answer does not say under which id`);
  if (!parts.hasTime()) return ended("todo", "there was no time for it yet");
  if (resource === null || !isDoing(doing)) throw new Error("a step that does something has a resource");
  return carryOut(parts, { key: step.key, doing, resource }, ids);
}

/** Null where it has to be sent, or sent again. */
function resultBefore(progress: Progress | null): Result | null {
  if (progress === null) return null;
  const { state, call, id, why, approval } = progress;
  switch (state) {
    case "done":
      return ended("done", "it was done before", { call, id });
    case "open":
      return ended("failed", "it is on its way: ask again", { call });
    case "waiting":
    case "denied":
      return ended(state, why, { call, approval });
    case "unknown":
      return null;
    default:
      return state satisfies never;
  }
}

/** A step that it needs has made something anew, and nobody knows under which id. */
const namelessIn = ({ needs }: PlannedStep, { steps, results }: SoFar): string | undefined =>
  steps.find(({ key, doing }) => needs.includes(key) && doing.action === "recreate" && results.get(key)?.id === null)
    ?.key;

async function carryOut(
  parts: ApplyParts,
  step: Ready & { readonly key: string },
  ids: ReadonlyMap<ResourceName, string>,
): Promise<Result> {
  const { kind, id } = step.resource;
  const known = { hidden: parts.hidden, ids };
  await parts.leased.still();
  const seen = await look(parts, parts.requests.to(kind.show, id, null), { kind, id, key: step.key });
  const settled = settle(step, seen, known);
  if (settled !== null) return settled;
  await parts.leased.still();
  const circumstances = { ids, now: parts.now() };
  const sent = await act(parts, requestOf(parts.requests, filled(step, seen), circumstances), step.key);
  // What a mask hides is sent, and not told.
  return { ...resultOf(step, sent, known), request: requestOf(parts.requests, step, circumstances) };
}

/** With the values of now where a mask hides what the session did not change. */
function filled({ doing, resource }: Ready, seen: Seen): Ready {
  if (doing.action !== "put_back" || seen.kind !== "there") return { doing, resource };
  const fill = (sent: unknown, place: Path): unknown => withValue(sent, place, valueAt(seen.content, place));
  return { resource, doing: { ...doing, sent: doing.keep.reduce(fill, doing.sent) as Content } };
}
