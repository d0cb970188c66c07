/** Does the steps of a plan, one after the other: looks at what is there now, and sends what brings it back only where it is as the session left it. */

import type { CallNumber } from "../../model/receipt.ts";
import type { Leased } from "../approval/lease.ts";
import type { Doing } from "./carry.ts";
import { type Content, differences, isUnknown, type Path, valueAt, versionIn, withValue } from "./document.ts";
import { type Plan, type PlannedStep, requestFor } from "./plan.ts";
import { type Resource, resourceName, type ResourceName, withReferences } from "./references.ts";
import type { Requests, UndoRequest } from "./requests.ts";
import { act, type Ended, look, type Seen, type Sender } from "./send.ts";
import { isDoing } from "./steps.ts";

/** `blocked`: a step that it needs is not done. `todo`: there was no time for it. */
export type Result = {
  readonly state: "done" | "waiting" | "denied" | "failed" | "conflict" | "blocked" | "todo";
  readonly why: string;
  readonly call: CallNumber | null;
  /** Under which id what was made anew is there. */
  readonly id: string | null;
  readonly approval: { readonly id: string; readonly url: string } | null;
  /** Fields in which what came back is not what was there. */
  readonly differs: readonly string[];
  /** As it was sent; null where nothing was. */
  readonly request: UndoRequest | null;
};

export type ApplyParts = Sender & {
  readonly requests: Requests;
  readonly leased: Leased;
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
  if (progress?.state === "done") return ended("done", "it was done before", { call: progress.call, id: progress.id });
  const needed = needs.find((key) => results.get(key)?.state !== "done");
  if (needed !== undefined) return ended("blocked", `the step for call ${needed} has to be done first`);
  if (progress?.state === "open") return ended("failed", "it is on its way: ask again", { call: progress.call });
  if (progress !== null && doing.action === "recreate")
    return ended("failed", `look first what is there: ${progress.why}`, { call: progress.call });
  const nameless = namelessIn(step, soFar);
  if (nameless !== undefined)
    return ended("failed", `what call ${nameless} needed back is there, and its answer does not say under which id`);
  if (!parts.hasTime()) return ended("todo", "there was no time for it yet");
  if (resource === null || !isDoing(doing)) throw new Error("a step that does something has a resource");
  return carryOut(parts, { ...step, doing, resource }, ids);
}

/** A step that it needs has made something anew, and nobody knows under which id. */
const namelessIn = ({ needs }: PlannedStep, { steps, results }: SoFar): string | undefined =>
  steps.find(({ key, doing }) => needs.includes(key) && doing.action === "recreate" && results.get(key)?.id === null)
    ?.key;

type Ready = PlannedStep & { readonly doing: Doing; readonly resource: Resource };

async function carryOut(parts: ApplyParts, step: Ready, ids: ReadonlyMap<ResourceName, string>): Promise<Result> {
  const { kind, id } = step.resource;
  await parts.leased.still();
  const seen = await look(parts, parts.requests.to(kind.show, id, null), { kind, id, key: step.key });
  const settled = settle(step, seen, ids);
  if (settled !== null) return settled;
  await parts.leased.still();
  const request = requestNow(parts, step, { seen, ids });
  const sent = await act(parts, request, step.key);
  const result =
    sent.kind === "not done"
      ? endedAs(sent.ended, sent.call)
      : { ...ended("done", "", { call: sent.call }), ...madeBy(step, sent.text, ids) };
  return { ...result, request };
}

const ended = (state: Result["state"], why: string, more: Partial<Result> = {}): Result => ({
  state,
  why,
  call: null,
  id: null,
  approval: null,
  differs: [],
  request: null,
  ...more,
});

const endedAs = (end: Ended, call: CallNumber | null): Result =>
  ended(end.state, end.why, { call, approval: end.state === "waiting" ? end.approval : null });

/** Null where it is as the session left it: only then something is sent. */
function settle(
  { doing, resource, unchecked }: Ready,
  seen: Seen,
  ids: ReadonlyMap<ResourceName, string>,
): Result | null {
  const { kind } = resource;
  if (seen.kind === "not seen") return endedAs(seen.ended, null);
  const now = seen.kind === "there" ? seen.content : null;
  const differing = (from: Content, ignored: readonly Path[]): readonly string[] =>
    now === null ? [] : differences(kind, [now, from], ignored);
  switch (doing.action) {
    case "recreate":
    case "restore":
      if (now === null) return null;
      return doing.wanted !== null && differing(doing.wanted, unchecked).length === 0
        ? ended("done", "it is there again", { id: resource.id })
        : ended("conflict", `somebody made this ${kind.noun} again, and it is not as it was`, {
            differs: doing.wanted === null ? [] : differing(doing.wanted, unchecked),
          });
    case "put_back": {
      if (now === null) return ended("conflict", `this ${kind.noun} is gone: somebody removed it after the session`);
      if (differing(withReferences(kind, doing.wanted, ids), unchecked).length === 0)
        return ended("done", "it is as it was before");
      return changedSince(differing(doing.left, unchecked));
    }
    case "delete":
      return now === null ? ended("done", "it is gone already") : changedSince(differing(doing.left, unchecked));
    default:
      return doing satisfies never;
  }
}

const changedSince = (differs: readonly string[]): Result | null =>
  differs.length === 0
    ? null
    : ended("conflict", `somebody changed it after the session: ${differs.join(", ")}`, { differs });

/** With the values of now where a mask hides what the session did not change. */
function requestNow(
  { requests, now }: ApplyParts,
  step: Ready,
  { seen, ids }: { readonly seen: Seen; readonly ids: ReadonlyMap<ResourceName, string> },
): UndoRequest {
  const { doing } = step;
  const filled =
    doing.action !== "put_back" || seen.kind !== "there"
      ? doing
      : {
          ...doing,
          sent: doing.keep.reduce<unknown>(
            (sent, place) => withValue(sent, place, valueAt(seen.content, place)),
            doing.sent,
          ) as Content,
        };
  const request = requestFor(requests, { ...step, doing: filled }, { ids, now: now() });
  if (request === null) throw new Error("a step that does something has a request");
  return request;
}

const doneWords = {
  recreate: "it was made again, and its answer does not say as what",
  restore: "it is there again",
  put_back: "it is as it was before",
  delete: "it is gone",
} as const satisfies Record<Doing["action"], string>;

/** What came back, held against what was to come back: ids and times aside, as they are Datadog's. */
function madeBy(
  { doing, resource, unchecked }: Ready,
  text: string,
  ids: ReadonlyMap<ResourceName, string>,
): Pick<Result, "id" | "differs" | "why"> {
  const { kind } = resource;
  const made = doing.action === "recreate" || doing.action === "put_back" ? versionIn(kind, text) : null;
  if (made === null || isUnknown(made)) return { id: null, differs: [], why: doneWords[doing.action] };
  const wanted = "wanted" in doing && doing.wanted !== null ? withReferences(kind, doing.wanted, ids) : made.content;
  return {
    id: doing.action === "recreate" ? made.id : null,
    differs: differences(kind, [made.content, wanted], unchecked),
    why: doing.action === "recreate" ? `it is there again, as ${kind.noun} ${made.id}` : doneWords[doing.action],
  };
}
