/** What earlier undoing of a session did, from its own recordings: a step that was sent once is known by the client that its call names. */

import type { CallNumber, StoredCall } from "../../model/receipt.ts";
import { bodyText, callsOf, type CallsParts, outcomeOf } from "./calls.ts";
import { isUnknown, versionIn } from "./document.ts";
import type { Ordered } from "./order.ts";

/** `open`: it is on its way. `unknown`: it was sent, and nobody can say what it did. `id`: of what it made anew, where its answer says it. */
export type Progress = {
  readonly state: "done" | "open" | "unknown";
  readonly call: CallNumber;
  readonly id: string | null;
  readonly why: string;
};

export type ProgressParts = CallsParts & {
  readonly undos: {
    /** The sessions in which this one was undone, the first first. */
    of(session_id: string): Promise<readonly { readonly id: string }[]>;
  };
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
  for (const { id } of await parts.undos.of(session_id))
    for await (const call of callsOf(parts, id)) {
      const step = call.access === "read" ? undefined : byClient.get(call.client ?? "");
      if (step === undefined) continue;
      const made = await progressOf(parts, call, step);
      if (made !== null) progress.set(step.key, made);
    }
  return progress;
}

async function progressOf(parts: ProgressParts, call: StoredCall, { resource }: Ordered): Promise<Progress | null> {
  const { session_id, n } = call;
  const outcome = outcomeOf(call);
  switch (outcome.kind) {
    case "none":
      return null;
    case "unknown":
      return { state: call.state === "open" ? "open" : "unknown", call: { session_id, n }, id: null, why: outcome.why };
    case "applied":
      break;
    default:
      return outcome satisfies never;
  }
  const done = { state: "done", call: { session_id, n }, why: "" } as const;
  if (resource === null || call.operation !== resource.kind.create) return { ...done, id: null };
  const text = await bodyText(parts, call, "response");
  const made = typeof text === "string" ? versionIn(resource.kind, text) : text;
  return { ...done, id: isUnknown(made) ? null : made.id };
}
