/** The plan that would restore what was there before a session: steps in the order in which they are done, each with its request, and what earlier undoing made of it. */

import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Session } from "../../model/session.ts";
import { readDoings } from "./calls.ts";
import { type CarryParts, type Doing } from "./carry.ts";
import { bodyOf, type Content, isUnknown, type Unknown } from "./document.ts";
import { inOrder, type Ordered } from "./order.ts";
import { type Progress, type ProgressParts, readProgress } from "./progress.ts";
import { type Resource, resourceName, type ResourceName, withReferences } from "./references.ts";
import { Requests, type UndoRequest } from "./requests.ts";
import { beginning } from "./span.ts";
import { isDoing, stepsFor } from "./steps.ts";

export type PlannedStep = Ordered & {
  /** As it would be sent now; null where nothing is to be sent. */
  readonly request: UndoRequest | null;
  /** What was sent for it before, and may have had an effect; null while there is nothing. */
  readonly progress: Progress | null;
};

export type Plan = { readonly session: Session; readonly steps: readonly PlannedStep[] };

export type PlanParts = Omit<CarryParts, "isPartial" | "mayRead"> &
  Omit<ProgressParts, "mayRead"> & {
    readonly catalogue: Catalogue;
    now(): Date;
  };

/** Bodies that are in memory for one plan, bytes. */
const mostRead = 64 * 1024 * 1024;

export async function planFor(parts: PlanParts, session: Session, site: string): Promise<Plan | Unknown> {
  const requests = new Requests(parts.catalogue);
  let left = mostRead;
  const reading = { ...parts, mayRead: (bytes: number) => (left -= bytes) >= 0 };
  const doings = await readDoings(reading, requests, { id: session.id, site });
  if (isUnknown(doings)) return doings;
  const isPartial: CarryParts["isPartial"] = ({ change }) => requests.methodOf(change) === "PATCH";
  const ordered = inOrder(await stepsFor({ ...reading, isPartial }, doings), parts.hidden);
  const progress = await readProgress(reading, session.id, ordered);
  const ids = newIds(ordered, progress);
  return {
    session,
    steps: ordered.map((step) => {
      const { doing, resource, key } = step;
      const isIdle = resource === null || !isDoing(doing);
      const request = isIdle ? null : requestOf(requests, { doing, resource }, { ids, now: parts.now() });
      return { ...step, request, progress: progress.get(key) ?? null };
    }),
  };
}

/** Under which id what was made anew is there now. */
export const newIds = (
  steps: readonly Ordered[],
  progress: ReadonlyMap<string, Progress>,
): ReadonlyMap<ResourceName, string> =>
  new Map(
    steps.flatMap(({ key, resource }) => {
      const id = progress.get(key)?.id ?? null;
      return resource === null || id === null ? [] : [[resourceName(resource), id] as const];
    }),
  );

export type Circumstances = { readonly ids: ReadonlyMap<ResourceName, string>; readonly now: Date };

export function requestOf(
  requests: Requests,
  { doing, resource: { kind, id } }: { readonly doing: Doing; readonly resource: Resource },
  { ids, now }: Circumstances,
): UndoRequest {
  const sendable = (content: Content): Content => beginning(kind, withReferences(kind, content, ids), now);
  switch (doing.action) {
    case "recreate":
      return requests.to(kind.create, null, bodyOf(kind, sendable(doing.wanted), { id, as: "create" }));
    case "restore":
      return requests.to(kind.restore ?? "", null, JSON.stringify({ data: [{ id, type: kind.name }] }));
    case "put_back":
      return requests.to(kind.change, id, bodyOf(kind, sendable(doing.sent), { id, as: "change" }));
    case "delete":
      return requests.to(kind.remove, id, null);
    default:
      return doing satisfies never;
  }
}
