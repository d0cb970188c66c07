/** What earlier undoing of a session did, from its own recordings: a step that was sent once is known by the client that its call names. */

import type { Approval } from "../../model/approval.ts";
import type { CallNumber, StoredCall } from "../../model/receipt.ts";
import type { UndoSession } from "../../store/undos.ts";
import { approvalUrl } from "../approval/use.ts";
import { everyCall } from "../everyCall.ts";
import { atOnce, bodyText, type CallsParts, outcomeOf } from "./calls.ts";
import { isUnknown, versionIn } from "./document.ts";
import type { Ordered } from "./order.ts";

/**
 * `open`: it is on its way. `unknown`: it was sent, and nobody can say what it did. `waiting`, `denied`: nothing was sent, and people are asked about
 * it, or have said no. `id`: of what it made anew, where its answer says it.
 */
export type Progress = {
  readonly state: "done" | "open" | "unknown" | "waiting" | "denied";
  readonly call: CallNumber;
  readonly id: string | null;
  readonly why: string;
  readonly approval: { readonly id: string; readonly url: string } | null;
};

export type ProgressParts = CallsParts & {
  readonly undos: {
    /** The sessions in which this one was undone, the first first. */
    of(session_id: string): Promise<readonly Pick<UndoSession, "id" | "state">[]>;
  };
  readonly approvals: { readonly store: { get(id: string): Promise<Approval | null> } };
  readonly publicUrl: string;
};

/** The `User-Agent` of everything that is sent for a step. */
export const clientOf = (key: string): string => `dogwatch-undo/${key}`;

/** By the step's key. What had no effect is left out: it may be tried again. */
export async function readProgress(
  parts: ProgressParts,
  session_id: string,
  steps: readonly Ordered[],
): Promise<ReadonlyMap<string, Progress>> {
  const byClient = new Map(steps.map((step) => [clientOf(step.key), step]));
  const progress = new Map<string, Progress>();
  for (const undo of await parts.undos.of(session_id)) {
    const asked = new Map<string, StoredCall>();
    for await (const call of everyCall(parts, undo.id, atOnce)) {
      const step = call.access === "read" ? undefined : byClient.get(call.client ?? "");
      if (step === undefined) continue;
      const made = await progressOf(parts, call, step);
      if (made !== null) progress.set(step.key, made);
      else asked.set(step.key, call);
    }
    // A question ends with the session that asks.
    for (const [key, call] of undo.state === "open" ? asked : [])
      if (!progress.has(key)) await noteQuestion(parts, progress, { key, call });
  }
  return progress;
}

async function noteQuestion(
  { approvals, publicUrl }: ProgressParts,
  progress: Map<string, Progress>,
  { key, call: { session_id, n, approval_id } }: { readonly key: string; readonly call: StoredCall },
): Promise<void> {
  const approval = approval_id === null ? null : await approvals.store.get(approval_id);
  if (approval?.state !== "pending" && approval?.state !== "denied") return;
  const { id, state, reason, question } = approval;
  progress.set(key, {
    call: { session_id, n },
    id: null,
    approval: { id, url: approvalUrl(publicUrl, id) },
    ...(state === "pending"
      ? { state: "waiting", why: `people are asked: ${question.title}` }
      : { state: "denied", why: reason }),
  });
}

async function progressOf(parts: ProgressParts, call: StoredCall, { resource }: Ordered): Promise<Progress | null> {
  const { session_id, n } = call;
  const of = { call: { session_id, n }, id: null, why: "", approval: null };
  const outcome = outcomeOf(call);
  switch (outcome.kind) {
    case "none":
      return null;
    case "unknown":
      return { ...of, state: call.state === "open" ? "open" : "unknown", why: outcome.why };
    case "applied":
      break;
    default:
      return outcome satisfies never;
  }
  if (resource === null || call.operation !== resource.kind.create) return { ...of, state: "done" };
  const text = await bodyText(parts, call, "response");
  const made = typeof text === "string" ? versionIn(resource.kind, text, parts.hidden) : text;
  return { ...of, state: "done", id: isUnknown(made) ? null : made.id };
}
