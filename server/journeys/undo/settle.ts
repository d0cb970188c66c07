/** What becomes of a step: by what is there now, before anything is sent, and by what came of it. */

import type { CallNumber } from "../../model/receipt.ts";
import type { Doing } from "./carry.ts";
import { type Content, differences, isUnknown, versionIn } from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { type Resource, type ResourceName, withReferences } from "./references.ts";
import type { UndoRequest } from "./requests.ts";
import type { Ended, Seen, Sent } from "./send.ts";

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

export type Ready = { readonly doing: Doing; readonly resource: Resource };

/** `ids`: under which id what was made anew is there. */
export type Known = { readonly ids: ReadonlyMap<ResourceName, string>; readonly hidden: Hidden };

export const ended = (state: Result["state"], why: string, more: Partial<Result> = {}): Result => ({
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
export function settle({ doing, resource }: Ready, seen: Seen, { ids, hidden }: Known): Result | null {
  const { kind } = resource;
  if (seen.kind === "not seen") return endedAs(seen.ended, null);
  const now = seen.kind === "there" ? seen.content : null;
  const differing = (from: Content): readonly string[] => (now === null ? [] : differences(kind, [now, from], hidden));
  switch (doing.action) {
    case "recreate":
    case "restore":
      if (now === null) return null;
      return doing.wanted !== null && differing(doing.wanted).length === 0
        ? ended("done", "it is there again", { id: resource.id })
        : ended("conflict", `somebody brought this ${kind.noun} back, and it is not known to be as it was`, {
            differs: doing.wanted === null ? [] : differing(doing.wanted),
          });
    case "put_back": {
      if (now === null) return ended("conflict", `this ${kind.noun} is gone: somebody removed it after the session`);
      if (differing(withReferences(kind, doing.wanted, ids)).length === 0)
        return ended("done", "it is as it was before");
      return changedSince(differing(doing.left));
    }
    case "delete":
      return now === null ? ended("done", "it is gone already") : changedSince(differing(doing.left));
    default:
      return doing satisfies never;
  }
}

const changedSince = (differs: readonly string[]): Result | null =>
  differs.length === 0
    ? null
    : ended("conflict", `somebody changed it after the session: ${differs.join(", ")}`, { differs });

export const resultOf = (step: Ready, sent: Sent, known: Known): Result =>
  sent.kind === "not done"
    ? endedAs(sent.ended, sent.call)
    : { ...ended("done", "", { call: sent.call }), ...madeBy(step, sent.text, known) };

const doneWords = {
  recreate: "it was made again, and its answer does not say as what",
  restore: "it is there again",
  put_back: "it is as it was before",
  delete: "it is gone",
} as const satisfies Record<Doing["action"], string>;

type Made = Pick<Result, "id" | "differs" | "why">;

/** What came back, held against what was to come back: ids and times aside, as they are Datadog's. */
function madeBy({ doing, resource }: Ready, text: string, { ids, hidden }: Known): Made {
  const { kind } = resource;
  const made =
    doing.action === "recreate" || doing.action === "put_back" ? versionIn(kind, text, { isErased: null }) : null;
  if (made === null || isUnknown(made)) return { id: null, differs: [], why: doneWords[doing.action] };
  const wanted = "wanted" in doing && doing.wanted !== null ? withReferences(kind, doing.wanted, ids) : made.content;
  return {
    id: doing.action === "recreate" ? made.id : null,
    differs: differences(kind, [made.content, wanted], hidden),
    why: doing.action === "recreate" ? `it is there again, as ${kind.noun} ${made.id}` : doneWords[doing.action],
  };
}
